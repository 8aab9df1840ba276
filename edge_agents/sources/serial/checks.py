"""What `campuswatch validate` checks of register maps."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from campuswatch.inventory.documents import Document, Location
from campuswatch.inventory.extensions import check_devices
from campuswatch.inventory.models import Device, Inventory, ModbusSlave
from campuswatch.inventory.problems import Problem
from campuswatch.inventory.wording import unknown
from edge_agents.sources.serial.register_maps import DIRECTORY, load_maps


def check_maps(directory: Path, inventory: Inventory) -> None:
    """Check the district's own register maps, and that the maps of its devices exist.

    Raises:
        InventoryError: with everything that is wrong, by file and line.
    """
    names = sorted(load_maps(directory / DIRECTORY))

    def dangling(device: Device) -> bool:
        return isinstance(device.serial, ModbusSlave) and device.serial.map not in names

    def problems(document: Document, place: Location, device: Device) -> Iterator[Problem]:
        if isinstance(device.serial, ModbusSlave):
            text = unknown("register map", device.serial.map, names, "the register maps")
            yield document.problem((*place, "serial", "map"), text)

    check_devices(directory, inventory, dangling, problems)
