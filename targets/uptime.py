"""Uptime from samples: every nanosecond of a window is up, down, unknown or excused.

A sample says what a device's state is from its time on, until the next sample,
but for no longer than `HOLD` of the intervals at which the device is asked:
after that nobody knows. Silence is thus never taken for health, nor for
failure, and a late sample turns unknown time into the truth wherever it
arrives, because nothing here depends on the order of arrival.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

import numpy as np
from numpy.typing import NDArray

from campuswatch.intervals import NOTHING, IntervalSet

HOLD: Final = 2.5
"""How many intervals a sample holds: one poll may be lost, and the next be late."""

_SECOND: Final = 1e9
_LONGEST_INTERVAL: Final = 86_400.0 * 366
"""Keeps time plus hold within 64 bits, whatever interval a sample claims, in seconds."""


@dataclass(frozen=True, slots=True)
class Samples:
    """Availability samples of one device, in any order and with any repeats.

    Each may stand for a run of samples that say the same without a gap
    between them (`campuswatch.stores.base.Runs`).

    Attributes:
        times: when each, or the first of each run, was taken, ns UTC, shape (n,).
        up: whether the device was up, shape (n,).
        intervals: the interval at which it is asked, in seconds, shape (n,).
        until: when the last of each run was taken, ns UTC, shape (n,).
    """

    times: NDArray[np.int64]
    up: NDArray[np.bool_]
    intervals: NDArray[np.float64]
    until: NDArray[np.int64]

    @classmethod
    def of(
        cls, times: Sequence[int], up: Sequence[bool | int], intervals: Sequence[float]
    ) -> Samples:
        """Build samples, none of them a run, from plain sequences of one length."""
        taken = np.asarray(times, np.int64)
        return cls(taken, np.asarray(up, np.bool_), np.asarray(intervals, np.float64), taken)

    def where(self, chosen: NDArray[np.bool_] | NDArray[np.int64] | slice) -> Samples:
        """Return some of them, as numpy chooses by mask, index or slice."""
        return Samples(
            self.times[chosen], self.up[chosen], self.intervals[chosen], self.until[chosen]
        )

    def settled(self) -> Samples:
        """Return them in order of time, one for each instant.

        Of several samples of one instant, one that says up wins: an answer is
        proof, and silence is not.
        """
        if np.all(self.times[1:] > self.times[:-1]):
            return self
        order = np.lexsort((self.until, self.intervals, self.up, self.times))
        times = self.times[order]
        last = np.ones(len(times), np.bool_)
        last[:-1] = times[1:] != times[:-1]
        return self.where(order[last])

    def newest(self) -> Samples:
        """Return the last of them in order of time, or none if there is none."""
        return self.settled().where(slice(-1, None))

    def __add__(self, other: Samples) -> Samples:
        return Samples(
            np.concatenate((self.times, other.times)),
            np.concatenate((self.up, other.up)),
            np.concatenate((self.intervals, other.intervals)),
            np.concatenate((self.until, other.until)),
        )

    def holds(self) -> NDArray[np.int64]:
        """Return for how long each may hold, in ns."""
        intervals = np.clip(self.intervals, 0, _LONGEST_INTERVAL)
        return np.rint(HOLD * _SECOND * intervals).astype(np.int64)


@dataclass(frozen=True, slots=True)
class Outage:
    """A device was down and, as far as is known, not up in between.

    Attributes:
        start: the first sample that said down, ns UTC.
        end: when it was last known to be down.
        over: whether it was seen up again within the window.
        began_before: whether it was already down when the window began.
    """

    start: int
    end: int
    over: bool
    began_before: bool


@dataclass(frozen=True, slots=True)
class Timeline:
    """What is known of one device over a window; the rest of the window is unknown.

    Attributes:
        start: the window's first nanosecond.
        end: the first one no longer included.
        up: when it was up.
        down: when it was down.
        last_sample: time of the newest sample before `end`, None without any.
    """

    start: int
    end: int
    up: IntervalSet = NOTHING
    down: IntervalSet = NOTHING
    last_sample: int | None = None

    @property
    def window(self) -> IntervalSet:
        """The whole window as a set."""
        return IntervalSet.of([(self.start, self.end)])

    @property
    def state(self) -> bool | None:
        """Whether it is up at the window's end; None when that is unknown."""
        for state, known in ((True, self.up), (False, self.down)):
            if known and known.spans[-1][1] == self.end:
                return state
        return None

    def since(self, start: int) -> Timeline:
        """Return the part of it from `start` on."""
        rest = IntervalSet.of([(start, self.end)])
        return Timeline(start, self.end, self.up & rest, self.down & rest, self.last_sample)

    def before(self, end: int) -> Timeline:
        """Return the part of it before `end`; its newest sample is None if that is later."""
        first = IntervalSet.of([(self.start, end)])
        last = self.last_sample if self.last_sample is None or self.last_sample < end else None
        return Timeline(self.start, end, self.up & first, self.down & first, last)

    def outages(self) -> list[Outage]:
        """Return the outages in order of time; unknown time inside one does not split it."""
        found = []
        for start, end in self.window - self.up:
            down = self.down & IntervalSet.of([(start, end)])
            if down:
                first, last = down.spans[0][0], down.spans[-1][1]
                found.append(Outage(first, last, end < self.end, first == self.start))
        return found


def timeline(samples: Samples, start: int, end: int) -> Timeline:
    """Lay samples out over the window [start, end).

    Args:
        samples: those of the window, and from before it as far back as one can
            hold; no run of them reaches over the window's end.
        start: ns UTC.
        end: ns UTC.
    """
    samples = samples.settled()
    samples = samples.where(samples.times < end)
    if not len(samples.times):
        return Timeline(start, end)
    following = np.append(samples.times[1:], end)
    begins = np.maximum(samples.times, start)
    ends = np.minimum(np.minimum(samples.until + samples.holds(), following), end)
    lasting = begins < ends
    begins, ends, states = begins[lasting], ends[lasting], samples.up[lasting]
    return Timeline(
        start,
        end,
        _runs(begins[states], ends[states]),
        _runs(begins[~states], ends[~states]),
        int(samples.until[-1]),
    )


def joined(timelines: Iterable[Timeline]) -> Timeline:
    """Return the timeline of adjacent windows from one timeline for each, in order.

    Raises:
        ValueError: there is none, or a window does not begin where the one before ends.
    """
    parts = list(timelines)
    if not parts or any(a.end != b.start for a, b in pairwise(parts)):
        raise ValueError("expected adjacent windows in order of time")
    seen = [part.last_sample for part in parts if part.last_sample is not None]
    return Timeline(
        parts[0].start,
        parts[-1].end,
        IntervalSet.of(span for part in parts for span in part.up),
        IntervalSet.of(span for part in parts for span in part.down),
        max(seen, default=None),
    )


def _runs(begins: NDArray[np.int64], ends: NDArray[np.int64]) -> IntervalSet:
    """Return the set of ascending, disjoint pieces, joining those that touch."""
    if not len(begins):
        return NOTHING
    gaps = begins[1:] != ends[:-1]
    starts = begins[np.append(True, gaps)]
    stops = ends[np.append(gaps, True)]
    return IntervalSet(tuple(zip(starts.tolist(), stops.tolist(), strict=True)))


@dataclass(frozen=True, slots=True)
class Uptime:
    """An exact partition of a window; add them up to pool devices.

    Attributes:
        up: ns within service hours in which it was up.
        down: ns within service hours in which it was down.
        unknown: ns within service hours of which nothing is known.
        excused: ns of the window outside service hours.
    """

    up: int = 0
    down: int = 0
    unknown: int = 0
    excused: int = 0

    @property
    def counted(self) -> int:
        """The denominator: ns within service hours."""
        return self.up + self.down + self.unknown

    def __add__(self, other: Uptime) -> Uptime:
        return Uptime(
            self.up + other.up,
            self.down + other.down,
            self.unknown + other.unknown,
            self.excused + other.excused,
        )


def uptime(line: Timeline, service: IntervalSet) -> Uptime:
    """Partition a timeline's window.

    Args:
        line: what is known of the device.
        service: when the device is promised to be up; the window's rest is excused.
    """
    due = line.window & service
    up = (line.up & due).total
    down = (line.down & due).total
    return Uptime(up, down, due.total - up - down, line.end - line.start - due.total)
