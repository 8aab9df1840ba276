"""When a line will be full: a trend that a few odd days don't bend, and how sure it is.

The slope is the median of the slopes between all pairs of days (Theil, 1950);
its interval is Sen's, from the variance of Kendall's statistic (Sen, "Estimates
of the Regression Coefficient Based on Kendall's Tau", JASA 63, 1968).
"""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

import numpy as np

SHORTEST: Final = 20
"""From how many days on a trend is told."""

HORIZON: Final = 3 * 365
"""How far ahead is looked, in days."""

WIDEST: Final = 365
"""How far apart the earliest and the latest day may be for one to be named, in days."""

_Z: Final = 1.959963984540054
"""Two-sided 95 % point of the standard normal distribution."""


class Outlook(StrEnum):
    """Whether a line will be full."""

    FULL = "full"
    """It is already."""
    DATED = "dated"
    """It will be, in a month that can be named."""
    NOT_IN_SIGHT = "not-in-sight"
    """Not within three years."""
    CANNOT_TELL = "cannot-tell"
    """There are too few days, or they agree too little."""


@dataclass(frozen=True, slots=True)
class Trend:
    """A robust line through points.

    Attributes:
        slope: per unit of x.
        low: lower end of the slope's 95 % interval.
        high: its upper end.
        level: the line's value at the last x.
    """

    slope: float
    low: float
    high: float
    level: float


@dataclass(frozen=True, slots=True)
class Forecast:
    """When a line is full, with the interval that its slope's gives.

    Attributes:
        outlook: whether it will be.
        day: when, if that can be told.
        earliest: at the steepest slope; None when not in sight even so.
        latest: at the flattest slope; None when not in sight then.
    """

    outlook: Outlook
    day: dt.date | None = None
    earliest: dt.date | None = None
    latest: dt.date | None = None


def theil_sen(x: Sequence[float], y: Sequence[float]) -> Trend:
    """Return the trend of points with different x, at least two, in order of x."""
    xs, ys = np.asarray(x, np.float64), np.asarray(y, np.float64)
    first, second = np.triu_indices(len(xs), 1)
    slopes = np.sort((ys[second] - ys[first]) / (xs[second] - xs[first]))
    count = len(slopes)
    n = len(xs)
    reach = _Z * math.sqrt(n * (n - 1) * (2 * n + 5) / 18)
    lower = max(0, math.floor((count - reach) / 2) - 1)
    upper = min(count - 1, math.ceil((count + reach) / 2))
    slope = float(np.median(slopes))
    intercept = float(np.median(ys - slope * xs))
    return Trend(
        slope, float(slopes[lower]), float(slopes[upper]), intercept + slope * float(xs[-1])
    )


def forecast(points: Sequence[tuple[dt.date, float]], limit: float) -> Forecast:
    """Return when a level reaches a limit.

    Args:
        points: the level of each day, in order.
        limit: above 0, in the level's unit.
    """
    if len(points) < SHORTEST:
        return Forecast(Outlook.CANNOT_TELL)
    last = points[-1][0]
    trend = theil_sen([(day - last).days for day, _ in points], [level for _, level in points])
    if trend.level >= limit:
        return Forecast(Outlook.FULL, last, last, last)
    earliest, day, latest = (
        _reaches(last, limit - trend.level, slope) for slope in (trend.high, trend.slope, trend.low)
    )
    if earliest is None:
        return Forecast(Outlook.NOT_IN_SIGHT)
    if day is None or latest is None or (latest - earliest).days > WIDEST:
        return Forecast(Outlook.CANNOT_TELL, earliest=earliest, latest=latest)
    return Forecast(Outlook.DATED, day, earliest, latest)


def _reaches(last: dt.date, rest: float, slope: float) -> dt.date | None:
    if slope <= 0 or rest / slope > HORIZON:
        return None
    return last + dt.timedelta(math.ceil(rest / slope))
