"""Checks schools against their targets: the one answer that all of Campuswatch gives."""

from __future__ import annotations

import difflib
from collections.abc import Collection, Sequence
from typing import Final

from campuswatch.calendar import DAY, SchoolCalendar
from campuswatch.errors import UserError
from campuswatch.inventory.models import Inventory, School, Target, UptimeTarget
from campuswatch.stores.base import Store
from targets import uptime_target
from targets.evidence import Evidence, gather
from targets.verdicts import CoverageVerdict, SchoolVerdict, UptimeVerdict, worst
from targets.wifi import coverage

_SHORTEST_LOOK: Final = DAY
"""How far to look back for the beginning of an outage when no target asks for more, in ns."""


def check(
    inventory: Inventory, store: Store, now: int, schools: Collection[str] | None = None
) -> list[SchoolVerdict]:
    """Check schools against every target that applies to them.

    Args:
        inventory: the district.
        store: where its readings are.
        now: the moment to judge, ns UTC; later readings are left out.
        schools: ids of the schools to check; None for all.

    Raises:
        UserError: there is no such school.
        StoreUnavailableError: the store can't be reached.
    """
    chosen = choose(inventory, schools)
    return [check_school(inventory, school, store, now) for school in chosen]


def choose(inventory: Inventory, schools: Collection[str] | None) -> list[School]:
    """Return the schools of these ids, in the inventory's order; all for None.

    Raises:
        UserError: there is no such school.
    """
    if schools is None:
        return inventory.schools
    known = [school.id for school in inventory.schools]
    for school_id in schools:
        if school_id not in known:
            near = difflib.get_close_matches(school_id, known, 1)
            expected = near[0] if near else f"one of {', '.join(known)}"
            raise UserError(f"no school {school_id!r} in the inventory; expected {expected}")
    return [school for school in inventory.schools if school.id in schools]


def check_school(inventory: Inventory, school: School, store: Store, now: int) -> SchoolVerdict:
    """Check one school; arguments and errors as in `check`."""
    targets = [target for target in inventory.district.targets if target.schools.matches(school)]
    evidence = gather(store, school, now - _look(targets), now)
    calendar = SchoolCalendar.of(inventory, school)
    judged = [_judge(target, evidence, calendar) for target in targets]
    verdicts = tuple(verdict for verdict in judged if verdict is not None)
    return SchoolVerdict(
        id=school.id,
        name=school.name,
        area=school.area,
        verdict=worst([verdict.verdict for verdict in verdicts]),
        targets=verdicts,
    )


def _look(targets: Sequence[Target]) -> int:
    """Return how far back the targets look, in ns."""
    windows = [
        uptime_target.window_length(target)
        for target in targets
        if isinstance(target, UptimeTarget)
    ]
    return max([_SHORTEST_LOOK, *windows])


def _judge(
    target: Target, evidence: Evidence, calendar: SchoolCalendar
) -> UptimeVerdict | CoverageVerdict | None:
    if isinstance(target, UptimeTarget):
        return uptime_target.judge(target, evidence, calendar)
    return coverage.judge(target, evidence)
