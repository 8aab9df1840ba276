"""When a maintenance window is open, as exact UTC time."""

from __future__ import annotations

import datetime as dt
from zoneinfo import ZoneInfo

from campuswatch.calendar import SECOND, first_instant
from campuswatch.intervals import IntervalSet
from campuswatch.inventory.models import MaintenanceWindow, recurrence

_OFFSETS = dt.timedelta(days=1)
"""Clocks differ from UTC by less."""


def open_times(window: MaintenanceWindow, zone: ZoneInfo, start: int, end: int) -> IntervalSet:
    """Return when a maintenance window is open within [start, end), ns UTC.

    It begins at a clock time of the school, and lasts for its exact duration
    even when the clocks change meanwhile (RFC 5545 section 3.8.2.5).
    """
    length = round(window.duration.total_seconds()) * SECOND
    opened = (first_instant(clock, zone) for clock in _clock_times(window, start, end))
    within = IntervalSet.of([(start, end)])
    return IntervalSet.of((begin, begin + length) for begin in opened) & within


def _clock_times(window: MaintenanceWindow, start: int, end: int) -> list[dt.datetime]:
    """Return the clock times at which it may open so that it is open in [start, end)."""
    if window.repeat is None:
        return [window.start]
    first = _utc(start) - window.duration - _OFFSETS
    return list(recurrence(window.repeat, window.start).between(first, _utc(end) + _OFFSETS))


def _utc(instant: int) -> dt.datetime:
    return dt.datetime.fromtimestamp(instant // SECOND, dt.UTC).replace(tzinfo=None)
