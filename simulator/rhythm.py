"""The day of a school: how busy its people, and so its network, are."""

from __future__ import annotations

import datetime as dt
from itertools import pairwise
from typing import Final
from zoneinfo import ZoneInfo

_CURVE: Final = (
    (0.0, 0.02),
    (6.0, 0.04),
    (7.0, 0.25),
    (8.0, 0.75),
    (10.0, 1.0),
    (12.0, 0.5),
    (13.0, 0.45),
    (14.5, 0.95),
    (16.0, 0.9),
    (17.5, 0.4),
    (19.0, 0.25),
    (22.0, 0.06),
    (24.0, 0.02),
)
_WEEKEND_SHARE: Final = 0.12


def busyness(now: float, zone: ZoneInfo) -> float:
    """Return how busy a school is, from 0 (nobody) to 1 (the busiest hour).

    Args:
        now: Unix seconds.
        zone: the school's time zone.
    """
    local = dt.datetime.fromtimestamp(now, zone)
    hour = local.hour + local.minute / 60 + local.second / 3600
    share = _WEEKEND_SHARE if local.weekday() >= 5 else 1.0
    return share * _at(hour)


def _at(hour: float) -> float:
    for (start, low), (end, high) in pairwise(_CURVE):
        if hour < end:
            return low + (high - low) * (hour - start) / (end - start)
    return _CURVE[-1][1]
