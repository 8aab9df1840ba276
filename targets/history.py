"""What is known of devices over many days: daily results, and raw samples of the rest.

A whole day that has been summarised is read from its rows. Today is read from
the raw samples, and so is a day of which a row is missing or which late
readings may have changed since. Both ways give the same timelines.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import groupby

from campuswatch.intervals import Span
from campuswatch.inventory.models import School
from campuswatch.stores.base import Store
from targets import days
from targets.availability import Timelines, read_timelines
from targets.late import SchoolDay, accounted_until, days_of, late_batches
from targets.promise import Promise
from targets.uptime import Timeline, joined

_Summaries = Mapping[SchoolDay, Mapping[str, str]]


ReadRaw = Callable[[Store, Sequence[School], int, int], dict[str, Timelines]]
"""Reads timelines from raw samples, as `targets.availability.read_timelines` does."""


def read_history(
    store: Store,
    schools: Sequence[School],
    promises: Mapping[str, Promise],
    start: int,
    now: int,
    *,
    read_raw: ReadRaw = read_timelines,
) -> dict[str, Timelines]:
    """Return the timelines of schools' devices, by school.

    Args:
        store: where daily results and raw samples are.
        schools: which.
        promises: made to each school, by its id.
        start: each timeline begins with the school's day that this lies in, ns UTC.
        now: where they end, ns UTC.
        read_raw: reads what is not summarised.

    Raises:
        StoreUnavailableError: the store can't be reached.
    """
    spans = {school.id: list(day_spans(promises[school.id], start, now)) for school in schools}
    summaries = _summaries(store, schools, promises, spans)
    gaps = defaultdict[Span, list[School]](list)
    for school in schools:
        for gap in _gaps(school, spans[school.id], summaries):
            gaps[gap].append(school)
    pieces: dict[str, dict[str, list[Timeline]]] = {
        school.id: {device.id: [] for device in school.devices} for school in schools
    }
    for (since, until), alike in gaps.items():
        for school_id, lines in read_raw(store, alike, since, until).items():
            for device, line in lines.items():
                pieces[school_id][device].append(line)
    for school in schools:
        for since, until in spans[school.id]:
            for device, text in summaries.get((school.id, since), {}).items():
                if device in pieces[school.id]:
                    pieces[school.id][device].append(days.decode(text, since, until))
    return {
        school_id: {
            device: joined(sorted(parts, key=lambda part: part.start))
            for device, parts in devices.items()
        }
        for school_id, devices in pieces.items()
    }


def day_spans(promise: Promise, start: int, end: int) -> Iterator[Span]:
    """Yield the days of a school from the one that `start` lies in, the last cut off at `end`."""
    day = promise.calendar.day(start)
    while True:
        since, until = promise.calendar.span(day)
        if since >= end:
            return
        if since < until:  # clocks may leave out a whole day
            yield since, min(until, end)
        day += dt.timedelta(1)


def _summaries(
    store: Store,
    schools: Sequence[School],
    promises: Mapping[str, Promise],
    spans: Mapping[str, Sequence[Span]],
) -> _Summaries:
    """Return the rows of the whole days that are summarised and up to date."""
    seen = accounted_until(store)
    if seen is None:
        return {}
    first = min(span[0] for own in spans.values() for span in own)
    end = max(span[1] for own in spans.values() for span in own)
    rows = days.read_timelines(store, list(spans), first, end)
    late = late_days(schools, promises, late_batches(store, list(spans), seen))
    whole = {
        (school.id, since)
        for school in schools
        for since, until in spans[school.id]
        if until == promises[school.id].calendar.span(promises[school.id].calendar.day(since))[1]
    }
    expected = {school.id: {device.id for device in school.devices} for school in schools}
    return {
        key: devices
        for key, devices in rows.items()
        if key in whole - late and devices.keys() >= expected[key[0]]
    }


def late_days(
    schools: Sequence[School], promises: Mapping[str, Promise], batches: Mapping[str, set[int]]
) -> set[SchoolDay]:
    """Return the days of schools whose results batches that came late may change.

    Args:
        schools: which.
        promises: made to each school, by its id.
        batches: when they were made, ns UTC, by school.
    """
    return {
        (school.id, day)
        for school in schools
        for day in days_of(school, promises[school.id], batches.get(school.id, ()))
    }


def _gaps(school: School, spans: Sequence[Span], summaries: _Summaries) -> Iterator[Span]:
    """Yield the stretches of days to read from raw samples."""
    stretches = groupby(spans, key=lambda span: (school.id, span[0]) in summaries)
    for summarised, stretch in stretches:
        if not summarised:
            parts = list(stretch)
            yield parts[0][0], parts[-1][1]
