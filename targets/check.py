"""Checks schools against their targets: the one answer that all of Campuswatch gives."""

from __future__ import annotations

import datetime as dt
import difflib
from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import Final

from campuswatch.errors import UserError
from campuswatch.inventory.models import (
    BandwidthTarget,
    Device,
    Hours,
    Inventory,
    School,
    Target,
    UptimeTarget,
)
from campuswatch.stores.base import Store
from targets import bandwidth_target, uptime_target
from targets.availability import read_timelines
from targets.error_budget import LOOKS
from targets.evidence import Evidence, gather
from targets.history import ReadRaw
from targets.left_on import left_on
from targets.lessons import lesson_time, room_losses
from targets.promise import Promise, window_of
from targets.verdicts import AnyVerdict, DeviceRef, LessonTime, SchoolVerdict, worst
from targets.wifi import coverage

LESSONS_WINDOW: Final = dt.timedelta(days=7)
"""Over how many days, today included, lesson time lost is told."""

BATCH_DEVICES: Final = 2_000
"""From so many devices on, the next school is asked for with the next batch."""


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
    return [
        verdict
        for batch in batches(choose(inventory, schools))
        for verdict in check_schools(inventory, batch, store, now)
    ]


def batches(schools: Iterable[School]) -> Iterator[list[School]]:
    """Yield schools in groups that are quickly asked for together, and fit in memory."""
    batch: list[School] = []
    for school in schools:
        batch.append(school)
        if sum(len(one.devices) for one in batch) >= BATCH_DEVICES:
            yield batch
            batch = []
    if batch:
        yield batch


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


def check_schools(
    inventory: Inventory,
    schools: Sequence[School],
    store: Store,
    now: int,
    *,
    read_raw: ReadRaw = read_timelines,
) -> list[SchoolVerdict]:
    """Check some schools, at least one, together; arguments and errors as in `check`.

    `read_raw` reads what is not summarised.
    """
    promises = {school.id: Promise.of(inventory, school) for school in schools}
    start = min(_look(inventory, school, promises[school.id], now) for school in schools)
    evidence = gather(store, schools, promises, start, now, read_raw=read_raw)
    lit = left_on(inventory, store, now, schools)
    return [
        _verdict(inventory, evidence[school.id], promises[school.id], lit.get(school.id, []))
        for school in schools
    ]


def _look(inventory: Inventory, school: School, promise: Promise, now: int) -> int:
    """Return from when on a school's targets ask, ns UTC."""
    starts = [
        window_of(target, promise.calendar, now)[0]
        for target in applying(inventory, school)
        if isinstance(target, UptimeTarget)
    ]
    return min(now - LOOKS[-1], _lessons_start(promise, now), *starts)


def applying(inventory: Inventory, school: School) -> list[Target]:
    """Return the targets that apply to a school."""
    return [target for target in inventory.district.targets if target.schools.matches(school)]


def _verdict(
    inventory: Inventory, evidence: Evidence, promise: Promise, lit: Sequence[Device]
) -> SchoolVerdict:
    school = evidence.school
    judged = [_judge(target, evidence, promise) for target in applying(inventory, school)]
    verdicts = tuple(verdict for verdict in judged if verdict is not None)
    return SchoolVerdict(
        id=school.id,
        name=school.name,
        area=school.area,
        verdict=worst([verdict.verdict for verdict in verdicts]),
        lessons=_lessons(evidence, promise, _lessons_start(promise, evidence.now)),
        lessons_today=_lessons(evidence, promise, _midnight(promise, evidence.now)),
        left_on=tuple(map(DeviceRef.of, lit)),
        targets=verdicts,
    )


def _lessons(evidence: Evidence, promise: Promise, start: int) -> LessonTime:
    lessons = promise.hours(Hours.LESSONS, start, evidence.now)
    rooms = evidence.school.rooms()
    losses = room_losses(evidence.topology, rooms, evidence.timelines, lessons)
    return lesson_time(losses, evidence.topology, start, evidence.now)


def _lessons_start(promise: Promise, now: int) -> int:
    first = promise.calendar.day(now) - LESSONS_WINDOW + dt.timedelta(1)
    return promise.calendar.midnight(first)


def _midnight(promise: Promise, now: int) -> int:
    return promise.calendar.midnight(promise.calendar.day(now))


def _judge(target: Target, evidence: Evidence, promise: Promise) -> AnyVerdict | None:
    if isinstance(target, UptimeTarget):
        return uptime_target.judge(target, evidence, promise)
    if isinstance(target, BandwidthTarget):
        return bandwidth_target.judge(target, evidence.school, evidence.line_speed)
    return coverage.judge(target, evidence)
