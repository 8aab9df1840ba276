"""What flows through a simulated port."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

_STEP: Final = 15.0
"""Seconds for which a rate holds."""


class Traffic:
    """Counts octets at a rate that is looked up every few seconds and never negative.

    Args:
        rate: octets a second at a time (Unix seconds).
        booted: when the counters began at zero, Unix seconds; a later answer
            than before resets them, as a restart does.
        started: from when on the rate is added up, Unix seconds.
        backlog: octets counted before `started`.
    """

    def __init__(
        self,
        rate: Callable[[float], float],
        booted: Callable[[], float],
        started: float,
        backlog: int,
    ) -> None:
        self._rate = rate
        self._booted = booted
        self._boot = booted()
        self._since = started
        self._counted = float(backlog)
        self._flow = rate(started)

    def octets(self, now: float) -> int:
        """Return the counter at a time not before the last one asked for."""
        if self._booted() != self._boot:
            self._boot = self._booted()
            self._since, self._counted = self._boot, 0.0
            self._flow = self._rate(self._boot)
        while now - self._since >= _STEP:
            self._counted += self._flow * _STEP
            self._since += _STEP
            self._flow = self._rate(self._since)
        return int(self._counted + self._flow * (now - self._since))
