"""What daily results say of a period; days that have none are judged from raw samples."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import groupby
from typing import Final

import numpy as np
from numpy.typing import NDArray

from campuswatch.intervals import Span
from campuswatch.inventory.models import Hours, School
from campuswatch.stores.base import Query, Store
from targets import bandwidth, days, devices
from targets.availability import Timelines, read_timelines
from targets.bandwidth import LineDay
from targets.devices import RoomDay
from targets.history import late_days
from targets.late import SchoolDay, accounted_until, late_batches
from targets.lessons import room_losses
from targets.promise import Promise
from targets.topology import Topology

Times = NDArray[np.int64]
"""Nanoseconds; a row is a day of the period."""

HOURS: Final = tuple(Hours)
"""In the order in which `SchoolPeriod.devices` has them."""

_LESSON_PARTS: Final = ("due", "lost", "unknown")


@dataclass(frozen=True, slots=True)
class Period:
    """Whole days, the first and the last included."""

    first: dt.date
    last: dt.date

    def days(self) -> list[dt.date]:
        """Return its days in order."""
        return [
            self.first + dt.timedelta(number) for number in range((self.last - self.first).days + 1)
        ]

    def before(self) -> Period:
        """Return the period of the same length before it; months before whole months."""
        day = dt.timedelta(1)
        end = self.first - day
        if self.first.day == 1 and (self.last + day).day == 1:
            months = self.last.month - self.first.month + 12 * (self.last.year - self.first.year)
            first = end.replace(day=1)
            for _ in range(months):
                first = (first - day).replace(day=1)
            return Period(first, end)
        return Period(self.first - (self.last - self.first) - day, end)

    def parts(self) -> list[tuple[str, list[int]]]:
        """Return its months, or if it touches but two, its weeks, with the numbers of their days.

        A month is named as in 2026-10, a week as in 2026-W42 (ISO 8601).
        """
        all_days = self.days()
        by_month = groupby(range(len(all_days)), lambda at: f"{all_days[at]:%Y-%m}")
        months = [(name, list(numbers)) for name, numbers in by_month]
        if len(months) > 2:
            return months
        by_week = groupby(range(len(all_days)), lambda at: f"{all_days[at]:%G-W%V}")
        return [(name, list(numbers)) for name, numbers in by_week]


class PastDays:
    """The days of a period of some schools, up to a moment."""

    def __init__(
        self,
        store: Store,
        schools: Sequence[School],
        promises: Mapping[str, Promise],
        period: Period,
        now: int,
    ) -> None:
        """Name the days.

        Args:
            store: where daily results and raw samples are.
            schools: which.
            promises: made to each school, by its id.
            period: whose days.
            now: what is later than this, ns UTC, is left out.
        """
        self.store = store
        self.schools = schools
        self.promises = promises
        self.period = period
        self.spans = {
            school.id: list(_spans(promises[school.id], period, now)) for school in schools
        }
        self._now = now

    @cached_property
    def numbers(self) -> dict[SchoolDay, int]:
        """The number in the period of each day, by the school and the day's first instant."""
        return {
            (school, span[0]): number
            for school, spans in self.spans.items()
            for number, span in spans
        }

    @cached_property
    def reach(self) -> Span:
        """From the first instant to the last, ns UTC; empty when there is no day yet."""
        spans = [span for own in self.spans.values() for _, span in own]
        if not spans:
            return self._now, self._now
        return min(span[0] for span in spans), max(span[1] for span in spans)

    @cached_property
    def summarised(self) -> set[SchoolDay]:
        """The whole days whose results are there and up to date.

        Raises:
            StoreUnavailableError: the store can't be reached.
        """
        seen = accounted_until(self.store)
        if seen is None or self.reach[0] == self.reach[1]:
            return set()
        ids = list(self.spans)
        due = {
            (school, span[0]): span[1]
            for school, spans in self.spans.items()
            for _, span in spans
            if span == self._whole(school, span[0])
        }
        right: dict[SchoolDay, int] = defaultdict(int)
        own = {school.id: {device.id for device in school.devices} for school in self.schools}
        for school, since, device, rules in days.read_rules(self.store, ids, *self.reach):
            if (until := due.get((school, since))) is None or device not in own[school]:
                continue
            right[school, since] += rules == self.promises[school].digest(device, since, until)
        late = late_days(self.schools, self.promises, late_batches(self.store, ids, seen))
        return {key for key in due if key not in late and right[key] == len(own[key[0]])}

    def _whole(self, school: str, since: int) -> Span:
        calendar = self.promises[school].calendar
        return calendar.span(calendar.day(since))

    @cached_property
    def raw(self) -> dict[Span, list[School]]:
        """The days to be judged from raw samples, and of which schools."""
        found = defaultdict[Span, list[School]](list)
        for school in self.schools:
            for _, span in self.spans[school.id]:
                if (school.id, span[0]) not in self.summarised:
                    found[span].append(school)
        return dict(sorted(found.items()))

    @cached_property
    def timelines(self) -> dict[SchoolDay, Timelines]:
        """What raw samples say of the days that are judged from them."""
        return {
            (school, span[0]): lines
            for span, schools in self.raw.items()
            for school, lines in read_timelines(self.store, schools, *span).items()
        }


def _spans(promise: Promise, period: Period, now: int) -> Iterator[tuple[int, Span]]:
    for number, day in enumerate(period.days()):
        since, until = promise.calendar.span(day)
        if since < min(until, now):  # clocks may leave out a whole day
            yield number, (since, min(until, now))


def device_times(past: PastDays) -> dict[str, dict[str, Times]]:
    """Return each device's up, down and unknown time, by school and device.

    Returns:
        For each device an array of shape (days, kinds of hours, 3).

    Raises:
        StoreUnavailableError: the store can't be reached.
    """
    shape = (len(past.period.days()), len(HOURS), 3)
    found = {
        school.id: {device.id: np.zeros(shape, np.int64) for device in school.devices}
        for school in past.schools
    }
    if past.summarised:
        for school, device, times, parts in days.read_columns(
            past.store, list(past.spans), *past.reach
        ):
            if (array := found[school].get(device)) is None:
                continue
            rows, numbers = _places(past, school, times)
            array[numbers] = parts[rows].reshape(-1, len(HOURS), 3)
    for (school, since), lines in past.timelines.items():
        number = past.numbers[school, since]
        for device, line in lines.items():
            partition = days.partition(line, device, past.promises[school])
            found[school][device][number] = [
                (time.up, time.down, time.unknown) for time in (partition[hours] for hours in HOURS)
            ]
    return found


def lesson_times(past: PastDays) -> dict[str, dict[str, Times]]:
    """Return what each room's lessons had, lost and left unknown, by school and room.

    Returns:
        For each room an array of shape (days, 3), in seats times ns.

    Raises:
        StoreUnavailableError: the store can't be reached.
    """
    shape = (len(past.period.days()), 3)
    found: dict[str, dict[str, Times]] = {
        school.id: defaultdict(lambda: np.zeros(shape, np.int64)) for school in past.schools
    }
    if past.summarised:
        query = Query(
            "daily_lessons",
            _LESSON_PARTS,
            *past.reach,
            where={"school": list(past.spans)},
            group_by=("school", "room"),
        )
        for series in past.store.query(query):
            school = series.tags["school"]
            rows, numbers = _places(past, school, series.times)
            columns = np.array([series.columns[part] for part in _LESSON_PARTS], np.float64)
            found[school][series.tags["room"]][numbers] = days.whole_ns(columns.T)[rows]
    by_id = {school.id: school for school in past.schools}
    for (school, since), lines in past.timelines.items():
        topology = Topology(by_id[school].devices)
        end = next((line.end for line in lines.values()), since + 1)
        lessons = past.promises[school].hours(Hours.LESSONS, since, end)
        for loss in room_losses(topology, by_id[school].rooms(), lines, lessons):
            found[school][loss.room.id][past.numbers[school, since]] = (
                loss.due,
                loss.lost,
                loss.unknown,
            )
    return {school: dict(rooms) for school, rooms in found.items()}


def line_days(past: PastDays) -> dict[str, list[LineDay]]:
    """Return the days of each school's line to the internet, in order.

    Raises:
        StoreUnavailableError: the store can't be reached.
    """
    found: dict[SchoolDay, LineDay] = {}
    if past.summarised:
        for school, day in bandwidth.read_days(past.store, list(past.spans), *past.reach):
            if (school, day.start) in past.summarised:
                found[school, day.start] = day
    for span, schools in past.raw.items():
        measured = bandwidth.measure(past.store, schools, past.promises, *span)
        found |= {(school, span[0]): day for school, day in measured.items()}
    return {
        school: [found[school, span[0]] for _, span in spans if (school, span[0]) in found]
        for school, spans in past.spans.items()
    }


def room_days(past: PastDays) -> dict[str, list[RoomDay]]:
    """Return the days of each school's classrooms, in order of day and room.

    Raises:
        StoreUnavailableError: the store can't be reached.
    """
    found: dict[str, list[RoomDay]] = {school: [] for school in past.spans}
    if past.summarised:
        for school, day in devices.read_days(past.store, list(past.spans), *past.reach):
            if (school, day.start) in past.summarised:
                found[school].append(day)
    for span, schools in past.raw.items():
        lines = {school.id: past.timelines[school.id, span[0]] for school in schools}
        measured = devices.measure(past.store, schools, past.promises, lines, span)
        for school, rooms in measured.items():
            found[school] += rooms
    return {
        school: sorted(rooms, key=lambda day: (day.start, day.room))
        for school, rooms in found.items()
    }


def _places(past: PastDays, school: str, times: Sequence[int]) -> tuple[list[int], list[int]]:
    """Return which rows count, and the numbers of their days."""
    kept = [
        (row, past.numbers[school, time])
        for row, time in enumerate(times)
        if (school, time) in past.summarised
    ]
    return [row for row, _ in kept], [number for _, number in kept]
