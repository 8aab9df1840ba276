"""Whether a device that only publishes is still there.

It is, while it is heard; it is not when its last will says so, or when it has
been silent for longer than it ever is. How often it speaks is declared in the
inventory, or learned.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from campuswatch.inventory.models import Device
from campuswatch.measurements import CATALOGUE
from campuswatch.readings import Reading, now_ns

PATIENCE: Final = 3
"""Intervals without a message after which a device counts as down."""

LEARNING: Final = 4
"""Gaps between messages that must have been seen before one can be too long."""

_MOMENT: Final = 2.0  # seconds in which several messages are one turn to speak
_LONGEST: Final = 86400.0  # seconds of silence that are enough however little is known
_SHORTEST: Final = 30.0  # seconds that are never too long where the interval is learned
_HALF_LIFE: Final = 86400.0  # seconds in which what was learned loses half its weight
_POLL: Final = 60.0  # longest time between two readings, seconds
_AVAILABILITY: Final = CATALOGUE["availability"]


class Cadence:
    """Learns how often a device speaks: the longest gap of late.

    A gap so long that the device counted as down is not learned, unless the
    next is as long: then its rhythm has changed.
    """

    def __init__(self) -> None:
        self._longest = 0.0
        self._gaps = 0
        self._outage: float | None = None

    @property
    def interval(self) -> float | None:
        """Seconds between messages at most; None until enough are known."""
        return self._longest if self._gaps >= LEARNING else None

    @property
    def patience(self) -> float:
        """Seconds of silence that mean nothing yet."""
        interval = self.interval
        return _LONGEST if interval is None else max(_SHORTEST, PATIENCE * interval)

    def learn(self, gap: float) -> None:
        """Take the seconds from one message to the next."""
        if gap < _MOMENT:
            return
        if gap > self.patience:
            self._outage, before = gap, self._outage
            if before is None:
                return
            gap = min(before, gap)
        else:
            self._outage = None
        self._longest = max(gap, self._longest * 0.5 ** (gap / _HALF_LIFE))
        self._gaps += 1


@dataclass(frozen=True, slots=True)
class Standing:
    """Whether a device is there.

    Attributes:
        up: whether it is.
        reason: why not; None if it is.
    """

    up: bool
    reason: str | None = None


class Presence:
    """What is known of one device; times are seconds on the monotonic clock.

    Args:
        declared: seconds between its messages, as the inventory has it.
    """

    def __init__(self, declared: float | None = None) -> None:
        self._declared = declared
        self._cadence = Cadence()
        self._heard: float | None = None
        self._will: str | None = None

    def hear(self, now: float) -> None:
        """Note a message of the device, which takes back what a will said before."""
        if self._heard is not None:
            self._cadence.learn(now - self._heard)
        self._heard = now
        self._will = None

    def end(self, reason: str) -> None:
        """Note that a last will, or whatever speaks for the device, says it is gone."""
        self._will = reason

    @property
    def ended(self) -> bool:
        """Whether it is gone by its own account, and not heard since."""
        return self._will is not None

    def standing(self, now: float, since: float) -> Standing | None:
        """Return whether it is there; None while that can't be known.

        Args:
            now: the present.
            since: from when on it could have been heard without a break.
        """
        if self._will is not None:
            return Standing(up=False, reason=self._will)
        patience = self._patience()
        if self._heard is not None and now - self._heard <= patience:
            return Standing(up=True)
        if now - since <= patience:
            return None
        silent = now - (since if self._heard is None else self._heard)
        return Standing(up=False, reason=self._silence(silent))

    def _patience(self) -> float:
        return self._cadence.patience if self._declared is None else PATIENCE * self._declared

    def _silence(self, silent: float) -> str:
        said = f"silent for {_words(silent)}"
        if self._declared is not None:
            return f"{said}, expected every {_words(self._declared)}"
        learned = self._cadence.interval
        return said if learned is None else f"{said}, usually heard every {_words(learned)}"


def _words(seconds: float) -> str:
    for size, unit in ((86400, "d"), (3600, "h"), (60, "min")):
        if seconds >= 2 * size:
            return f"{seconds / size:.0f} {unit}"
    return f"{seconds:.3g} s"


def standing_reading(tags: Mapping[str, str], interval: float, standing: Standing) -> Reading:
    """Return the `availability` of a device now.

    Args:
        tags: of the device.
        interval: seconds between two such readings.
        standing: whether it is there.
    """
    up = int(standing.up)
    fields = {"up": up, "service_up": up, "interval": interval, "reason": standing.reason}
    return _AVAILABILITY.reading(tags, fields, now_ns())


class Availability:
    """A `PolledSource` of the availability of one device that has no address.

    While the broker itself can't be reached nothing is known of the device,
    and nothing is said.

    Args:
        device: the device.
        presence: what is known of it.
        listening_since: since when the broker is listened to, seconds on the
            monotonic clock; None while it is not.
    """

    def __init__(
        self, device: Device, presence: Presence, listening_since: Callable[[], float | None]
    ) -> None:
        self.name = f"mqtt/{device.id}"
        self.interval = min(_POLL, device.interval.total_seconds())
        self._device = device
        self._presence = presence
        self._listening_since = listening_since

    async def poll(self) -> list[Reading]:
        """Return one `availability`, or nothing."""
        since = self._listening_since()
        standing = None if since is None else self._presence.standing(time.monotonic(), since)
        if standing is None:
            return []
        place = {"device": self._device.id, "room": self._device.room or ""}
        return [standing_reading(place, self.interval, standing)]

    async def close(self) -> None:
        """Nothing is held."""
