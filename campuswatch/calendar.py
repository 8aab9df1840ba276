"""When a school teaches: its school days, service hours and lessons as exact UTC time.

A clock time is taken at its word: service "from 07:00 to 18:00" is every
instant of a school day at which the school's clocks show at least 07:00 and
less than 18:00. On the days when the clocks change, hours that are skipped
therefore count nothing and hours that are repeated count twice.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import Final
from zoneinfo import ZoneInfo

import holidays

from campuswatch.intervals import IntervalSet, Span
from campuswatch.inventory.models import Calendar, Inventory, Period, School

SECOND: Final = 1_000_000_000
DAY: Final = 86_400 * SECOND
_WEEKDAYS: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_EPOCH: Final = dt.date(1970, 1, 1).toordinal()


class SchoolCalendar:
    """The service calendar of one school.

    A school day lies in a term (without any terms: whenever), is not closed,
    and is either an extra day or a taught weekday that is no public holiday.
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
        """Return whether the school teaches on `day`, a date of its own zone."""
        if day in self._closed or not self._in_term(day):
            return False
        return day in self._extra or self._is_working_day(day)

    def service(self, start: int, end: int) -> IntervalSet:
        """Return the service hours of the school days within [start, end), ns UTC."""
        return self._times([self._calendar.service_hours], start, end)

    def lessons(self, start: int, end: int) -> IntervalSet:
        """Return the lessons of the school days within [start, end), ns UTC."""
        return self._times(self._calendar.lessons, start, end)

    def _in_term(self, day: dt.date) -> bool:
        terms = self._calendar.terms
        return not terms or any(term.start <= day <= term.end for term in terms)

    def _is_working_day(self, day: dt.date) -> bool:
        free = self._holidays is not None and day in self._holidays
        return not free and _WEEKDAYS[day.weekday()] in self._calendar.weekdays

    def _times(self, periods: Sequence[Period], start: int, end: int) -> IntervalSet:
        return IntervalSet.of(
            (max(begin, since), min(finish, until))
            for since, until, offset in _constant_offsets(self._zone, start, end)
            for midnight in self._midnights(since + offset, until + offset)
            for begin, finish in _clock_spans(periods, midnight - offset)
        )

    def _midnights(self, start: int, end: int) -> Iterator[int]:
        """Yield the midnight of each school day that [start, end) touches, in local ns."""
        for number in range(start // DAY, -(-end // DAY)):
            if self.is_school_day(dt.date.fromordinal(_EPOCH + number)):
                yield number * DAY


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
    moment = dt.datetime.fromtimestamp(instant // SECOND, zone)
    offset = moment.utcoffset()
    assert offset is not None
    return round(offset.total_seconds())


@lru_cache
def _public_holidays(country: str, subdivision: str | None) -> holidays.HolidayBase:
    """Return the holidays of a place; years are added as they are asked for."""
    return holidays.country_holidays(country, subdiv=subdivision)
