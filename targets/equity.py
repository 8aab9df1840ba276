"""How far schools are apart, and how much of that is because of where they lie.

Quartiles are those of Hyndman and Fan's type 7 ("Sample Quantiles in
Statistical Packages", The American Statistician 50, 1996), which spreadsheets
call QUARTILE.INC. The index is Theil's T (H. Theil, "Economics and Information
Theory", 1967), which falls apart into a part between groups and one within
them. Each school counts once, however many students it has.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import median, quantiles


@dataclass(frozen=True, slots=True)
class Quartiles:
    """The middle of some values: how many there are, and three that cut them in quarters."""

    count: int
    first: float
    median: float
    third: float


@dataclass(frozen=True, slots=True)
class Theil:
    """Theil's T: 0 when all are equal, ln n when one has all.

    Attributes:
        total: of all values.
        between: the part of it that would be left if each had its group's mean.
    """

    total: float
    between: float

    @property
    def within(self) -> float:
        """The rest: how unequal the members of a group are."""
        return self.total - self.between


def quartiles(values: Sequence[float]) -> Quartiles | None:
    """Return the quartiles of some values; None without any."""
    if not values:
        return None
    if len(values) == 1:
        return Quartiles(1, values[0], values[0], values[0])
    first, _, third = quantiles(values, n=4, method="inclusive")
    return Quartiles(len(values), first, median(values), third)


def quintile_ratio(values: Sequence[float]) -> float | None:
    """Return the mean of the worst fifth by that of the best: 1 when all are equal.

    A fifth is rounded up to whole values. None with fewer than five values, or
    when the best have nothing.
    """
    size = math.ceil(len(values) / 5)
    if len(values) < 5:
        return None
    ordered = sorted(values)
    best = math.fsum(ordered[-size:])
    return math.fsum(ordered[:size]) / best if best else None


def theil(groups: Mapping[str, Sequence[float]]) -> Theil | None:
    """Return the index of values in groups; None without any, or when all are 0.

    Raises:
        ValueError: a value is below 0.
    """
    values = [value for group in groups.values() for value in group]
    if any(value < 0 for value in values):
        raise ValueError("expected values of at least 0")
    total = math.fsum(values)
    if not total:
        return None
    mean = total / len(values)
    between = math.fsum(
        len(group) * _surprise(math.fsum(group) / len(group) / mean)
        for group in groups.values()
        if group
    )
    spread = math.fsum(_surprise(value / mean) for value in values)
    return Theil(max(0.0, spread / len(values)), max(0.0, between / len(values)))


def _surprise(ratio: float) -> float:
    return ratio * math.log(ratio) if ratio else 0.0
