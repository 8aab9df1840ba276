"""Reads devices' availability from the store, in pieces that fit in memory."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import numpy as np

from campuswatch.intervals import Span
from campuswatch.inventory.models import School
from campuswatch.stores.base import Query, Series, Store
from targets.uptime import HOLD, Samples, Timeline, joined, timeline

_SECOND: Final = 1_000_000_000
_HOUR: Final = 3600 * _SECOND
_ROWS: Final = 200_000
"""Samples asked for at once: tens of megabytes, whatever the school's size."""

_NO_SAMPLES: Final = Samples.of([], [], [])


def read_timelines(store: Store, school: School, start: int, end: int) -> dict[str, Timeline]:
    """Return what is known of every device of a school over [start, end), by its id.

    Args:
        store: where `availability` is kept.
        school: whose devices; what else the store knows of the school is left out.
        start: ns UTC.
        end: ns UTC.

    Raises:
        StoreUnavailableError: the store can't be reached.
    """
    intervals = {device.id: device.interval.total_seconds() for device in school.devices}
    parts: dict[str, list[Timeline]] = {device: [] for device in intervals}
    carried = dict.fromkeys(intervals, _NO_SAMPLES)
    asked_from = start - _reach(intervals)
    for since, until in _pieces(start, end, intervals):
        fresh = _read(store, school.id, asked_from, until, intervals)
        for device, lines in parts.items():
            samples = carried[device] + fresh.get(device, _NO_SAMPLES)
            lines.append(timeline(samples, since, until))
            carried[device] = samples.newest()
        asked_from = until
    return {device: joined(lines) for device, lines in parts.items()}


def read_reasons(store: Store, school: School, now: int) -> dict[str, str]:
    """Return why devices of a school are down, as their newest reading before `now` tells.

    Raises:
        StoreUnavailableError: the store can't be reached.
    """
    reach = _reach({device.id: device.interval.total_seconds() for device in school.devices})
    query = Query(
        "availability",
        ("up", "reason"),
        now - reach,
        now,
        where={"school": [school.id]},
        group_by=("device",),
        limit=1,
        newest=True,
    )
    return {
        series.tags["device"]: str(reason)
        for series in store.query(query)
        if (reason := series.columns["reason"][0])
    }


def _reach(intervals: dict[str, float]) -> int:
    """Return how long before a window its first sample may lie, in ns.

    Samples carry their own interval, which may have been longer than today's;
    an hour covers that.
    """
    return max([_HOUR, *(round(HOLD * seconds * _SECOND) for seconds in intervals.values())])


def _pieces(start: int, end: int, intervals: dict[str, float]) -> Iterator[Span]:
    rate = sum(1 / seconds for seconds in intervals.values())
    length = max(_HOUR, round(_ROWS / rate * _SECOND)) if rate else end - start
    for since in range(start, end, length):
        yield since, min(since + length, end)


def _read(
    store: Store, school: str, start: int, end: int, intervals: dict[str, float]
) -> dict[str, Samples]:
    query = Query(
        "availability",
        ("up", "interval"),
        start,
        end,
        where={"school": [school]},
        group_by=("device",),
    )
    return {
        device: _samples(series, intervals[device])
        for series in store.query(query)
        if (device := series.tags["device"]) in intervals
    }


def _samples(series: Series, declared: float) -> Samples:
    """Turn rows into samples; one without an interval has the declared one (s)."""
    times = np.asarray(series.times, np.int64)
    up = np.asarray(series.columns["up"], np.float64)  # None becomes NaN
    intervals = np.asarray(series.columns["interval"], np.float64)
    intervals = np.where(np.isnan(intervals), declared, intervals)
    known = ~np.isnan(up)
    return Samples(times[known], up[known] == 1, intervals[known])
