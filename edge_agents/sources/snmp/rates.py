"""From counters to rates: a rate is either right or absent, never a spike.

A counter says nothing by itself: it may have wrapped, or been reset by a
restart of the agent, by a new line card, by an operator (RFC 2578, 7.1.6 and
7.1.10; RFC 2863, 3.1.6). What two samples can't settle is left out, with the
reason.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, NamedTuple

MIN_STEP: Final = 0.1
"""Seconds between two samples below which the jitter of their arrival matters."""

SPEED_MARGIN: Final = 2.0
"""How far above a port's speed a rate may be. Many agents refresh their counters
every few seconds, so that one interval may hold the traffic of more than itself."""

WRAP_MARGIN: Final = 1.1
"""The same for a step that only makes sense if the counter wrapped."""

_TICKS: Final = 100
_TICKS_SPAN: Final = 2**32


class Absent(StrEnum):
    """Why there is no rate."""

    FIRST = "no earlier sample"
    NO_TIME = "no time since the earlier sample"
    AMBIGUOUS = "the counter may have wrapped more than once"
    RESET = "the counter was reset"
    IMPLAUSIBLE = "faster than the port"


class Sample(NamedTuple):
    """A counter's value; a tuple, because a poll of a switch makes hundreds.

    Attributes:
        counted: as the agent sent it.
        at: when it arrived, on a monotonic clock, in seconds.
    """

    counted: int
    at: float


@dataclass(frozen=True, slots=True)
class Ceiling:
    """The most counts a second that can be.

    Attributes:
        value: counts a second; may be an assumption.
        known: whether it is a fact; an assumption rules nothing out, it only
            says whether a 32-bit counter may have wrapped more than once.
    """

    value: float
    known: bool


def rate(before: Sample | None, now: Sample, bits: int, ceiling: Ceiling) -> float | Absent:
    """Return the counts a second between two samples.

    The clock is that of the answers' arrival. sysUpTime would leave out the
    network's delay, but it can't be had in the same PDU as a column of a
    GETBULK, and from another PDU it is off by the length of the walk.

    Args:
        before: the earlier sample, if any.
        now: the later one.
        bits: width of the counter, 32 or 64.
        ceiling: the most that can be.
    """
    if before is None:
        return Absent.FIRST
    step = now.at - before.at
    if step < MIN_STEP:
        return Absent.NO_TIME
    if ceiling.value * step >= 1 << bits:
        return Absent.AMBIGUOUS
    if now.counted < before.counted:
        return _wrapped((now.counted - before.counted + (1 << bits)) / step, ceiling)
    found = (now.counted - before.counted) / step
    if ceiling.known and found > ceiling.value * SPEED_MARGIN:
        return Absent.IMPLAUSIBLE
    return found


def _wrapped(found: float, ceiling: Ceiling) -> float | Absent:
    plausible = ceiling.known and 0 <= found <= ceiling.value * WRAP_MARGIN
    return found if plausible else Absent.RESET


def rates(
    steps: Iterable[tuple[Sample | None, Sample, Ceiling]], bits: int
) -> list[float | Absent]:
    """Return `rate` of each of many steps, of counters of one width.

    The ordinary case stands here once more, without a call: a poll of a switch
    has hundreds of it.
    """
    span = 1 << bits
    found: list[float | Absent] = []
    for before, now, ceiling in steps:
        if before is not None:
            count, step, most = now.counted - before.counted, now.at - before.at, ceiling.value
            if step >= MIN_STEP and 0 <= count <= most * step < span:
                found.append(count / step)
                continue
        found.append(rate(before, now, bits, ceiling))
    return found


class Uptime:
    """Watches sysUpTime (TimeTicks, RFC 3418) for restarts of the agent."""

    _SLACK = 5.0
    _DRIFT = 0.1
    _MOST_AHEAD = 60.0

    def __init__(self) -> None:
        self._last: Sample | None = None

    def restarted(self, ticks: int, at: float) -> bool:
        """Note a new value; return whether the agent restarted since the last.

        It did if its clock is behind where it should be by now: more than 5
        seconds and a tenth of the time that passed. The wrap after 497 days
        is none.

        Args:
            ticks: sysUpTime, in hundredths of a second.
            at: when it arrived, on a monotonic clock, in seconds.
        """
        last, self._last = self._last, Sample(ticks, at)
        if last is None:
            return False
        passed = at - last.at
        lag = (last.counted + passed * _TICKS - ticks) % _TICKS_SPAN
        if _TICKS_SPAN - lag < (self._MOST_AHEAD + passed) * _TICKS:
            return False  # it is ahead: its clock runs fast
        return lag > (self._SLACK + passed * self._DRIFT) * _TICKS
