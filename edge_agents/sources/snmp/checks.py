"""What `campuswatch validate` checks of a district's own SNMP profiles."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Final

from campuswatch.inventory.documents import Document, Location
from campuswatch.inventory.extensions import check_devices
from campuswatch.inventory.models import Device, Inventory
from campuswatch.inventory.problems import Problem
from campuswatch.inventory.wording import unknown
from edge_agents.sources.snmp.registry import ProfileRegistry

DIRECTORY: Final = "profiles"
"""Where a district's own profiles are, beside its inventory."""


def check_profiles(directory: Path, inventory: Inventory) -> None:
    """Check the district's own profiles, and that the profiles of its devices exist.

    Raises:
        InventoryError: with everything that is wrong, by file and line.
    """
    names = ProfileRegistry.load(directory / DIRECTORY).names

    def dangling(device: Device) -> bool:
        return device.profile is not None and device.profile not in names

    def problems(document: Document, place: Location, device: Device) -> Iterator[Problem]:
        text = unknown("profile", str(device.profile), names, "the SNMP profiles")
        yield document.problem((*place, "profile"), text)

    check_devices(directory, inventory, dangling, problems)
