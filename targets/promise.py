"""When each device of a school is promised to be up."""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Mapping, Sequence
from functools import lru_cache
from zoneinfo import ZoneInfo

from campuswatch.calendar import SchoolCalendar
from campuswatch.intervals import NOTHING, IntervalSet
from campuswatch.inventory.models import (
    CalendarWindow,
    Hours,
    Inventory,
    MaintenanceWindow,
    School,
    UptimeTarget,
)
from campuswatch.maintenance import open_times
from targets.topology import Topology


class Promise:
    """The hours and the maintenance of one school's devices.

    Attributes:
        calendar: the school's.
    """

    def __init__(
        self,
        calendar: SchoolCalendar,
        zone: ZoneInfo,
        maintenance: Mapping[str, Sequence[MaintenanceWindow]],
    ) -> None:
        """Make the promise.

        Args:
            calendar: the school's.
            zone: of the clock times of maintenance windows.
            maintenance: for a device the windows in which it, or what it hangs
                on, is maintained; none when missing.
        """
        self.calendar = calendar
        self._zone = zone
        self._maintenance = maintenance
        self._hours = lru_cache(maxsize=64)(self._uncached_hours)
        self._digest = lru_cache(maxsize=512)(self._uncached_digest)

    @classmethod
    def of(cls, inventory: Inventory, school: School) -> Promise:
        """Return the promise made to a school of an inventory."""
        own = {
            device.id: [window for window in inventory.maintenance if window.covers(school, device)]
            for device in school.devices
        }
        topology = Topology(school.devices)
        felt = {
            device: list(
                {window.id: window for hop in topology.path(device) for window in own[hop]}.values()
            )
            for device in own
        }
        return cls(
            SchoolCalendar.of(inventory, school),
            inventory.zone_of(school),
            {device: windows for device, windows in felt.items() if windows},
        )

    def hours(self, hours: Hours, start: int, end: int) -> IntervalSet:
        """Return the time of [start, end), ns UTC, that counts before maintenance."""
        return self._hours(hours, start, end)

    def due(self, hours: Hours, device: str, start: int, end: int) -> IntervalSet:
        """Return when in [start, end), ns UTC, a device is promised to be up."""
        due = self._hours(hours, start, end)
        if device not in self._maintenance:
            return due
        return due - self.maintenance(device, start, end)

    def maintenance(self, device: str, start: int, end: int) -> IntervalSet:
        """Return when in [start, end), ns UTC, a device or what it hangs on is maintained."""
        found = NOTHING
        for window in self._maintenance.get(device, ()):
            found |= open_times(window, self._zone, start, end)
        return found

    def digest(self, device: str, start: int, end: int) -> str:
        """Return a short text that changes when what is promised in [start, end) does."""
        return self._digest(self.maintenance(device, start, end), start, end)

    def _uncached_digest(self, maintenance: IntervalSet, start: int, end: int) -> str:
        promised = (
            self._hours(Hours.SERVICE, start, end).spans,
            self._hours(Hours.LESSONS, start, end).spans,
            maintenance.spans,
        )
        return hashlib.blake2b(repr(promised).encode(), digest_size=8).hexdigest()

    def _uncached_hours(self, hours: Hours, start: int, end: int) -> IntervalSet:
        match hours:
            case Hours.SERVICE:
                return self.calendar.service(start, end)
            case Hours.LESSONS:
                return self.calendar.lessons(start, end)
            case Hours.ALWAYS:
                return IntervalSet.of([(start, end)])


def window_of(target: UptimeTarget, calendar: SchoolCalendar, now: int) -> tuple[int, int]:
    """Return the window that a target is judged over at a moment, ns UTC.

    It is made of whole days of the school. So many days end with today; a
    month or a term may end in the future. Between two terms it is the one
    before; before the first, and without any, it is the month.
    """
    today = calendar.day(now)
    if isinstance(target.window, dt.timedelta):
        first, last = today - target.window + dt.timedelta(1), today
    elif target.window is CalendarWindow.TERM and (term := calendar.latest_term(today)) is not None:
        first, last = term.start, term.end
    else:
        first = today.replace(day=1)
        last = (first + dt.timedelta(31)).replace(day=1) - dt.timedelta(1)
    return calendar.midnight(first), calendar.midnight(last + dt.timedelta(1))
