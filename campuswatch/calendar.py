"""When a school teaches: its school days, service hours and lessons as exact UTC time.

A clock time is taken at its word: service "from 07:00 to 18:00" is every
instant of a school day at which the school's clocks show at least 07:00 and
less than 18:00. On the days when the clocks change, hours that are skipped
therefore count nothing and hours that are repeated count twice.

A day begins at the first instant that the clocks call by its date, and ends
where the next one begins, so that days leave out nothing and share nothing.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache
from typing import Final
from zoneinfo import ZoneInfo

import holidays

from campuswatch.intervals import IntervalSet, Span
from campuswatch.inventory.models import Calendar, Exam, Inventory, Period, School, Term

SECOND: Final = 1_000_000_000
DAY: Final = 86_400 * SECOND
_WEEKDAYS: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_EPOCH: Final = dt.date(1970, 1, 1).toordinal()


class SchoolCalendar:
    """The service calendar of one school.

    A school day lies in a term (without any terms: whenever), is not closed,
    and is either an extra day or a taught weekday that is no public holiday.
    The days of an exam are school days too, wherever they lie.
    """

    def __init__(
        self, calendar: Calendar, zone: ZoneInfo, country: str, subdivision: str | None = None
    ) -> None:
        """Make the calendar of a place.

        Args:
            calendar: terms, weekdays, exceptions and hours.
            zone: the school's time zone.
            country: ISO 3166-1 alpha-2, for the public holidays.
            subdivision: as the `holidays` package names it.

        Raises:
            NotImplementedError: public holidays count, and the `holidays`
                package does not know the country or the subdivision.
        """
        self._calendar = calendar
        self._zone = zone
        self._extra = frozenset(calendar.extra_days)
        self._closed = frozenset(calendar.closed_days)
        self._holidays = (
            _public_holidays(country, subdivision) if calendar.public_holidays else None
        )

    @classmethod
    def of(cls, inventory: Inventory, school: School) -> SchoolCalendar:
        """Return the calendar that `school` names.

        Raises:
            KeyError: there is no such calendar.
            NotImplementedError: as when made directly.
        """
        calendars = {calendar.id: calendar for calendar in inventory.calendars}
        district = inventory.district
        return cls(
            calendars[school.calendar],
            inventory.zone_of(school),
            district.country,
            district.subdivision,
        )

    def is_school_day(self, day: dt.date) -> bool:
        """Return whether the school teaches, or examines, on `day`, a date of its own zone."""
        if day in self._closed:
            return False
        if self.is_exam_day(day):
            return True
        return self._in_term(day) and (day in self._extra or self._is_working_day(day))

    def is_exam_day(self, day: dt.date) -> bool:
        """Return whether there is an exam on `day`, a date of the school's own zone."""
        return self._exam(day) is not None

    def is_exam(self, instant: int) -> bool:
        """Return whether `instant` (ns UTC) lies in the service hours of an exam day."""
        return bool(self.exams(instant, instant + 1))

    def service(self, start: int, end: int) -> IntervalSet:
        """Return the service hours of the school days within [start, end), ns UTC."""
        return self._times(self._service_of, start, end)

    def lessons(self, start: int, end: int) -> IntervalSet:
        """Return the lessons of the school days within [start, end), ns UTC.

        On an exam day that has sessions, these are its lessons.
        """
        return self._times(self._lessons_of, start, end)

    def exams(self, start: int, end: int) -> IntervalSet:
        """Return the service hours of the exam days within [start, end), ns UTC."""
        return self._times(
            lambda day: self._service_of(day) if self.is_exam_day(day) else (), start, end
        )

    def term(self, day: dt.date) -> Term | None:
        """Return the term that `day` lies in; between two terms, None."""
        return next((term for term in self._calendar.terms if term.start <= day <= term.end), None)

    def latest_term(self, day: dt.date) -> Term | None:
        """Return the term that `day` lies in, or the last before it; None before the first."""
        begun = [term for term in self._calendar.terms if term.start <= day]
        return max(begun, key=lambda term: term.start, default=None)

    def day(self, instant: int) -> dt.date:
        """Return the date on the school's clocks at `instant`, ns UTC."""
        return _clock(self._zone, instant).date()

    def midnight(self, day: dt.date) -> int:
        """Return the first instant of a date, ns UTC."""
        return first_instant(dt.datetime.combine(day, dt.time()), self._zone)

    def span(self, day: dt.date) -> Span:
        """Return a day's first instant and that of the next day, ns UTC."""
        return self.midnight(day), self.midnight(day + dt.timedelta(1))

    def _exam(self, day: dt.date) -> Exam | None:
        return next((exam for exam in self._calendar.exams if exam.start <= day <= exam.end), None)

    def _service_of(self, day: dt.date) -> Sequence[Period]:
        exam = self._exam(day)
        return [self._calendar.service_hours, *(exam.sessions if exam is not None else ())]

    def _lessons_of(self, day: dt.date) -> Sequence[Period]:
        exam = self._exam(day)
        return self._calendar.lessons if exam is None or not exam.sessions else exam.sessions

    def _in_term(self, day: dt.date) -> bool:
        return not self._calendar.terms or self.term(day) is not None

    def _is_working_day(self, day: dt.date) -> bool:
        free = self._holidays is not None and day in self._holidays
        return not free and _WEEKDAYS[day.weekday()] in self._calendar.weekdays

    def _times(
        self, periods: Callable[[dt.date], Sequence[Period]], start: int, end: int
    ) -> IntervalSet:
        return IntervalSet.of(
            (max(begin, since), min(finish, until))
            for since, until, offset in _constant_offsets(self._zone, start, end)
            for day, midnight in self._school_days(since + offset, until + offset)
            for begin, finish in _clock_spans(periods(day), midnight - offset)
        )

    def _school_days(self, start: int, end: int) -> Iterator[tuple[dt.date, int]]:
        """Yield each school day that [start, end) touches and its midnight, in local ns."""
        for number in range(start // DAY, -(-end // DAY)):
            day = dt.date.fromordinal(_EPOCH + number)
            if self.is_school_day(day):
                yield day, number * DAY


def first_instant(clock: dt.datetime, zone: ZoneInfo) -> int:
    """Return when the clocks of a zone first show a time, ns UTC.

    A time that is skipped when the clocks go forward is taken as if they had
    not yet (RFC 5545 section 3.3.5), so that a midnight which is skipped is
    the instant of the change.

    Args:
        clock: the time that the clocks show, without a zone.
        zone: whose clocks.
    """
    return round(clock.replace(tzinfo=zone, fold=0).timestamp()) * SECOND


def _clock_spans(periods: Sequence[Period], midnight: int) -> Iterator[Span]:
    for period in periods:
        yield midnight + _since_midnight(period.start), midnight + _since_midnight(period.end)


def _since_midnight(time: dt.time) -> int:
    seconds = (time.hour * 60 + time.minute) * 60 + time.second
    return seconds * SECOND + time.microsecond * 1000


def _constant_offsets(zone: ZoneInfo, start: int, end: int) -> Iterator[tuple[int, int, int]]:
    """Cut [start, end) wherever the zone's offset from UTC changes.

    The time zone database lists changes to the second, and none of its zones
    changes twice within a day, so a change is found by halving a day.

    Yields:
        start and end of a piece and the offset that holds in it, all in ns.
    """
    while start < end:
        offset = _offset(zone, start)
        until = min(start + DAY, end)
        if _offset(zone, until - 1) != offset:
            until = _first_change(zone, start, until - 1)
        yield start, until, offset * SECOND
        start = until


def _first_change(zone: ZoneInfo, before: int, after: int) -> int:
    """Return the ns at which the offset stops being what it is at `before`."""
    first, last = before // SECOND, after // SECOND
    offset = _offset(zone, before)
    while last - first > 1:
        middle = (first + last) // 2
        if _offset(zone, middle * SECOND) == offset:
            first = middle
        else:
            last = middle
    return last * SECOND


def _offset(zone: ZoneInfo, instant: int) -> int:
    """Return the zone's offset from UTC at `instant` (ns), in seconds."""
    offset = _clock(zone, instant).utcoffset()
    assert offset is not None
    return round(offset.total_seconds())


def _clock(zone: ZoneInfo, instant: int) -> dt.datetime:
    return dt.datetime.fromtimestamp(instant // SECOND, zone)


@lru_cache
def _public_holidays(country: str, subdivision: str | None) -> holidays.HolidayBase:
    """Return the holidays of a place; years are added as they are asked for."""
    return holidays.country_holidays(country, subdiv=subdivision)
