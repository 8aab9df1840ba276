"""Summarises days of schools, and keeps the summaries up to date.

A day is summarised once it is over, from its raw samples, and again whenever
readings of it come late or the hours it is judged by change. Summarising a day
again replaces its rows, so it does no harm to do it twice.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from campuswatch.calendar import DAY, SECOND
from campuswatch.intervals import Span
from campuswatch.inventory.models import Hours, Inventory, School
from campuswatch.lineprotocol import encode
from campuswatch.readings import Reading
from campuswatch.stores.base import Aggregate, Query, Store, StoreError
from targets import bandwidth, days, devices, lessons
from targets.availability import Timelines, read_timelines
from targets.late import SchoolDay
from targets.promise import Promise
from targets.topology import Topology

HORIZON: Final = 400 * DAY
"""How far back days are summarised: a year, and the window that ends with it, ns."""

SETTLED: Final = 600 * SECOND
"""How long after its end a day is summarised, when its last batches have come, ns."""

_LINES: Final = 5_000


class Summaries:
    """The daily results of a district."""

    def __init__(self, inventory: Inventory, store: Store) -> None:
        self._store = store
        self.promises = {school.id: Promise.of(inventory, school) for school in inventory.schools}
        self._schools = {school.id: school for school in inventory.schools}

    def missing(self, school: School, now: int) -> list[int]:
        """Return the days of a school to be summarised, the newest first, by their first ns.

        These are the days since its first reading that are over, and of which a
        device has no row, or one that rests on other hours than it should.

        Raises:
            StoreUnavailableError: the store can't be reached.
        """
        promise = self.promises[school.id]
        first = _first_reading(self._store, school.id, now - HORIZON, now)
        if first is None:
            return []
        due = {
            since: {device.id: promise.digest(device.id, since, until) for device in school.devices}
            for since, until in whole_days(promise, first, now - SETTLED)
        }
        for _, since, device, rules in days.read_rules(self._store, [school.id], first - DAY, now):
            if due.get(since, {}).get(device) == rules:
                del due[since][device]
        return sorted((since for since, devices in due.items() if devices), reverse=True)

    def batches(self, wanted: Iterable[SchoolDay]) -> Iterator[list[SchoolDay]]:
        """Yield days of schools in groups that fit in memory, each of one day."""
        by_day = defaultdict[int, list[str]](list)
        for school, since in wanted:
            by_day[since].append(school)
        for since in sorted(by_day, reverse=True):
            batch: list[SchoolDay] = []
            samples = 0.0
            for school in by_day[since]:
                batch.append((school, since))
                samples += _samples_a_day(self._schools[school])
                if samples >= self._store.samples_at_once:
                    yield batch
                    batch, samples = [], 0.0
            if batch:
                yield batch

    def summarise(self, wanted: Iterable[SchoolDay]) -> None:
        """Summarise days of schools; those that begin and end together are read together.

        Raises:
            StoreUnavailableError: the store can't be reached.
            StoreError: it refuses the rows.
        """
        alike = defaultdict[Span, list[School]](list)
        for school_id, day in wanted:
            calendar = self.promises[school_id].calendar
            alike[calendar.span(calendar.day(day))].append(self._schools[school_id])
        for (since, until), schools in alike.items():
            found = read_timelines(self._store, schools, since, until)
            lines = bandwidth.measure(self._store, schools, self.promises, since, until)
            rooms = devices.measure(self._store, schools, self.promises, found, (since, until))
            for school in schools:
                if school.id in lines:
                    _write(self._store, iter([bandwidth.reading(lines[school.id], school.id)]))
                _write(self._store, (devices.reading(room, school.id) for room in rooms[school.id]))
                rows = _rows(school, found[school.id], self.promises[school.id], since, until)
                _write(self._store, rows)


def whole_days(promise: Promise, start: int, end: int) -> Iterator[tuple[int, int]]:
    """Yield the school's days that are over at `end`, from the one that `start` lies in on."""
    day = promise.calendar.day(start)
    while (span := promise.calendar.span(day))[1] <= end:
        if span[0] < span[1]:
            yield span
        day += dt.timedelta(1)


def _samples_a_day(school: School) -> float:
    return sum(DAY / SECOND / device.interval.total_seconds() for device in school.devices)


def _first_reading(store: Store, school: str, start: int, end: int) -> int | None:
    query = Query(
        "availability", ("up",), start, end, where={"school": [school]}, aggregate=Aggregate.FIRST
    )
    return min((time for series in store.query(query) for time in series.times), default=None)


def _rows(
    school: School, lines: Timelines, promise: Promise, since: int, until: int
) -> Iterator[Reading]:
    """Yield the rows of a day; those of devices, which make it count as summarised, last."""
    topology = Topology(school.devices)
    losses = lessons.room_losses(
        topology, school.rooms(), lines, promise.hours(Hours.LESSONS, since, until)
    )
    yield from lessons.readings(losses, school.id, since)
    for device in school.devices:
        day = days.summarise(device.id, lines, topology, promise)
        yield days.reading(day, school.id, promise)


def _write(store: Store, rows: Iterator[Reading]) -> None:
    batch: list[Reading] = []
    for row in rows:
        batch.append(row)
        if len(batch) == _LINES:
            _store(store, batch)
            batch.clear()
    _store(store, batch)


def _store(store: Store, rows: Sequence[Reading]) -> None:
    if not rows:
        return
    if refused := store.write(encode(rows)):
        raise StoreError(f"a daily result is refused: {refused[0].reason}")
