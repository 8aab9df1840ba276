"""Whether a device that only publishes is still there: it is, if it is heard."""

from __future__ import annotations

import time
from typing import Final

from campuswatch.inventory.models import Device
from campuswatch.measurements import CATALOGUE
from campuswatch.readings import Reading, now_ns
from edge_agents.sources.mqtt.source import LocalBrokerSource

PATIENCE: Final = 3
"""Intervals without a payload after which a device counts as down."""

_AVAILABILITY: Final = CATALOGUE["availability"]


class Silence:
    """A `PolledSource` of one device's availability.

    While the broker itself can't be reached, and until the agent has listened
    for long enough, nothing is known of the device, and nothing is said.

    Args:
        device: one that has no address of its own.
        source: listens for its payloads.
    """

    def __init__(self, device: Device, source: LocalBrokerSource) -> None:
        self.name = f"mqtt/{device.id}"
        self.interval = device.interval.total_seconds()
        self._device = device
        self._source = source

    async def poll(self) -> list[Reading]:
        """Return one `availability`, or nothing."""
        now = time.monotonic()
        patience = PATIENCE * self.interval
        since = self._source.listening_since
        heard = self._source.last_heard(self._device.id)
        if since is None:
            return []
        if heard is not None and now - heard <= patience:
            return [self._reading(1, None)]
        if now - since <= patience:
            return []
        return [self._reading(0, f"no message for {PATIENCE} intervals of {self.interval:g} s")]

    async def close(self) -> None:
        """Nothing is held."""

    def _reading(self, up: int, reason: str | None) -> Reading:
        return _AVAILABILITY.reading(
            {"device": self._device.id, "room": self._device.room or ""},
            {"up": up, "service_up": up, "interval": self.interval, "reason": reason},
            now_ns(),
        )
