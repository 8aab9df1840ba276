"""How much traffic each simulated device draws, down the tree of uplinks."""

from __future__ import annotations

from typing import Final

from campuswatch.inventory.models import Device, DeviceKind
from simulator.noise import between, drift
from simulator.rhythm import busyness
from simulator.world import World

_PEAK: Final = {
    DeviceKind.AP: 4e6,
    DeviceKind.SERVER: 6e6,
    DeviceKind.DISPLAY: 1e6,
    DeviceKind.PROJECTOR: 2e5,
    DeviceKind.SWITCH: 2e6,
}
"""Octets a second that a device of a kind draws itself in the busiest hour."""
_OTHER_PEAK: Final = 2e4
_WANDER: Final = 90.0
_UPLOAD_SHARE: Final = 0.14
_LINE_SHARE: Final = 0.96
_OCTETS_A_MEGABIT: Final = 125_000


class Flows:
    """Traffic of every device, in octets a second."""

    def __init__(self, world: World) -> None:
        self._world = world

    def down(self, device: Device, now: float) -> float:
        """Return what flows to a device and to all behind it."""
        if not self._world.answers(device.id, now):
            return 0.0
        behind = sum(self.down(other, now) for other in self._world.behind(device.id))
        return behind + self.own(device, now)

    def up(self, device: Device, now: float) -> float:
        """Return what flows back."""
        return _UPLOAD_SHARE * self.down(device, now)

    def own(self, device: Device, now: float) -> float:
        """Return what a device draws itself."""
        world = self._world
        zone = world.inventory.zone_of(world.school_of(device.id))
        peak = _PEAK.get(device.kind, _OTHER_PEAK)
        taste = between(0.4, 1.0, world.seed, "taste", device.id)
        wander = 1 + 0.5 * drift(now, _WANDER, world.seed, "flow", device.id)
        return peak * taste * wander * busyness(now, zone)

    def line_down(self, device: Device, now: float) -> float:
        """Return what comes in over the line that ends on a device, within its capacity."""
        return min(self.down(device, now), self._line(device, "down"))

    def line_up(self, device: Device, now: float) -> float:
        """Return what goes out over it."""
        return min(self.up(device, now), self._line(device, "up"))

    def _line(self, device: Device, direction: str) -> float:
        internet = self._world.school_of(device.id).internet
        if internet is None:
            return float("inf")
        megabits = internet.down if direction == "down" else internet.up
        return megabits * _OCTETS_A_MEGABIT * _LINE_SHARE
