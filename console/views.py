"""Verdicts and devices, arranged as the pages show them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from campuswatch.inventory.models import Inventory, School, Target
from console.devices import DeviceNow, DeviceState, SchoolDevices, Value
from targets.verdicts import (
    AnyVerdict,
    Cause,
    CheckReport,
    CoverageVerdict,
    DeviceRef,
    Limit,
    RoomRef,
    RoomVerdict,
    SchoolVerdict,
    UptimeVerdict,
    Verdict,
)

_LOOK_BELOW: Final = 4
"""How many times the allowed loss a target's bar shows."""

_STATE_ORDER: Final = (
    DeviceState.DOWN,
    DeviceState.UNKNOWN,
    DeviceState.UP,
    DeviceState.UNWATCHED,
)


_JOULES_PER_KWH: Final = 3.6e6


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong now, whichever targets it hurts.

    Attributes:
        school: where.
        limit: what is wrong.
        device: the device to look at, if it is one.
        agent: the silent agent, if it is one.
        since: ns UTC; None when unknown.
        began_before: whether it began before `since`.
        rooms: the rooms it hurts.
    """

    school: SchoolVerdict
    limit: Limit
    device: DeviceRef | None
    agent: str | None
    since: int | None
    began_before: bool
    rooms: tuple[RoomRef, ...]

    @property
    def seats(self) -> int:
        return sum(room.seats for room in self.rooms)


@dataclass(frozen=True)
class Bar:
    """A share beside its objective, on a scale that ends at 100 %; all in percent of its width.

    Attributes:
        start: what the left end stands for, percent.
        low: where what is certain ends.
        high: where what is possible ends.
        objective: where the objective is.
    """

    start: float
    low: float
    high: float
    objective: float


@dataclass(frozen=True)
class TargetView:
    """One target of a school.

    Attributes:
        verdict: what it came to.
        target: what was promised.
        bar: None when nothing was due.
    """

    verdict: AnyVerdict
    target: Target
    bar: Bar | None


@dataclass(frozen=True)
class Tiles:
    """The numbers on top of the district's page."""

    schools: int
    met: int
    problems: int
    seats_failing: int
    seats_unknown: int


def problems(schools: Iterable[SchoolVerdict]) -> list[Problem]:
    """Return what is wrong now, each cause once, the one that hurts most seats first."""
    found = [problem for school in schools for problem in _problems(school)]
    return sorted(found, key=lambda problem: (-problem.seats, problem.since or 0))


def _problems(school: SchoolVerdict) -> Iterator[Problem]:
    merged: dict[tuple[Limit, str | None, str | None], list[Cause]] = {}
    for target in school.targets:
        for cause in target.causes:
            if cause.until is None:
                device = None if cause.device is None else cause.device.id
                merged.setdefault((cause.limit, device, cause.agent), []).append(cause)
    for (limit, _, agent), causes in merged.items():
        earliest = min(causes, key=lambda cause: cause.since or 0)
        rooms = {room.id: room for cause in causes for room in cause.rooms}
        yield Problem(
            school=school,
            limit=limit,
            device=causes[0].device,
            agent=agent,
            since=earliest.since,
            began_before=earliest.began_before,
            rooms=tuple(rooms.values()),
        )


def tiles(report: CheckReport, open_problems: Sequence[Problem]) -> Tiles:
    """Return the district's numbers; a seat that two targets judge counts once, as its worst."""
    failing: dict[str, int] = {}
    unknown: dict[str, int] = {}
    for room in _rooms(report):
        if room.limit is not None:
            seats = unknown if room.limit is Limit.NO_EVIDENCE else failing
            seats[room.id] = room.seats
    verdicts = Counter(school.verdict for school in report.schools)
    return Tiles(
        schools=len(report.schools),
        met=verdicts[Verdict.MET],
        problems=len(open_problems),
        seats_failing=sum(failing.values()),
        seats_unknown=sum(seats for room, seats in unknown.items() if room not in failing),
    )


def _rooms(report: CheckReport) -> Iterator[RoomVerdict]:
    for school in report.schools:
        yield from rooms(school)


def rooms(school: SchoolVerdict) -> list[RoomVerdict]:
    """Return the rooms that coverage targets judge, those that don't pass first."""
    judged = [
        room
        for target in school.targets
        if isinstance(target, CoverageVerdict)
        for room in target.rooms
    ]
    return sorted(judged, key=lambda room: (room.limit is None, -room.seats))


def worst_first(schools: Iterable[SchoolVerdict]) -> list[SchoolVerdict]:
    """Return the schools, those that miss a target first."""
    order = (Verdict.MISSED, Verdict.CANNOT_TELL, Verdict.MET)
    return sorted(schools, key=lambda school: order.index(school.verdict))


def targets(school: SchoolVerdict, inventory: Inventory) -> list[TargetView]:
    """Return the targets of a school, each with what was promised."""
    promised = {target.id: target for target in inventory.district.targets}
    return [TargetView(verdict, promised[verdict.id], _bar(verdict)) for verdict in school.targets]


def _bar(verdict: AnyVerdict) -> Bar | None:
    share = verdict.share
    if share.low is None or share.high is None:
        return None
    start = max(0.0, 100 - (1 + _LOOK_BELOW) * (100 - verdict.objective))
    width = 100 - start
    if width == 0:  # an objective of 100 % leaves no loss to show
        start, width = 0.0, 100.0

    def place(percent: float) -> float:
        return max(0.0, 100 * (percent - start) / width)

    return Bar(start, place(share.low), place(share.high), place(verdict.objective))


def window_seconds(verdict: AnyVerdict) -> float | None:
    """Return the length of an uptime target's window; None for a target of now."""
    if not isinstance(verdict, UptimeVerdict):
        return None
    return (verdict.window_closes - verdict.window_start) / 1e9


def by_state(devices: SchoolDevices) -> list[DeviceNow]:
    """Return the devices, those in trouble first and the cause before its victims."""
    return sorted(
        devices.devices,
        key=lambda device: (_STATE_ORDER.index(device.state), device.cause != device.id),
    )


def victims(devices: SchoolDevices) -> Counter[str]:
    """Return for each device that is to blame how many others are down because of it."""
    return Counter(
        device.cause
        for device in devices.devices
        if device.cause is not None and device.cause != device.id
    )


def told(value: Value) -> str:
    """Return a value the way people read it: the word for a state, energy in kWh."""
    if value.meaning is not None:
        return value.meaning
    if value.unit == "J":
        return f"{value.value / _JOULES_PER_KWH:,.1f} kWh"
    return f"{value.value:.4g} {value.unit}".strip()


def room_names(school: School) -> dict[str, str]:
    """Return the rooms' names by id."""
    return {room.id: room.name for room in school.rooms()}
