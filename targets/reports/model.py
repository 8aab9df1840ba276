"""What reports have in common: their JSON form, and how schools are gone through.

In JSON, dates are ISO 8601, instants RFC 3339 in UTC, durations seconds, rates
Mbit/s and shares percent. Keys are added over time, and never renamed or given
another meaning.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from pydantic import BaseModel, ConfigDict

from campuswatch.inventory.models import Area, Inventory, School
from campuswatch.stores.base import Store
from targets.period import PastDays, Period
from targets.promise import Promise
from targets.verdicts import Instant

DEVICE_DAYS: Final = 250_000
"""With so many daily results, the next school is asked for with the next batch."""


class Part(BaseModel):
    """Base of everything in a report."""

    model_config = ConfigDict(frozen=True)


class SchoolPart(Part):
    """A school in a report."""

    id: str
    name: str
    area: Area


class Report(Part):
    """What every report begins with.

    Attributes:
        district: the district's name.
        first: the first day.
        last: the last day, which is part of it.
        until: what is later than this is left out: the period's end, or the
            time of the report.
    """

    district: str
    first: dt.date
    last: dt.date
    until: Instant


@dataclass(frozen=True)
class Task:
    """What a report is made of.

    Attributes:
        inventory: the district.
        store: where its readings and daily results are.
        schools: which schools.
        period: over which days.
        now: the time of the report, ns UTC; later readings are left out.
    """

    inventory: Inventory
    store: Store
    schools: Sequence[School]
    period: Period
    now: int

    def heading(self) -> dict[str, object]:
        """Return the fields of `Report`."""
        ends = [
            Promise.of(self.inventory, school).calendar.span(self.period.last)[1]
            for school in self.schools
        ]
        return {
            "district": self.inventory.district.name,
            "first": self.period.first,
            "last": self.period.last,
            "until": min([self.now, *ends]),
        }

    def past(self, schools: Sequence[School], period: Period | None = None) -> PastDays:
        """Return the days of some of the schools, in the report's period or another."""
        promises = {school.id: Promise.of(self.inventory, school) for school in schools}
        return PastDays(self.store, schools, promises, period or self.period, self.now)

    def batches(self, seen: Iterable[School] | None = None) -> Iterator[list[School]]:
        """Yield the schools in groups that are quickly asked for together, and fit in memory.

        Args:
            seen: the schools, when who goes through them wants to be told.
        """
        days = len(self.period.days())
        batch: list[School] = []
        size = 0
        for school in self.schools if seen is None else seen:
            batch.append(school)
            size += days * max(1, len(school.devices))
            if size >= DEVICE_DAYS:
                yield batch
                batch, size = [], 0
        if batch:
            yield batch


def percent(part: int, whole: int) -> float | None:
    """Return a share in percent; None of nothing."""
    return 100 * part / whole if whole else None
