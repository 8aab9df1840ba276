"""Projectors that shine when nobody needs them: on outside the service hours."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from campuswatch.calendar import SECOND, SchoolCalendar
from campuswatch.inventory.models import Device, Inventory, School
from campuswatch.stores.base import Aggregate, Query, Store

CURRENT: Final = 15 * 60 * SECOND
"""How old a reading may be to speak of now, in ns."""

LIT: Final = frozenset({1, 3})
"""States of `projector.power` in which the lamp burns: on and warming."""


def left_on(
    inventory: Inventory, store: Store, now: int, schools: Sequence[School]
) -> dict[str, list[Device]]:
    """Return the projectors and displays that were left on, by the id of their school.

    One that has not been heard of for 15 minutes is not among them.

    Args:
        inventory: the district.
        store: where its readings are.
        now: the moment to judge, ns UTC.
        schools: of the district.

    Raises:
        StoreUnavailableError: the store can't be reached.
    """
    closed = [school for school in schools if not _in_service(inventory, school, now)]
    if not closed:
        return {}
    query = Query(
        "projector",
        ("power",),
        now - CURRENT,
        now,
        where={"school": [school.id for school in closed]},
        group_by=("school", "device"),
        aggregate=Aggregate.LAST,
    )
    lit = {
        (series.tags["school"], series.tags["device"])
        for series in store.query(query)
        if series.columns["power"][-1] in LIT
    }
    return {
        school.id: [device for device in school.devices if (school.id, device.id) in lit]
        for school in closed
    }


def _in_service(inventory: Inventory, school: School, now: int) -> bool:
    return bool(SchoolCalendar.of(inventory, school).service(now, now + 1))
