"""How fast to go, and how long to wait before the next attempt."""

from __future__ import annotations

import random
import time
from collections.abc import Iterator
from typing import Final

_BURST: Final = 0.2
"""Seconds of its rate that a pace lets go at once."""


def delays(longest: float) -> Iterator[float]:
    """Yield the waits between attempts: doubling from 1 s, with full jitter.

    The jitter keeps the agents of a district from coming back all at once
    after their broker was down.
    """
    bound = 1.0
    while True:
        yield random.uniform(bound / 2, bound)  # noqa: S311  # no secret
        bound = min(longest, bound * 2)


class Pace:
    """A token bucket.

    Args:
        rate: how many may go in a second.
    """

    def __init__(self, rate: float) -> None:
        self._rate = rate
        self._depth = max(1.0, rate * _BURST)
        self._tokens = 0.0
        self._at = time.monotonic()

    def allowed(self) -> int:
        """Return how many may go now."""
        now = time.monotonic()
        self._tokens = min(self._depth, self._tokens + (now - self._at) * self._rate)
        self._at = now
        return int(self._tokens)

    def spend(self, count: int) -> None:
        """Note that `count` have gone."""
        self._tokens -= count


class Pauses:
    """Pauses that get longer until there is a success.

    Args:
        longest: bound of a pause, seconds.
    """

    def __init__(self, longest: float) -> None:
        self._longest = longest
        self._delays = delays(longest)
        self._until = 0.0

    def pausing(self) -> bool:
        """Return whether a pause lasts."""
        return time.monotonic() < self._until

    def begin(self) -> float:
        """Begin a pause, and return its length in seconds."""
        pause = next(self._delays)
        self._until = time.monotonic() + pause
        return pause

    def end(self) -> None:
        """Note a success: the pause is over, and the next one is short again."""
        if self._until:
            self._delays = delays(self._longest)
            self._until = 0.0
