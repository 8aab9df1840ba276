"""A counter that runs at a rate, like a port's octets or a meter's joules."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

_STEP: Final = 15.0
"""Seconds for which a rate holds."""


class Tally:
    """Counts at a rate that is looked up every few seconds and is never negative.

    Args:
        rate: units a second at a time (Unix seconds).
        booted: when the count began at zero, Unix seconds; a later answer
            than before resets it, as a restart does.
        started: from when on the rate is added up, Unix seconds.
        backlog: units counted before `started`.
    """

    def __init__(
        self,
        rate: Callable[[float], float],
        booted: Callable[[], float],
        started: float,
        backlog: float,
    ) -> None:
        self._rate = rate
        self._booted = booted
        self._boot = booted()
        self._since = started
        self._counted = backlog
        self._flow = rate(started)

    def total(self, now: float) -> int:
        """Return the count at a time not before the last one asked for."""
        if self._booted() != self._boot:
            self._boot = self._booted()
            self._since, self._counted = self._boot, 0.0
            self._flow = self._rate(self._boot)
        while now - self._since >= _STEP:
            self._counted += self._flow * _STEP
            self._since += _STEP
            self._flow = self._rate(self._since)
        return int(self._counted + self._flow * (now - self._since))
