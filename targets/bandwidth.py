"""A school's line to the internet, day by day: how busy it was, and when it was full.

The readings are those of the port that `internet.interface` names. A line is
saturated while 80 % or more of its capacity is in use in either direction.
The busiest hour is, as in ITU-T E.600, the one with the most traffic.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from statistics import median
from typing import Final

from campuswatch.calendar import DAY, SECOND
from campuswatch.intervals import Span
from campuswatch.inventory.models import Hours, Internet, School
from campuswatch.measurements import CATALOGUE
from campuswatch.readings import FieldValue, Reading
from campuswatch.stores.base import Aggregate, Query, Series, Store
from targets.promise import Promise
from targets.sampled import over, share

SATURATED: Final = 80.0
"""From which share of its capacity in use on a line is saturated, %."""

_MEGABIT: Final = 1_000_000
_HOUR: Final = 3600 * SECOND


@dataclass(frozen=True, slots=True)
class LineDay:
    """A day of a school's line.

    Attributes:
        start: the day's first instant, ns UTC.
        due: time of lessons, ns.
        known: of that, with known traffic.
        saturated: of that, with the line saturated.
        down: 95th percentile of received traffic in its busiest hour, bit/s.
        up: the same of sent traffic.
        speed: the nominal speed of the port, bit/s.
    """

    start: int
    due: int = 0
    known: int = 0
    saturated: int = 0
    down: float | None = None
    up: float | None = None
    speed: int | None = None


def capacity(internet: Internet, speed: int | None) -> tuple[int, int]:
    """Return what a line can carry down and up, bit/s.

    That is what was ordered, unless the port it ends on is slower.
    """
    ordered = internet.down * _MEGABIT, internet.up * _MEGABIT
    return ordered if speed is None else (min(ordered[0], speed), min(ordered[1], speed))


def measure(
    store: Store, schools: Sequence[School], promises: Mapping[str, Promise], start: int, end: int
) -> dict[str, LineDay]:
    """Return the day [start, end), ns UTC, of the schools that have a line, from raw samples.

    Raises:
        StoreUnavailableError: the store can't be reached.
    """
    ports = _ports(schools)
    found = {school.id: _Traffic() for school in schools}
    if ports:
        for series in store.query(_query(ports, start, end)):
            if (school := ports.get(_port(series))) is not None:
                found[school] = _Traffic.of(series)
    return {
        school.id: _day(
            found[school.id], school, school.internet, promises[school.id], (start, end)
        )
        for school in schools
        if school.internet is not None
    }


_Port = tuple[str, str, str]
"""A school's id, a device's and the name of an interface."""


def _ports(schools: Sequence[School]) -> dict[_Port, str]:
    return {
        (school.id, school.internet.device, school.internet.interface): school.id
        for school in schools
        if school.internet is not None and school.internet.interface is not None
    }


def _port(series: Series) -> _Port:
    return series.tags["school"], series.tags["device"], series.tags["interface"]


def _query(ports: Iterable[_Port], start: int, end: int) -> Query:
    schools, devices, interfaces = (
        list(dict.fromkeys(column)) for column in zip(*ports, strict=True)
    )
    return Query(
        "interface",
        ("in_rate", "out_rate", "speed"),
        start,
        end,
        where={"school": schools, "device": devices, "interface": interfaces},
        group_by=("school", "device", "interface"),
    )


@dataclass(frozen=True, slots=True)
class _Traffic:
    """What was read of a port: time (ns UTC) and bit/s, and its last speed."""

    down: Sequence[tuple[int, float]] = ()
    up: Sequence[tuple[int, float]] = ()
    speed: int | None = None

    @classmethod
    def of(cls, series: Series) -> _Traffic:
        speeds = [speed for speed in series.columns["speed"] if isinstance(speed, int) and speed]
        return cls(
            _levels(series, "in_rate"), _levels(series, "out_rate"), speeds[-1] if speeds else None
        )


def _levels(series: Series, field: str) -> list[tuple[int, float]]:
    return [
        (time, value)
        for time, value in zip(series.times, series.columns[field], strict=True)
        if isinstance(value, float)
    ]


def _day(traffic: _Traffic, school: School, line: Internet, promise: Promise, day: Span) -> LineDay:
    start, end = day
    lessons = promise.hours(Hours.LESSONS, start, end)
    most_down, most_up = capacity(line, traffic.speed)
    interval = next(
        device.interval.total_seconds() for device in school.devices if device.id == line.device
    )
    shares = [(time, 100 * rate / most_down) for time, rate in traffic.down]
    shares += [(time, 100 * rate / most_up) for time, rate in traffic.up]
    fullest = _fullest(shares)
    known, saturated = share(
        over(fullest, math.nextafter(SATURATED, 0), interval, start, end), lessons
    )
    return LineDay(
        start,
        lessons.total,
        known,
        saturated,
        busy_hour(traffic.down, start),
        busy_hour(traffic.up, start),
        traffic.speed,
    )


def _fullest(shares: Iterable[tuple[int, float]]) -> list[tuple[int, float]]:
    """Return the fuller direction of each instant."""
    found = defaultdict[int, float](float)
    for time, value in shares:
        found[time] = max(found[time], value)
    return sorted(found.items())


def busy_hour(rates: Iterable[tuple[int, float]], start: int) -> float | None:
    """Return the 95th percentile of the hour with the most traffic; None without any reading.

    Args:
        rates: time (ns UTC) and rate of each reading.
        start: from when on hours are counted, ns UTC.
    """
    hours = defaultdict[int, list[float]](list)
    for time, rate in rates:
        hours[(time - start) // _HOUR].append(rate)
    if not hours:
        return None
    busiest = max(hours.values(), key=lambda hour: math.fsum(hour) / len(hour))
    return sorted(busiest)[math.floor(len(busiest) * 0.95 + 0.5) - 1]


def read_speeds(store: Store, schools: Sequence[School], now: int) -> dict[str, int]:
    """Return the nominal speed of the port that each school's line ends on, bit/s, as last read.

    Raises:
        StoreUnavailableError: the store can't be reached.
    """
    ports = _ports(schools)
    if not ports:
        return {}
    found = {}
    for series in store.query(replace(_query(ports, now - DAY, now), aggregate=Aggregate.LAST)):
        [speed] = series.columns["speed"]
        if (school := ports.get(_port(series))) is not None and isinstance(speed, int) and speed:
            found[school] = speed
    return found


@dataclass(frozen=True, slots=True)
class Trials:
    """What an agent's trials of a line gave, medians.

    Attributes:
        count: how many there were.
        down: bit/s.
        up: bit/s.
        idle_rtt: round-trip time of the idle line, s.
        loaded_rtt: the same while the line was loaded.
    """

    count: int
    down: float | None
    up: float | None
    idle_rtt: float | None
    loaded_rtt: float | None


def read_trials(store: Store, schools: Sequence[School], start: int, end: int) -> dict[str, Trials]:
    """Return what bandwidth probes gave in [start, end), ns UTC, by school.

    Raises:
        StoreUnavailableError: the store can't be reached.
    """
    fields = ("download", "upload", "rtt", "loaded_rtt")
    query = Query(
        "probe",
        fields,
        start,
        end,
        where={"school": [school.id for school in schools], "kind": ["bandwidth"]},
        group_by=("school",),
    )
    found = {}
    for series in store.query(query):
        columns = (
            [value for value in series.columns[field] if isinstance(value, float)]
            for field in fields
        )
        medians = [median(column) if column else None for column in columns]
        found[series.tags["school"]] = Trials(len(series.times), *medians)
    return found


def reading(day: LineDay, school: str) -> Reading:
    """Return the row of a day."""
    row = CATALOGUE["daily_bandwidth"].reading(
        {},
        {
            "due": day.due / SECOND,
            "known": day.known / SECOND,
            "saturated": day.saturated / SECOND,
            "down": day.down,
            "up": day.up,
            "speed": day.speed,
        },
        day.start,
    )
    return Reading(row.measurement, {"school": school}, row.fields, row.time)


def read_days(
    store: Store, schools: Sequence[str], start: int, end: int
) -> Iterator[tuple[str, LineDay]]:
    """Yield the school and the row of each day that begins in [start, end), ns UTC.

    Raises:
        StoreUnavailableError: the store can't be reached.
    """
    query = Query(
        "daily_bandwidth",
        ("due", "known", "saturated", "down", "up", "speed"),
        start,
        end,
        where={"school": schools},
        group_by=("school",),
    )
    for series in store.query(query):
        rows = zip(series.times, *series.columns.values(), strict=True)
        for time, due, known, saturated, down, up, speed in rows:
            yield (
                series.tags["school"],
                LineDay(
                    time,
                    _ns(due),
                    _ns(known),
                    _ns(saturated),
                    down if isinstance(down, float) else None,
                    up if isinstance(up, float) else None,
                    speed if isinstance(speed, int) else None,
                ),
            )


def _ns(seconds: FieldValue | None) -> int:
    assert isinstance(seconds, float)
    return round(seconds * SECOND)
