"""Error budgets and how fast they are spent.

The terms are those of the Site Reliability Workbook (Beyer et al., 2018),
chapter 5: a burn rate of 1 spends the budget in exactly the window.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from campuswatch.calendar import SECOND
from campuswatch.intervals import IntervalSet
from targets.uptime import Uptime
from targets.verdicts import BurnRate, ErrorBudget

_HOUR: Final = 3600 * SECOND
LOOKS: Final = (_HOUR, 6 * _HOUR, 72 * _HOUR)
"""Over which times before the check burn rates are taken, ns."""


def allowance(objective: float, due: int) -> int:
    """Return how much of the time due (ns) may fail for an objective in percent."""
    return round(due * (100 - objective) / 100)


def burn_rate(objective: float, time: Uptime, over: int) -> BurnRate:
    """Return how fast the budget of an objective (percent) was spent.

    Args:
        objective: in percent.
        time: the partition of the time looked at.
        over: its length, ns.
    """
    allowed = (100 - objective) / 100
    if not time.counted or not allowed:
        return BurnRate(over=over)
    known = time.up + time.down
    return BurnRate(
        over=over,
        rate=time.down / known / allowed if known else None,
        low=time.down / time.counted / allowed,
        high=(time.down + time.unknown) / time.counted / allowed,
    )


def error_budget(
    objective: float,
    spent: Uptime,
    *,
    to_come: int,
    looks: Mapping[int, Uptime],
    now: int,
    instant_after: Callable[[int], int | None],
) -> ErrorBudget:
    """Return an error budget.

    Args:
        objective: in percent.
        spent: the partition of the window so far.
        to_come: device time that will be due until the window closes, ns.
        looks: the partition of each time of `LOOKS` up to now.
        now: the time of the check, ns UTC.
        instant_after: the instant, ns UTC, by which so much more device time
            (ns) will have been due; None when that is too far away.
    """
    total = allowance(objective, spent.counted + to_come)
    rates = tuple(burn_rate(objective, time, over) for over, time in looks.items())
    left = total - spent.down
    return ErrorBudget(
        total=total,
        spent=spent.down,
        unknown=spent.unknown,
        left=100 * left / total if total else None,
        left_low=100 * (left - spent.unknown) / total if total else None,
        burn_rates=rates,
        exhausted=_exhausted(left, looks[LOOKS[-1]], now, instant_after),
    )


def _exhausted(
    left: int, pace: Uptime, now: int, instant_after: Callable[[int], int | None]
) -> int | None:
    if left < 0:
        return now
    if not pace.down:
        return None
    return instant_after(left * (pace.up + pace.down) // pace.down)


def instant_in(hours: IntervalSet, time: int) -> int | None:
    """Return the instant by which `time` ns of a set have passed; None when it holds less."""
    for start, end in hours:
        if time <= end - start:
            return start + time
        time -= end - start
    return None
