"""The devices report: classrooms whose equipment worked when lessons began, and their air."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Literal

from pydantic import Field

from campuswatch.inventory.models import RoomKind, School
from targets.devices import Ready, RoomDay
from targets.lessons import TEACHING
from targets.period import room_days
from targets.reports.model import Part, Report, SchoolPart, Task, percent
from targets.verdicts import Duration, Share


class Air(Part):
    """CO2 in lessons, of rooms with a sensor.

    Attributes:
        due: time of lessons.
        known: of that, with known CO2.
        over_1000: of that, above 1,000 ppm.
        over_1500: of that, above 1,500 ppm.
        in_range: the share that was not above 1,000 ppm; None when nothing is known.
    """

    due: Duration = Field(serialization_alias="due_seconds")
    known: Duration = Field(serialization_alias="known_seconds")
    over_1000: Duration = Field(serialization_alias="over_1000_ppm_seconds")
    over_1500: Duration = Field(serialization_alias="over_1500_ppm_seconds")
    in_range: float | None = Field(serialization_alias="in_range_percent")


class Multimedia(Part):
    """How often sets of projectors and displays were complete and working at the first lesson.

    Attributes:
        ready: room days on which all of a room's set worked.
        failed: room days on which some of it was down.
        unknown: room days of which that is not known.
        share: of ready room days.
    """

    ready: int = Field(serialization_alias="ready_days")
    failed: int = Field(serialization_alias="failed_days")
    unknown: int = Field(serialization_alias="unknown_days")
    share: Share


class FailedDevice(Part):
    """A device, and on how many days it was down at the first lesson."""

    id: str
    name: str
    days: int


class RoomPart(Part):
    """A classroom.

    Attributes:
        id: its id.
        name: its name.
        kind: what it is.
        has_set: whether the inventory has a projector or display there.
        multimedia: of its set.
        failed: devices of it that failed, the worst first.
        air: of its sensors.
    """

    id: str
    name: str
    kind: RoomKind
    has_set: bool
    multimedia: Multimedia
    failed: tuple[FailedDevice, ...]
    air: Air


class SchoolDevices(SchoolPart):
    """A school's classrooms.

    Attributes:
        classrooms: how many there are.
        equipped: how many have a projector or display.
        multimedia: of those.
        air: of those with a CO2 sensor.
        rooms: each, the worst first.
    """

    classrooms: int
    equipped: int
    multimedia: Multimedia
    air: Air
    rooms: tuple[RoomPart, ...]


class DevicesReport(Report):
    """What `campuswatch report devices` writes as JSON."""

    kind: Literal["devices"] = "devices"
    schools: tuple[SchoolDevices, ...]


def build(task: Task, batches: Iterator[list[School]]) -> DevicesReport:
    """Build the report; arguments and errors as of the uptime report's."""
    schools: list[SchoolDevices] = []
    for batch in batches:
        days = room_days(task.past(batch))
        schools += [_school(school, days[school.id]) for school in batch]
    return DevicesReport.model_validate({**task.heading(), "schools": tuple(schools)})


def _school(school: School, days: Sequence[RoomDay]) -> SchoolDevices:
    names = {device.id: device.name for device in school.devices}
    by_room: dict[str, list[RoomDay]] = {}
    for day in days:
        by_room.setdefault(day.room, []).append(day)
    rooms = [
        RoomPart(
            id=room.id,
            name=room.name,
            kind=room.kind,
            has_set=any(day.ready is not Ready.NO_SET for day in own),
            multimedia=multimedia(own),
            failed=tuple(
                FailedDevice(id=device, name=names.get(device, device), days=count)
                for device, count in Counter(
                    device for day in own for device in day.failed
                ).most_common()
            ),
            air=air(own),
        )
        for room in school.rooms()
        if room.kind in TEACHING
        for own in [[day for day in by_room.get(room.id, ()) if day.ready is not Ready.NO_LESSONS]]
    ]
    return SchoolDevices(
        id=school.id,
        name=school.name,
        area=school.area,
        classrooms=len(rooms),
        equipped=sum(room.has_set for room in rooms),
        multimedia=multimedia(days),
        air=air(days),
        rooms=tuple(sorted(rooms, key=lambda room: (-room.multimedia.failed, -room.air.over_1000))),
    )


def multimedia(days: Sequence[RoomDay]) -> Multimedia:
    """Count room days."""
    counts = Counter(day.ready for day in days)
    ready, failed, unknown = (counts[state] for state in (Ready.YES, Ready.NO, Ready.UNKNOWN))
    return Multimedia(
        ready=ready, failed=failed, unknown=unknown, share=Share.of(ready, failed, unknown)
    )


def air(days: Sequence[RoomDay]) -> Air:
    """Add up the air of room days."""
    due, known = sum(day.due for day in days), sum(day.known for day in days)
    tiring, bad = (sum(day.over[limit] for day in days) for limit in (0, 1))
    return Air(
        due=due,
        known=known,
        over_1000=tiring,
        over_1500=bad,
        in_range=percent(known - tiring, known),
    )
