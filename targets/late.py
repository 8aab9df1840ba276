"""Which days have to be summarised anew because readings of them came late.

The collector's ledger says of every batch when it was made and when it was
stored. A batch holds what was read just before it was made, so one that was
made on a day and stored after that day had been summarised changes its result,
and that of the day after if a sample of the one still holds in the other.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from typing import Final

from campuswatch.calendar import SECOND
from campuswatch.inventory.models import School
from campuswatch.stores.base import Aggregate, Query, Store
from targets.availability import reach_of
from targets.promise import Promise

GATHERED: Final = 120 * SECOND
"""How long before its batch was made a reading may have been taken, ns."""

_LINGERED: Final = 3600 * SECOND
"""How long a batch may lie in a collector while the store takes others, ns."""

_CLOCKS: Final = 60 * SECOND
"""How far the clocks of a collector and of who asks may be apart, ns."""

_EVER: Final = 2**62

SchoolDay = tuple[str, int]
"""A school's id and the first instant of one of its days, ns UTC."""


def accounted_until(store: Store) -> int | None:
    """Return until when all that was stored is in the daily results, ns UTC.

    None when nobody summarises days.

    Raises:
        StoreUnavailableError: the store can't be reached.
    """
    for series in store.query(Query("targets", ("seen",), 0, _EVER, aggregate=Aggregate.LAST)):
        for seen in series.columns["seen"]:
            if isinstance(seen, int | float):
                return round(seen * SECOND)
    return None


def late_batches(store: Store, schools: Sequence[str], since: int) -> dict[str, set[int]]:
    """Return when the batches were made that were stored since a time, by school; ns UTC.

    Raises:
        StoreUnavailableError: the store can't be reached.
    """
    query = Query(
        "delivery",
        ("created", "delay"),
        since - _LINGERED,
        _EVER,
        where={"school": schools},
        group_by=("school",),
    )
    return {
        series.tags["school"]: {
            round(created * SECOND)
            for created, delay in zip(
                series.columns["created"], series.columns["delay"], strict=True
            )
            if isinstance(created, float)
            and isinstance(delay, float)
            and (created + delay) * SECOND > since - _CLOCKS
        }
        for series in store.query(query)
    }


def days_of(school: School, promise: Promise, batches: Iterable[int]) -> set[int]:
    """Return the days whose result batches may change, by their first instants, ns UTC.

    Args:
        school: whose.
        promise: made to it.
        batches: when they were made, ns UTC.
    """
    reach = reach_of(school)
    return {
        day for created in batches for day in _days(promise, created - GATHERED, created + reach)
    }


def _days(promise: Promise, start: int, end: int) -> list[int]:
    """Return the beginnings of the days that [start, end] touches, ns UTC."""
    first, last = promise.calendar.day(start), promise.calendar.day(end)
    return [
        promise.calendar.midnight(first + dt.timedelta(number))
        for number in range((last - first).days + 1)
    ]
