"""How schools stand, as readings for dashboards and alerts."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from campuswatch.measurements import CATALOGUE
from campuswatch.readings import FieldValue, Reading
from targets.error_budget import LOOKS
from targets.verdicts import AnyVerdict, SchoolVerdict, UptimeVerdict, Verdict

_VERDICTS: Final = {Verdict.MET: 0, Verdict.MISSED: 1, Verdict.CANNOT_TELL: 2}
_BURN_FIELDS: Final = dict(zip(LOOKS, ("burn_1h", "burn_6h", "burn_3d"), strict=True))


def readings(school: SchoolVerdict, now: int) -> Iterator[Reading]:
    """Yield how a school stands at the time of a check, ns UTC."""
    for target in school.targets:
        row = CATALOGUE["target_status"].reading({"target": target.id}, _fields(target), now)
        yield _of(school, row)
    today = school.lessons_today
    row = CATALOGUE["lesson_time_lost"].reading(
        {},
        {
            "due": today.due / 1e9,
            "lost": today.lost / 1e9,
            "unknown": today.unknown / 1e9,
            "share": 100 * today.lost / today.due if today.due else None,
        },
        now,
    )
    yield _of(school, row)


def _of(school: SchoolVerdict, row: Reading) -> Reading:
    return Reading(row.measurement, {**row.tags, "school": school.id}, row.fields, row.time)


def _fields(target: AnyVerdict) -> dict[str, FieldValue | None]:
    fields: dict[str, FieldValue | None] = {
        "verdict": _VERDICTS[target.verdict],
        "objective": target.objective,
        "attained": target.share.attained,
        "low": target.share.low,
        "high": target.share.high,
    }
    if isinstance(target, UptimeVerdict):
        budget = target.budget
        fields |= {"budget": budget.total / 1e9, "budget_left": budget.left}
        fields |= {_BURN_FIELDS[burn.over]: burn.rate for burn in budget.burn_rates}
    return fields
