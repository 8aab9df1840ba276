"""Samples of a level, such as a rate or a concentration, as the time it was over a limit."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from statistics import median

from campuswatch.calendar import SECOND
from campuswatch.intervals import IntervalSet
from targets.uptime import Samples, Timeline, timeline


def over(
    samples: Sequence[tuple[int, float]], limit: float, interval: float, start: int, end: int
) -> Timeline:
    """Return when samples of a level were over a limit: `down` when over, `up` when not.

    A sample holds as one of availability does. How often a device is really
    heard counts where that is less often than it should be: many sensors speak
    only when something changes.

    Args:
        samples: time (ns UTC) and level of each.
        limit: a level that is higher is over it.
        interval: at which the level is asked, in seconds.
        start: ns UTC.
        end: ns UTC.
    """
    times = sorted(time for time, _ in samples)
    gaps = [later - earlier for earlier, later in pairwise(times)]
    seconds = max(interval, median(gaps) / SECOND if gaps else 0.0)
    return timeline(
        Samples.of(
            [time for time, _ in samples],
            [level <= limit for _, level in samples],
            [seconds] * len(samples),
        ),
        start,
        end,
    )


def share(line: Timeline, when: IntervalSet) -> tuple[int, int]:
    """Return for how long of a time a level was known, and of that, over the limit; ns."""
    bad = (line.down & when).total
    return (line.up & when).total + bad, bad
