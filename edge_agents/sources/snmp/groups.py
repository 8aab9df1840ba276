"""From many rows to one reading: what is said of clients without naming any."""

from __future__ import annotations

import math
import statistics
from collections.abc import Callable, Mapping, Sequence
from typing import Final

from edge_agents.sources.snmp.profile import FieldRule, Over

_SUMMARIES: Final[Mapping[Over, Callable[[Sequence[float]], float]]] = {
    Over.MEAN: statistics.fmean,
    Over.MINIMUM: min,
    Over.MAXIMUM: max,
}


def aggregate(rule: FieldRule, over: Over, values: Sequence[float | str]) -> float | None:
    """Return one value for the values that the rows of a group have.

    Args:
        rule: of the field; its `below` and `above` say which values count.
        over: how they become one.
        values: one for each row that has one; text can only be counted.
    """
    if over is Over.COUNT:
        if not values and (rule.below is not None or rule.above is not None):
            return None  # nothing was measured, which is not to say that nothing is weak
        return sum(1 for value in values if _counts(rule, value))
    numbers = [value for value in values if not isinstance(value, str) and _counts(rule, value)]
    if over is Over.SUM:
        return math.fsum(numbers)
    if not numbers:
        return None
    if over is Over.QUANTILE:
        return quantile(numbers, rule.quantile or 0.0)
    return _SUMMARIES[over](numbers)


def quantile(values: Sequence[float], share: float) -> float:
    """Return the value below which a share of them lies.

    Between two values it is interpolated (type 7 of Hyndman and Fan 1996, what
    NumPy and spreadsheets do).

    Args:
        values: at least one, in any order.
        share: from 0 to 1.
    """
    ordered = sorted(values)
    place = share * (len(ordered) - 1)
    low = math.floor(place)
    high = min(low + 1, len(ordered) - 1)
    return ordered[low] + (place - low) * (ordered[high] - ordered[low])


def _counts(rule: FieldRule, value: float | str) -> bool:
    if rule.below is None and rule.above is None:
        return True
    if isinstance(value, str):
        return False
    return (rule.below is None or value < rule.below) and (rule.above is None or value > rule.above)
