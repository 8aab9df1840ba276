"""The inventory, arranged for finding out what a failure takes along."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from alerts.models import nanoseconds
from alerts.reachability import WatchedDevice
from campuswatch.inventory.models import Inventory
from targets.topology import Topology, rooms_served

AgentKey = tuple[str, str]
"""A school's id and an agent's."""


@dataclass(frozen=True)
class Estate:
    """Everything that can fail.

    Attributes:
        devices: every device by its id, as the evidence is weighed with.
        schools: for each device the id of its school.
        behind: for each device those that reach the internet through it, and itself.
        rooms: for each device the rooms that feel it when it alone fails.
        seats: for each room its seats.
        polled: for each agent its devices.
    """

    devices: Mapping[str, WatchedDevice]
    schools: Mapping[str, str]
    behind: Mapping[str, tuple[str, ...]]
    rooms: Mapping[str, tuple[str, ...]]
    seats: Mapping[str, int]
    polled: Mapping[AgentKey, tuple[str, ...]]


def survey(inventory: Inventory) -> Estate:
    """Arrange an inventory."""
    devices: dict[str, WatchedDevice] = {}
    schools: dict[str, str] = {}
    behind: dict[str, list[str]] = {}
    rooms: dict[str, tuple[str, ...]] = {}
    seats: dict[str, int] = {}
    polled: dict[AgentKey, list[str]] = {}
    for school in inventory.schools:
        topology = Topology(school.devices)
        seats.update((room.id, room.seats) for room in school.rooms())
        polled.update({(school.id, agent.id): [] for agent in school.agents})
        for device in school.devices:
            path = topology.path(device.id)
            devices[device.id] = WatchedDevice(path[1:], nanoseconds(device.interval))
            schools[device.id] = school.id
            rooms[device.id] = tuple(rooms_served(device))
            polled[school.id, school.agent_of(device)].append(device.id)
            for hop in path:
                behind.setdefault(hop, []).append(device.id)
    return Estate(
        devices=devices,
        schools=schools,
        behind={device: tuple(others) for device, others in behind.items()},
        rooms=rooms,
        seats=seats,
        polled={agent: tuple(others) for agent, others in polled.items()},
    )
