"""What is the matter in the simulated district, and who feels it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from campuswatch.inventory.models import Device, DeviceKind, Inventory, School
from simulator.noise import between

FLAP_PERIOD: Final = 20.0
"""Seconds from one loss of a flapping link to the next."""
FLAP_UP: Final = 12.0
"""Seconds of these for which the link is up."""

_DAY: Final = 86400.0


class Trouble(StrEnum):
    """What can befall a device, or a school."""

    DOWN = "down"
    """No power: it answers nothing and forwards nothing."""
    FLAPPING = "flapping"
    """The link to its uplink goes up and down every few seconds."""
    WEAK_SIGNAL = "weak-signal"
    """An access point sends with far too little power."""
    SILENT = "silent"
    """A sensor publishes nothing."""
    UNPLUGGED = "unplugged"
    """The adapter of a device's serial line is pulled out, with all devices on the line."""
    WAN_CUT = "wan-cut"
    """A school's line to the district is cut; inside it all goes on."""
    SWAP_CABLES = "swap-cables"
    """Somebody plugs the uplinks of two devices into each other's port."""


@dataclass(frozen=True)
class _Site:
    """One school, with what is needed to say who reaches whom."""

    school: School
    devices: dict[str, Device]
    observer: str | None
    """The device that the school's agent is plugged into."""
    sockets: dict[str, str] = field(default_factory=dict)
    """For devices whose uplink was plugged elsewhere: the device whose place that is."""

    def chain(self, device_id: str) -> list[str]:
        """Return a device and all it reaches the internet through, nearest first."""
        chain: list[str] = []
        following: str | None = device_id
        while following in self.devices and following not in chain:
            chain.append(following)
            following = self.devices[self.socket(following)].uplink
        return chain

    def socket(self, device_id: str) -> str:
        """Return the device in whose place of the uplink's ports this one is plugged."""
        return self.sockets.get(device_id, device_id)

    def path(self, device_id: str) -> list[str]:
        """Return the devices that must work for the agent to reach this one."""
        chain = self.chain(device_id)
        if self.observer is None:
            return chain
        trunk = self.chain(self.observer)
        shared = next((link for link in chain if link in trunk), None)
        if shared is None:  # nothing is said of how it is connected
            return [*chain, self.observer]
        return [*chain[: chain.index(shared)], *trunk[: trunk.index(shared)], shared]

    def powered_by(self, device_id: str) -> list[str]:
        """Return a device and the access points that get their power over its cables."""
        return [
            other.id
            for other in self.devices.values()
            if other.id == device_id
            or (other.kind is DeviceKind.AP and device_id in self.chain(other.id))
        ]


class World:
    """The district's devices and their present troubles.

    All that is simulated asks it, so that a dead switch silences its access
    points, and these the sensors that hang on their Wi-Fi.
    """

    def __init__(self, inventory: Inventory, seed: int, started: float) -> None:
        self.inventory = inventory
        self.seed = seed
        self.started = started
        self._sites = {school.id: _site(school) for school in inventory.schools}
        self._site_of = {
            device.id: self._sites[school.id]
            for school in inventory.schools
            for device in school.devices
        }
        self._paths = {device_id: site.path(device_id) for device_id, site in self._site_of.items()}
        self._troubles: set[tuple[Trouble, str]] = set()
        self._restarted: dict[str, float] = {}
        self._changed: dict[str, float] = {}
        self._recabled = started

    def begin(self, trouble: Trouble, target: str, now: float) -> None:
        """Let a trouble befall a device (or a school, for a cut WAN)."""
        self._troubles.add((trouble, target))
        self._changed[target] = now

    def end(self, trouble: Trouble, target: str, now: float) -> None:
        """End a trouble, if there is one; what gets its power back restarts."""
        if (trouble, target) not in self._troubles:
            return
        self._troubles.remove((trouble, target))
        self._changed[target] = now
        if trouble is Trouble.DOWN:
            for device in self._site_of[target].powered_by(target):
                self._restarted[device] = now

    def swap_cables(self, one: str, other: str, now: float) -> None:
        """Plug the uplinks of two devices of a school into each other's port."""
        site = self._site_of[one]
        site.sockets.update({one: site.socket(other), other: site.socket(one)})
        self._paths |= {device_id: site.path(device_id) for device_id in site.devices}
        self._changed |= {one: now, other: now}
        self._recabled = now

    def recabled(self) -> float:
        """Return when a cable was last plugged elsewhere, Unix seconds."""
        return self._recabled

    def socket(self, device_id: str) -> Device:
        """Return the device in whose place of the uplink's ports this one is plugged."""
        site = self._site_of[device_id]
        return site.devices[site.socket(device_id)]

    def plugged_into(self, socket: str) -> Device:
        """Return the device that is plugged in the place of another, or in its own."""
        site = self._site_of[socket]
        found = (device for device, place in site.sockets.items() if place == socket)
        return site.devices[next(found, socket)]

    def has(self, trouble: Trouble, target: str) -> bool:
        return (trouble, target) in self._troubles

    def answers(self, device_id: str, now: float) -> bool:
        """Return whether the school's agent can reach a device."""
        return all(
            not self.has(Trouble.DOWN, link) and self.link_is_up(link, now)
            for link in self._paths[device_id]
        )

    def link_is_up(self, device_id: str, now: float) -> bool:
        """Return whether the cable from a device to its uplink carries a signal."""
        return not self.has(Trouble.FLAPPING, device_id) or now % FLAP_PERIOD < FLAP_UP

    def booted(self, device_id: str) -> float:
        """Return when a device was switched on, Unix seconds."""
        age = between(2 * _DAY, 300 * _DAY, self.seed, "boot", device_id)
        return self._restarted.get(device_id, self.started - age)

    def changed(self, device_id: str) -> float:
        """Return when the link of a device to its uplink last changed, Unix seconds."""
        age = between(_DAY / 24, 2 * _DAY, self.seed, "link", device_id)
        return self._changed.get(device_id, self.started - age)

    def path(self, device_id: str) -> Sequence[str]:
        """Return the devices that must work for the school's agent to reach this one."""
        return self._paths[device_id]

    def device(self, device_id: str) -> Device:
        return self._site_of[device_id].devices[device_id]

    def school_of(self, device_id: str) -> School:
        return self._site_of[device_id].school

    def behind(self, device_id: str) -> list[Device]:
        """Return the devices whose uplink is this one."""
        site = self._site_of[device_id]
        return [device for device in site.devices.values() if device.uplink == device_id]

    def access_points(self, device: Device, now: float) -> tuple[list[Device], list[Device]]:
        """Return the working access points that a device in a room can hear.

        Returns:
            Those that serve its room, and the others of its floor.
        """
        site = self._site_of[device.id]
        near = _floor_of(site.school, device.room)
        serving: list[Device] = []
        others: list[Device] = []
        for candidate in site.devices.values():
            if candidate.kind is not DeviceKind.AP or not self.answers(candidate.id, now):
                continue
            if device.room == candidate.room or device.room in (candidate.serves or ()):
                serving.append(candidate)
            elif candidate.room in near:
                others.append(candidate)
        return serving, others


def _site(school: School) -> _Site:
    devices = {device.id: device for device in school.devices}
    switches = [device for device in school.devices if device.kind is DeviceKind.SWITCH]
    outermost = min(
        switches,
        key=lambda device: len(_Site(school, devices, None).chain(device.id)),
        default=None,
    )
    return _Site(school, devices, outermost.id if outermost else None)


def _floor_of(school: School, room_id: str | None) -> set[str]:
    for building in school.buildings:
        for floor in building.floors:
            rooms = {room.id for room in floor.rooms}
            if room_id in rooms:
                return rooms
    return set()
