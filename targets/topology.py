"""The tree of uplinks: how a device reaches the internet, and what its failure takes along."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

from campuswatch.intervals import NOTHING, IntervalSet
from campuswatch.inventory.models import Device, DeviceKind
from targets.uptime import Timeline

_INFRASTRUCTURE: Final = frozenset(
    {
        DeviceKind.SWITCH,
        DeviceKind.ROUTER,
        DeviceKind.WLAN_CONTROLLER,
        DeviceKind.UPS,
        DeviceKind.SERVER,
        DeviceKind.GATEWAY,
    }
)
"""Kinds that serve the devices behind them rather than the room they stand in."""

STARTING: Final = 4 * 60 * 1_000_000_000
"""How long a device may take to start after what feeds it is back, in ns."""

States = Mapping[str, bool | None]
"""For each device id whether it is up; None or missing where that is unknown."""


class Topology:
    """The uplink tree of some devices, such as a school's."""

    def __init__(self, devices: Iterable[Device]) -> None:
        """Build the tree.

        Args:
            devices: an uplink to a device that is not among them ends a path.

        Raises:
            ValueError: uplinks form a cycle.
        """
        self.devices = {device.id: device for device in devices}
        self._paths = {device: self._climb(device) for device in self.devices}

    def _climb(self, device_id: str) -> tuple[str, ...]:
        path: list[str] = []
        current: str | None = device_id
        while current is not None and current in self.devices:
            if current in path:
                raise ValueError(f"the uplinks of {' and '.join(path)} form a cycle")
            path.append(current)
            current = self.devices[current].uplink
        return tuple(path)

    def path(self, device_id: str) -> tuple[str, ...]:
        """Return the way to the internet, from the device itself to the topmost one."""
        return self._paths[device_id]

    def root_cause(self, device_id: str, states: States) -> str:
        """Return the device because of which a device that is down is down.

        That is the topmost device which is down on its path, as far up as
        nothing on the way is known to be up: what is up passes traffic, so
        nothing above it can be to blame.
        """
        cause = device_id
        for ancestor in self.path(device_id)[1:]:
            state = states.get(ancestor)
            if state is True:
                break
            if state is False:
                cause = ancestor
        return cause

    def first_break(self, device_id: str, states: States) -> str | None:
        """Return the down device nearest to the internet on a device's path, if any is down."""
        broken = [hop for hop in self.path(device_id) if states.get(hop) is False]
        return broken[-1] if broken else None

    def behind(self, device_id: str) -> list[str]:
        """Return the devices that reach the internet through a device, and itself."""
        return [other for other, path in self._paths.items() if device_id in path]

    def rooms_affected(self, device_id: str) -> set[str]:
        """Return the ids of the rooms that a device, or one behind it, serves."""
        return {
            room for other in self.behind(device_id) for room in rooms_served(self.devices[other])
        }

    def blame(
        self, device_id: str, timelines: Mapping[str, Timeline], settle: int
    ) -> dict[str, IntervalSet]:
        """Share out a device's down time among the devices that caused it.

        This is `root_cause` for every instant, except that the outage of a
        device further up counts from `settle` before to `settle` after it:
        devices aren't polled at the same moment, and what gets its power or
        address from the device above comes back later.

        Args:
            device_id: whose down time.
            timelines: what is known of each device; a missing one is unknown.
            settle: in ns.

        Returns:
            For each cause its part; disjoint, and together the device's down time.
        """
        blamed: dict[str, IntervalSet] = {}
        climbing = {device_id: timelines[device_id].down}
        for ancestor in self.path(device_id)[1:]:
            line = timelines.get(ancestor)
            if line is None:
                continue
            down = line.down.grow(settle, settle)
            higher = NOTHING
            for cause, time in climbing.items():
                higher |= time & down
                climbing[cause] = time - down - line.up
                blamed[cause] = blamed.get(cause, NOTHING) | ((time - down) & line.up)
            climbing[ancestor] = higher
        for cause, time in climbing.items():
            blamed[cause] = blamed.get(cause, NOTHING) | time
        return {cause: time for cause, time in blamed.items() if time}


def rooms_served(device: Device) -> list[str]:
    """Return the ids of the rooms that feel it when this device alone fails."""
    if device.serves is not None:
        return list(device.serves)
    if device.room is None or device.kind in _INFRASTRUCTURE:
        return []
    return [device.room]


def settle_of(device_id: str, topology: Topology) -> int:
    """Return how far from its cause a device's outage may seem to begin or end, in ns.

    The two are polled at different moments of their intervals, and the device
    starts after the cause is mended.
    """
    polled = (topology.devices[hop].interval for hop in topology.path(device_id))
    return round(max(polled).total_seconds() * 1e9) + STARTING


def is_watched(device: Device) -> bool:
    """Return whether anybody tells whether this device is up.

    That is whoever asks it at its address or on its serial line, its own
    messages, or, for an access point that is known by more than its name, the
    controller that manages it.
    """
    asked = device.address is not None and bool(device.ping or device.snmp or device.pjlink)
    told_of = device.kind is DeviceKind.AP and bool(
        device.serial_number or device.chassis_id or device.bssids
    )
    return asked or told_of or bool(device.mqtt or device.serial or device.source)
