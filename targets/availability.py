"""Reads devices' availability from the store, in pieces that fit in memory."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

import numpy as np

from campuswatch.intervals import Span
from campuswatch.inventory.models import School
from campuswatch.stores.base import Query, Runs, Series, Store
from targets.uptime import HOLD, Samples, Timeline, joined, timeline

_SECOND: Final = 1_000_000_000
_HOUR: Final = 3600 * _SECOND
_NO_SAMPLES: Final = Samples.of([], [], [])

Timelines = dict[str, Timeline]
"""What is known of devices, by their ids."""


def read_timelines(
    store: Store, schools: Sequence[School], start: int, end: int
) -> dict[str, Timelines]:
    """Return what is known of every device over [start, end), by school.

    Args:
        store: where `availability` is kept.
        schools: whose devices; what else the store knows of them is left out.
        start: ns UTC.
        end: ns UTC.

    Raises:
        StoreUnavailableError: the store can't be reached.
    """
    found: dict[str, Timelines] = {}
    for reach in sorted({reach_of(school) for school in schools}):
        alike = [school for school in schools if reach_of(school) == reach]
        found |= _read_alike(_Reader(store, alike, reach), start, end)
    return found


def _read_alike(reader: _Reader, start: int, end: int) -> dict[str, Timelines]:
    parts: dict[_Key, list[Timeline]] = {device: [] for device in reader.devices}
    carried = dict.fromkeys(parts, _NO_SAMPLES)
    asked_from: int | None = None
    for since, until in reader.pieces(start, end):
        fresh = reader.read(since - reader.reach if asked_from is None else asked_from, until)
        for device, lines in parts.items():
            samples = carried[device]
            if device in fresh:
                samples = samples + fresh[device]
            lines.append(timeline(samples, since, until))
            carried[device] = samples.newest()
        asked_from = until
    found: dict[str, Timelines] = {school: {} for school in reader.schools}
    for (school, name), lines in parts.items():
        found[school][name] = joined(lines)
    return found


def read_reasons(store: Store, schools: Sequence[School], now: int) -> dict[str, dict[str, str]]:
    """Return why devices are down, as their newest reading before `now` tells, by school.

    Raises:
        StoreUnavailableError: the store can't be reached.
    """
    reach = max(reach_of(school) for school in schools)
    query = Query(
        "availability",
        ("up", "reason"),
        now - reach,
        now,
        where={"school": [school.id for school in schools]},
        group_by=("school", "device"),
        limit=1,
        newest=True,
    )
    found: dict[str, dict[str, str]] = {school.id: {} for school in schools}
    for series in store.query(query):
        if reason := series.columns["reason"][0]:
            found[series.tags["school"]][series.tags["device"]] = str(reason)
    return found


def reach_of(school: School) -> int:
    """Return for how long, at the most, a sample of a school's devices holds, in ns.

    Samples carry their own interval, which may have been longer than today's;
    an hour covers that, and none is believed for longer.
    """
    longest = max((device.interval.total_seconds() for device in school.devices), default=0.0)
    return max(_HOUR, round(HOLD * longest * _SECOND))


_Key = tuple[str, str]
"""A school's id and a device's."""


class _Reader:
    """Reads samples of some schools' devices, none of which holds for longer than `reach`."""

    def __init__(self, store: Store, schools: Sequence[School], reach: int) -> None:
        self._store = store
        self.reach = reach
        self.schools = [school.id for school in schools]
        self.devices: Mapping[_Key, float] = {
            (school.id, device.id): device.interval.total_seconds()
            for school in schools
            for device in school.devices
        }

    def pieces(self, start: int, end: int) -> Iterator[Span]:
        rate = sum(1 / seconds for seconds in self.devices.values())
        length = (
            max(_HOUR, round(self._store.samples_at_once / rate * _SECOND)) if rate else end - start
        )
        for since in range(start, end, length):
            yield since, min(since + length, end)

    def read(self, start: int, end: int) -> dict[_Key, Samples]:
        """Return the samples of [start, end)."""
        query = Query(
            "availability",
            ("up", "interval"),
            start,
            end,
            where={"school": self.schools},
            group_by=("school", "device"),
            runs=Runs("interval", HOLD, self.reach),
        )
        return {
            key: _samples(series, self.devices[key], self.reach)
            for series in self._store.query(query)
            if (key := (series.tags["school"], series.tags["device"])) in self.devices
        }


def _samples(series: Series, declared: float, reach: int) -> Samples:
    """Turn runs into samples; one without an interval has the declared one (s)."""
    assert series.until is not None
    up = np.asarray(series.columns["up"], np.float64)  # None becomes NaN
    intervals = np.asarray(series.columns["interval"], np.float64)
    intervals = np.where(np.isnan(intervals), declared, intervals)
    samples = Samples(
        np.asarray(series.times, np.int64),
        up == 1,
        np.minimum(intervals, reach / (HOLD * _SECOND)),
        np.asarray(series.until, np.int64),
    )
    return samples.where(~np.isnan(up))
