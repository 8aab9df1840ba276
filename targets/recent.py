"""Reads the raw samples of today again and again, and only the newest of them each time."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from campuswatch.calendar import SECOND
from campuswatch.inventory.models import School
from campuswatch.stores.base import Store
from targets.availability import Timelines, read_timelines
from targets.late import GATHERED
from targets.uptime import joined

OVERLAP: Final = 600 * SECOND
"""The newest part of what was read is read again, because samples come out of order; ns."""


class Recent:
    """What was read of each school, up to a while ago; `read` is a `targets.history.ReadRaw`."""

    def __init__(self) -> None:
        self._known: dict[str, Timelines] = {}

    def read(
        self, store: Store, schools: Sequence[School], start: int, end: int
    ) -> dict[str, Timelines]:
        """Return the timelines of schools over [start, end), ns UTC.

        Raises:
            StoreUnavailableError: the store can't be reached.
        """
        found: dict[str, Timelines] = {}
        for since, alike in self._by_beginning(schools, start, end).items():
            fresh = read_timelines(store, alike, since, end)
            for school, lines in fresh.items():
                known = self._known[school] if since > start else {}
                found[school] = {
                    device: joined([known[device], line]) if known else line
                    for device, line in lines.items()
                }
        for school, lines in found.items():
            if end - OVERLAP > start:
                self._known[school] = {
                    device: line.before(end - OVERLAP) for device, line in lines.items()
                }
        return found

    def forget(self, batches: Mapping[str, Iterable[int]]) -> None:
        """Forget what is known of schools of which batches came late, made at these times."""
        for school, made in batches.items():
            line = next(iter(self._known.get(school, {}).values()), None)
            if line is not None and min(made, default=line.end) - GATHERED < line.end:
                del self._known[school]

    def _by_beginning(
        self, schools: Sequence[School], start: int, end: int
    ) -> dict[int, list[School]]:
        """Return from when on each school has to be read."""
        beginnings = defaultdict[int, list[School]](list)
        for school in schools:
            line = next(iter(self._known.get(school.id, {}).values()), None)
            fits = line is not None and line.start == start and line.end < end
            beginnings[line.end if line is not None and fits else start].append(school)
        return beginnings
