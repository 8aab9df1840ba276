"""A device's day, summarised: how it is computed, written to the store and read again.

A row of `daily_uptime` holds the day's parts in seconds, and the timeline they
were computed from. So a year is read as 365 rows a device, and nothing is lost
by it: whatever is asked of the raw samples of a whole day can be asked of its
row. The parts are good while the hours and the maintenance of the day are what
they were (`rules`); the timeline is good whatever the calendar becomes.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from campuswatch.intervals import IntervalSet
from campuswatch.inventory.models import Hours
from campuswatch.measurements import CATALOGUE
from campuswatch.readings import FieldValue, Reading
from campuswatch.stores.base import Query, Series, Store
from targets.promise import Promise
from targets.topology import Topology, settle_of
from targets.uptime import Timeline, Uptime, uptime

_PREFIX: Final = {Hours.SERVICE: "", Hours.LESSONS: "lesson_", Hours.ALWAYS: "always_"}
_PARTS: Final = ("up", "down", "unknown")
PARTS: Final = tuple(f"{prefix}{part}" for prefix in _PREFIX.values() for part in _PARTS)
"""The fields that hold the day's parts; `excused` is the rest of the day."""


@dataclass(frozen=True, slots=True)
class DeviceDay:
    """What is known of a device's day.

    Attributes:
        device: its id.
        timeline: what is known of the day.
        times: the day's exact partition, for each kind of hours.
        causes: the down time in service hours by the device to blame, ns.
    """

    device: str
    timeline: Timeline
    times: Mapping[Hours, Uptime]
    causes: Mapping[str, int]


def summarise(
    device: str, lines: Mapping[str, Timeline], topology: Topology, promise: Promise
) -> DeviceDay:
    """Summarise a device's day.

    What it was cut off by is told from this day alone.

    Args:
        device: its id.
        lines: the day's timelines of all devices of its school.
        topology: of the school.
        promise: made to the school.
    """
    line = lines[device]
    times = partition(line, device, promise)
    causes: dict[str, int] = {}
    if times[Hours.SERVICE].down:
        due = promise.due(Hours.SERVICE, device, line.start, line.end)
        blamed = topology.blame(device, lines, settle_of(device, topology))
        causes = {cause: lost for cause, when in blamed.items() if (lost := (when & due).total)}
    return DeviceDay(device, line, times, causes)


def partition(line: Timeline, device: str, promise: Promise) -> dict[Hours, Uptime]:
    """Return the exact partition of a timeline's window for each kind of hours."""
    return {
        hours: uptime(line, promise.due(hours, device, line.start, line.end)) for hours in Hours
    }


def reading(day: DeviceDay, school: str, promise: Promise) -> Reading:
    """Return the row of a device's day; writing it again replaces it as a whole."""
    fields: dict[str, FieldValue] = {
        f"{_PREFIX[hours]}{part}": getattr(time, part) / 1e9
        for hours, time in day.times.items()
        for part in _PARTS
    }
    fields |= {
        "excused": day.times[Hours.SERVICE].excused / 1e9,
        "causes": seconds_by_cause(day.causes),
        "timeline": encode(day.timeline),
        "rules": promise.digest(day.device, day.timeline.start, day.timeline.end),
    }
    row = CATALOGUE["daily_uptime"].reading({"device": day.device}, fields, day.timeline.start)
    return Reading(row.measurement, {**row.tags, "school": school}, row.fields, row.time)


def seconds_by_cause(causes: Mapping[str, int]) -> str:
    """Write time by cause (ns) as JSON, in seconds, the most first."""
    ordered = sorted(causes.items(), key=lambda item: (-item[1], item[0]))
    return json.dumps({cause: time / 1e9 for cause, time in ordered})


def encode(line: Timeline) -> str:
    """Write a timeline as text, in whole nanoseconds from its start.

    The time of its newest sample, when it was up, and when it was down, as in
    `86340000000000;0-86400000000000;`; a part is empty when there is nothing.
    """
    last = "" if line.last_sample is None else str(line.last_sample - line.start)
    sets = (
        ",".join(f"{begin - line.start}-{end - line.start}" for begin, end in known)
        for known in (line.up, line.down)
    )
    return ";".join((last, *sets))


def decode(text: str, start: int, end: int) -> Timeline:
    """Return the timeline of [start, end), ns UTC, that `encode` wrote."""
    last, up, down = text.split(";")
    return Timeline(
        start, end, _spans(up, start), _spans(down, start), int(last) + start if last else None
    )


def _spans(text: str, start: int) -> IntervalSet:
    pairs = (span.split("-") for span in text.split(",") if span)
    return IntervalSet(tuple((int(begin) + start, int(end) + start) for begin, end in pairs))


def read_timelines(
    store: Store, schools: Sequence[str], start: int, end: int
) -> dict[tuple[str, int], dict[str, str]]:
    """Return the timelines of the days that begin in [start, end), ns UTC, still as text.

    Returns:
        For each school and beginning of a day, the text of each device with a row.

    Raises:
        StoreUnavailableError: the store can't be reached.
    """
    found: dict[tuple[str, int], dict[str, str]] = {}
    for series in _rows(store, schools, ("timeline",), start, end):
        school, device = series.tags["school"], series.tags["device"]
        for time, text in zip(series.times, series.columns["timeline"], strict=True):
            found.setdefault((school, time), {})[device] = str(text)
    return found


@dataclass(frozen=True, slots=True)
class DayParts:
    """The parts of one day of one device, without its timeline.

    Attributes:
        school: the id of its school.
        device: its id.
        start: the day's first instant, ns UTC.
        times: the day's partition, for each kind of hours, as it was when
            summarised.
        rules: compare it with `Promise.digest` to know whether it still is.
    """

    school: str
    device: str
    start: int
    times: Mapping[Hours, Uptime]
    rules: str


def read_rules(
    store: Store, schools: Sequence[str], start: int, end: int
) -> Iterator[tuple[str, int, str, str]]:
    """Yield the school, the first instant, the device and the rules of each row in [start, end).

    Raises:
        StoreUnavailableError: the store can't be reached.
    """
    for series in _rows(store, schools, ("rules",), start, end):
        school, device = series.tags["school"], series.tags["device"]
        for time, rules in zip(series.times, series.columns["rules"], strict=True):
            yield school, time, device, str(rules)


def read_columns(
    store: Store, schools: Sequence[str], start: int, end: int
) -> Iterator[tuple[str, str, Sequence[int], NDArray[np.int64]]]:
    """Yield the parts of the days that begin in [start, end), ns UTC, device by device.

    This is for years of many schools; `read_parts` says more of each day.

    Yields:
        School, device, the days' first instants, and an array of shape
        (days, 9): `PARTS` in ns.

    Raises:
        StoreUnavailableError: the store can't be reached.
    """
    for series in _rows(store, schools, PARTS, start, end):
        columns = np.array([series.columns[part] for part in PARTS], np.float64)
        yield series.tags["school"], series.tags["device"], series.times, whole_ns(columns.T)


def whole_ns(seconds: NDArray[np.float64]) -> NDArray[np.int64]:
    """Return stored seconds as whole ns; exact, as a day has less than 2^53."""
    return np.rint(seconds * 1e9).astype(np.int64)


def read_parts(store: Store, schools: Sequence[str], start: int, end: int) -> Iterator[DayParts]:
    """Yield the parts of the days that begin in [start, end), ns UTC, device by device.

    Raises:
        StoreUnavailableError: the store can't be reached.
    """
    for series in _rows(store, schools, (*PARTS, "excused", "rules"), start, end):
        columns = series.columns
        for at, time in enumerate(series.times):
            numbers = {name: _ns(columns[name][at]) for name in (*PARTS, "excused")}
            yield DayParts(
                series.tags["school"],
                series.tags["device"],
                time,
                dict(_times(numbers)),
                str(columns["rules"][at]),
            )


def _times(numbers: Mapping[str, int]) -> Iterator[tuple[Hours, Uptime]]:
    whole = sum(numbers[part] for part in (*_PARTS, "excused"))
    for hours, prefix in _PREFIX.items():
        up, down, unknown = (numbers[f"{prefix}{part}"] for part in _PARTS)
        yield hours, Uptime(up, down, unknown, whole - up - down - unknown)


def _rows(
    store: Store, schools: Sequence[str], fields: tuple[str, ...], start: int, end: int
) -> Iterable[Series]:
    return store.query(
        Query(
            "daily_uptime",
            fields,
            start,
            end,
            where={"school": schools},
            group_by=("school", "device"),
        )
    )


def _ns(seconds: FieldValue | None) -> int:
    """Return a stored number of seconds as whole ns; exact, as a day has less than 2^53."""
    assert isinstance(seconds, float)
    return round(seconds * 1e9)
