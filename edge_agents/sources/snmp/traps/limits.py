"""How much a sender may send, so that a storm costs neither the agent nor the store."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

_REMEMBERED: Final = 4096


@dataclass(slots=True)
class _Bucket:
    tokens: float
    at: float


class RateLimit:
    """A token bucket for each sender; of more than 4,096 the longest silent is forgotten.

    Args:
        rate: so many a second in the long run.
        burst: so many at once.
    """

    def __init__(self, rate: float, burst: int) -> None:
        self._rate = rate
        self._burst = float(burst)
        self._buckets: OrderedDict[str, _Bucket] = OrderedDict()

    def allows(self, sender: str, now: float) -> bool:
        """Return whether one more is within the limit, and count it.

        Args:
            sender: any name of it.
            now: monotonic time, in seconds.
        """
        bucket = self._buckets.pop(sender, None) or _Bucket(self._burst, now)
        self._buckets[sender] = bucket
        if len(self._buckets) > _REMEMBERED:
            self._buckets.popitem(last=False)
        bucket.tokens = min(self._burst, bucket.tokens + (now - bucket.at) * self._rate)
        bucket.at = now
        if bucket.tokens < 1:
            return False
        bucket.tokens -= 1
        return True


class PollCalls:
    """Calls for polls, not more often than is of use.

    The first call for a device polls it at once. Whatever comes in the next
    seconds is one call at their end, so that the last state is seen too.

    Args:
        poll: polls a device now.
        later: calls something after so many seconds.
        now: monotonic time, in seconds.
        quiet: seconds between two polls of a device.
    """

    def __init__(
        self,
        poll: Callable[[str], object],
        later: Callable[[float, Callable[[], None]], object],
        now: Callable[[], float],
        *,
        quiet: float = 10.0,
    ) -> None:
        self._poll = poll
        self._later = later
        self._now = now
        self._quiet = quiet
        self._polled: dict[str, float] = {}
        self._waiting: set[str] = set()

    def call(self, device: str) -> None:
        """Poll a device now or soon."""
        if device in self._waiting:
            return
        wait = self._polled.get(device, -self._quiet) + self._quiet - self._now()
        if device not in self._polled or wait <= 0:
            self._do(device)
        else:
            self._waiting.add(device)
            self._later(wait, lambda: self._do(device))

    def _do(self, device: str) -> None:
        self._waiting.discard(device)
        self._polled[device] = self._now()
        self._poll(device)
