"""What an agent is to do: one school's inventory, and the descriptions of its devices."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from campuswatch.inventory import models
from campuswatch.inventory.loader import load_inventory
from edge_agents.finding import find_agent
from edge_agents.sources.extensions import check_sources
from edge_agents.sources.serial.checks import check_maps
from edge_agents.sources.serial.register_maps import DIRECTORY as REGISTERS
from edge_agents.sources.serial.register_maps import RegisterMap, load_maps
from edge_agents.sources.snmp.checks import DIRECTORY, check_profiles
from edge_agents.sources.snmp.registry import ProfileRegistry


@dataclass(frozen=True)
class Assignment:
    """One agent's work.

    Attributes:
        inventory: the district, or as much of it as the agent knows.
        school: where the agent stands.
        agent: itself.
        profiles: SNMP profiles to read devices by.
        maps: registers of Modbus slaves.
    """

    inventory: models.Inventory
    school: models.School
    agent: models.Agent
    profiles: ProfileRegistry
    maps: Mapping[str, RegisterMap]

    @property
    def devices(self) -> list[models.Device]:
        """The devices that this agent asks or listens to."""
        return [
            device
            for device in self.school.devices
            if self.school.agent_of(device) == self.agent.id
        ]


def load_assignment(directory: Path, agent_id: str) -> Assignment:
    """Read an agent's work from an inventory's directory, and check all that it relies on.

    Raises:
        UserError: a file is wrong, or the agent is not in the inventory.
    """
    inventory = load_inventory(directory)
    school, agent = find_agent(inventory, agent_id)
    for check in (check_profiles, check_maps, check_sources):
        check(directory, inventory)
    return Assignment(
        inventory, school, agent, load_profiles(directory), load_register_maps(directory)
    )


def load_profiles(config_dir: Path) -> ProfileRegistry:
    """Return the SNMP profiles: the shipped ones, and those of `profiles/` beside the inventory.

    Raises:
        UserError: a profile is wrong.
    """
    return ProfileRegistry.load(config_dir / DIRECTORY)


def load_register_maps(config_dir: Path) -> dict[str, RegisterMap]:
    """Return the maps of Modbus slaves: the shipped ones, and those of `registers/`.

    Raises:
        UserError: a map is wrong.
    """
    return load_maps(config_dir / REGISTERS)
