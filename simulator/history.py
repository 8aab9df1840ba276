"""A past for the simulated district, so that targets over weeks have something to judge.

The made-up points carry the agent tag `<agent>-history`, which no real agent
has: they can be told apart, left out or deleted by it, and never share their
identity with a point that was measured.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from campuswatch.calendar import DAY, SECOND, SchoolCalendar
from campuswatch.intervals import NOTHING, IntervalSet
from campuswatch.inventory.models import Area, Device, DeviceKind, School
from campuswatch.stores.base import Aggregate, Query, Store
from simulator.flows import Flows
from simulator.hardware import line_port_name
from simulator.noise import between, unit
from simulator.world import World

SUFFIX: Final = "-history"
"""Ends the agent tag of every made-up point."""

STEP: Final = 300
"""Seconds between two made-up samples of a device."""

_MINUTE: Final = 60 * SECOND
_STEP_NS: Final = STEP * SECOND
_TRAFFIC_STEPS: Final = 3
"""Steps from one sample of a line to the next."""
_BITS: Final = 8
_CHUNK_LINES: Final = 2000


@dataclass(frozen=True)
class _Fortune:
    """How often things go wrong at a school.

    Attributes:
        outages: chance of a device failing, each day.
        outage_minutes: shortest and longest failure.
        power_cuts: chance of the whole school losing its power, each day; the
            agent goes with it, so nothing is known of that time.
        cut_minutes: shortest and longest power cut.
    """

    outages: float
    outage_minutes: tuple[float, float]
    power_cuts: float
    cut_minutes: tuple[float, float]


_FORTUNES: Final[Mapping[Area, _Fortune]] = {
    Area.URBAN: _Fortune(0.25, (10, 60), 0.0, (0, 0)),
    Area.TOWN: _Fortune(0.3, (20, 120), 0.03, (20, 60)),
    Area.RURAL: _Fortune(0.4, (60, 300), 0.1, (45, 180)),
}
_FRAGILE: Final = frozenset({DeviceKind.AP, DeviceKind.SWITCH, DeviceKind.ROUTER})


class History:
    """The past of one world."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._flows = Flows(world)
        self._calendars = {
            school.id: SchoolCalendar.of(world.inventory, school)
            for school in world.inventory.schools
        }

    def chunks(self, start: int, end: int) -> Iterator[tuple[int, bytes]]:
        """Yield line protocol in pieces of a few thousand lines, the newest day first.

        Args:
            start: ns UTC.
            end: ns UTC; no point is later.

        Yields:
            From when on the past is now complete (ns UTC), and the lines.
        """
        for day in reversed(range(start // DAY, -(-end // DAY))):
            since, until = max(start, day * DAY), min(end, (day + 1) * DAY)
            lines: list[str] = []
            for school in self._world.inventory.schools:
                for line in self._day(school, day, since, until):
                    lines.append(line)
                    if len(lines) == _CHUNK_LINES:
                        yield until, "".join(lines).encode()
                        lines.clear()
            yield since, "".join(lines).encode()

    def _day(self, school: School, day: int, since: int, until: int) -> Iterator[str]:
        days = (day - 1, day)  # what began yesterday may last until today
        silent = IntervalSet.of(span for each in days for span in self._power_cut(school, each))
        failures = [self._failure(school, each) for each in days]
        steps = range(-(-since // _STEP_NS) * _STEP_NS, until, _STEP_NS)
        known = [time for time in steps if not _holds(silent, time)]
        for device in school.devices:
            if device.address is not None:
                path = self._world.path(device.id)
                down = IntervalSet.of(
                    span for victim, spans in failures if victim in path for span in spans
                )
                yield from self._availability(school, device, known, down)
        yield from self._traffic(school, known)

    def _failure(self, school: School, day: int) -> tuple[str, IntervalSet]:
        """Return which device failed on a day, and when: never, on most days."""
        key = (self._world.seed, school.id, day, "failure")
        fortune = _FORTUNES[school.area]
        if unit(*key) >= fortune.outages:
            return "", NOTHING
        fragile = [device for device in school.devices if device.kind in _FRAGILE]
        victim = fragile[int(unit(*key, "who") * len(fragile))]
        return victim.id, self._span(school, day, key, fortune.outage_minutes)

    def _power_cut(self, school: School, day: int) -> IntervalSet:
        key = (self._world.seed, school.id, day, "power")
        fortune = _FORTUNES[school.area]
        if unit(*key) >= fortune.power_cuts:
            return NOTHING
        return self._span(school, day, key, fortune.cut_minutes)

    def _span(
        self, school: School, day: int, key: tuple[object, ...], minutes: tuple[float, float]
    ) -> IntervalSet:
        """Return a stretch that begins in the service hours of a day, if it has any."""
        hours = self._calendars[school.id].service(day * DAY, (day + 1) * DAY)
        hours = hours or IntervalSet.of([(day * DAY, (day + 1) * DAY)])
        start = _instant(hours, unit(*key, "when"))
        return IntervalSet.of([(start, start + int(between(*minutes, *key, "long") * _MINUTE))])

    def _availability(
        self, school: School, device: Device, times: Sequence[int], down: IntervalSet
    ) -> Iterator[str]:
        series = _series("availability", school, device, room=device.room)
        delay = between(0.002, 0.02, self._world.seed, "delay", device.id)
        well = f"up=1i,service_up=1i,service_time={delay:.6f},interval={STEP}"
        ill = f'up=0i,service_up=0i,interval={STEP},reason="no SNMP answer: timed out"'
        for time in times:
            yield f"{series} {ill if _holds(down, time) else well} {time}\n"

    def _traffic(self, school: School, times: Sequence[int]) -> Iterator[str]:
        """Yield what went over the school's line to the internet."""
        if school.internet is None:
            return
        device = self._world.device(school.internet.device)
        port = line_port_name(device, self._world).replace(" ", "\\ ")
        series = _series("interface", school, device, interface=port, room=device.room)
        for time in times:
            if time // _STEP_NS % _TRAFFIC_STEPS == 0:
                received = _BITS * self._flows.line_down(device, time / SECOND)
                sent = _BITS * self._flows.line_up(device, time / SECOND)
                yield f"{series} in_rate={received:.0f},out_rate={sent:.0f} {time}\n"


def _series(measurement: str, school: School, device: Device, **tags: str | None) -> str:
    """Return the head of a line; ids are slugs, which need no escaping."""
    known = {"agent": school.agent_of(device) + SUFFIX, "device": device.id, "school": school.id}
    pairs = sorted((known | tags).items())
    return ",".join([measurement, *(f"{key}={value}" for key, value in pairs if value)])


def _holds(spans: IntervalSet, time: int) -> bool:
    return any(start <= time < end for start, end in spans)


def _instant(hours: IntervalSet, share: float) -> int:
    """Return the instant by which a share of the hours has passed."""
    rest = int(hours.total * share)
    for start, end in hours:
        if rest < end - start:
            return start + rest
        rest -= end - start
    raise ValueError("expected a share below 1 of hours that are not empty")


def beginning(store: Store, start: int, now: int) -> int:
    """Return when the store's own knowledge begins: its oldest availability, else `now`.

    Raises:
        StoreUnavailableError: the store can't be reached.
    """
    query = Query("availability", ("up",), start, now, aggregate=Aggregate.FIRST)
    oldest = [time for series in store.query(query) for time in series.times]
    return min(oldest, default=now)
