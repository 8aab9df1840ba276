"""Classrooms day by day: whether their equipment worked, and what the air was like."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Final

from campuswatch.calendar import SECOND
from campuswatch.intervals import IntervalSet, Span
from campuswatch.inventory.models import Device, DeviceKind, Hours, School
from campuswatch.measurements import CATALOGUE
from campuswatch.readings import FieldValue, Reading
from campuswatch.stores.base import Query, Store
from targets.lessons import TEACHING
from targets.promise import Promise
from targets.sampled import over, share
from targets.uptime import Timeline

MULTIMEDIA: Final = frozenset({DeviceKind.PROJECTOR, DeviceKind.DISPLAY})
"""What a classroom's multimedia set is made of."""

LIMITS: Final = (1000.0, 1500.0)
"""CO2 that tires a class, and that it should not sit in, ppm."""

_SPARSE: Final = 600.0
"""At which interval a sensor is believed to speak that tells of none, in seconds."""


class Ready(IntEnum):
    """Whether a room's multimedia set was complete and working at the first lesson."""

    NO = 0
    YES = 1
    UNKNOWN = 2
    NO_SET = 3
    NO_LESSONS = 4


@dataclass(frozen=True, slots=True)
class RoomDay:
    """A classroom's day.

    Attributes:
        room: its id.
        start: the day's first instant, ns UTC.
        ready: of its multimedia set, at the first lesson.
        failed: the devices of it that were down then.
        due: time of lessons, ns; 0 without a CO2 sensor.
        known: of that, with known CO2.
        over: of that, over each of `LIMITS`.
    """

    room: str
    start: int
    ready: Ready
    failed: tuple[str, ...] = ()
    due: int = 0
    known: int = 0
    over: tuple[int, int] = (0, 0)


def measure(
    store: Store,
    schools: Sequence[School],
    promises: Mapping[str, Promise],
    lines: Mapping[str, Mapping[str, Timeline]],
    day: Span,
) -> dict[str, list[RoomDay]]:
    """Return a day of every classroom of some schools, by school.

    Args:
        store: where the readings of sensors are.
        schools: which.
        promises: made to each school, by its id.
        lines: the day's timelines of each school's devices.
        day: its first instant and that of the next, ns UTC.

    Raises:
        StoreUnavailableError: the store can't be reached.
    """
    heard = _read_co2(store, schools, day)
    return {
        school.id: list(
            _days(school, promises[school.id], lines[school.id], heard.get(school.id, {}), day)
        )
        for school in schools
    }


_Levels = Sequence[tuple[int, float]]


def _read_co2(store: Store, schools: Sequence[School], day: Span) -> dict[str, dict[str, _Levels]]:
    """Return the CO2 readings of each school's devices."""
    query = Query(
        "environment",
        ("co2",),
        *day,
        where={"school": [school.id for school in schools]},
        group_by=("school", "device"),
    )
    found: dict[str, dict[str, _Levels]] = {}
    for series in store.query(query):
        levels = [
            (time, level)
            for time, level in zip(series.times, series.columns["co2"], strict=True)
            if isinstance(level, float)
        ]
        found.setdefault(series.tags["school"], {})[series.tags["device"]] = levels
    return found


def _days(
    school: School,
    promise: Promise,
    lines: Mapping[str, Timeline],
    heard: Mapping[str, _Levels],
    day: Span,
) -> Iterator[RoomDay]:
    sets, sensors = defaultdict[str, list[str]](list), defaultdict[str, list[Device]](list)
    for device in school.devices:
        if device.room is not None and device.kind in MULTIMEDIA:
            sets[device.room].append(device.id)
        if device.room is not None and heard.get(device.id):
            sensors[device.room].append(device)
    lessons = promise.hours(Hours.LESSONS, *day)
    first = lessons.spans[0][0] if lessons else None
    for room in school.rooms():
        if room.kind in TEACHING:
            ready, failed = _ready(sets[room.id], lines, first)
            air = _air(sensors[room.id], heard, lessons, day)
            yield RoomDay(room.id, day[0], ready, failed, *air)


def _air(
    sensors: Sequence[Device],
    heard: Mapping[str, _Levels],
    lessons: IntervalSet,
    day: Span,
) -> tuple[int, int, tuple[int, int]]:
    """Return the time of lessons, of that with known CO2, and of that over each limit, ns."""
    if not sensors:
        return 0, 0, (0, 0)
    shares = []
    for limit in LIMITS:
        lines = [over(heard[sensor.id], limit, _interval(sensor), *day) for sensor in sensors]
        shares.append(share(_any_over(lines), lessons))
    (known, tiring), (_, bad) = shares
    return lessons.total, known, (tiring, bad)


def _interval(sensor: Device) -> float:
    declared = sensor.declared_interval
    return _SPARSE if declared is None else declared.total_seconds()


def _any_over(lines: Sequence[Timeline]) -> Timeline:
    """Return when any of several sensors was over the limit, and when others were not."""
    down = lines[0].down
    up = lines[0].up
    for line in lines[1:]:
        down, up = down | line.down, up | line.up
    return Timeline(lines[0].start, lines[0].end, up - down, down)


def _ready(
    devices: Sequence[str], lines: Mapping[str, Timeline], first: int | None
) -> tuple[Ready, tuple[str, ...]]:
    if first is None:
        return Ready.NO_LESSONS, ()
    if not devices:
        return Ready.NO_SET, ()
    failed = tuple(device for device in devices if _holds(lines[device].down.spans, first))
    if failed:
        return Ready.NO, failed
    works = all(_holds(lines[device].up.spans, first) for device in devices)
    return Ready.YES if works else Ready.UNKNOWN, ()


def _holds(spans: Sequence[tuple[int, int]], instant: int) -> bool:
    return any(start <= instant < end for start, end in spans)


def reading(day: RoomDay, school: str) -> Reading:
    """Return the row of a classroom's day."""
    row = CATALOGUE["daily_classroom"].reading(
        {"room": day.room},
        {
            "ready": int(day.ready),
            "failed": " ".join(day.failed),
            "due": day.due / SECOND,
            "known": day.known / SECOND,
            "over_1000": day.over[0] / SECOND,
            "over_1500": day.over[1] / SECOND,
        },
        day.start,
    )
    return Reading(row.measurement, {**row.tags, "school": school}, row.fields, row.time)


def read_days(
    store: Store, schools: Sequence[str], start: int, end: int
) -> Iterator[tuple[str, RoomDay]]:
    """Yield the school and the row of each room's day that begins in [start, end), ns UTC.

    Raises:
        StoreUnavailableError: the store can't be reached.
    """
    query = Query(
        "daily_classroom",
        ("ready", "failed", "due", "known", "over_1000", "over_1500"),
        start,
        end,
        where={"school": schools},
        group_by=("school", "room"),
    )
    for series in store.query(query):
        rows = zip(series.times, *series.columns.values(), strict=True)
        for time, ready, failed, due, known, tiring, bad in rows:
            assert isinstance(ready, int)
            yield (
                series.tags["school"],
                RoomDay(
                    series.tags["room"],
                    time,
                    Ready(ready),
                    tuple(str(failed or "").split()),
                    _ns(due),
                    _ns(known),
                    (_ns(tiring), _ns(bad)),
                ),
            )


def _ns(seconds: FieldValue | None) -> int:
    assert isinstance(seconds, float)
    return round(seconds * SECOND)
