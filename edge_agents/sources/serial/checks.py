"""What `campuswatch validate` checks of register maps."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from campuswatch.inventory.documents import read_document
from campuswatch.inventory.loader import SCHOOLS_DIRECTORY
from campuswatch.inventory.models import Inventory, ModbusSlave, School
from campuswatch.inventory.problems import InventoryError, Problem
from campuswatch.inventory.wording import unknown
from edge_agents.sources.serial.register_maps import DIRECTORY, load_maps


def check_maps(directory: Path, inventory: Inventory) -> None:
    """Check the district's own register maps, and that the maps of its devices exist.

    Raises:
        InventoryError: with everything that is wrong, by file and line.
    """
    names = sorted(load_maps(directory / DIRECTORY))
    problems = [
        problem
        for school in inventory.schools
        for problem in _dangling(directory / SCHOOLS_DIRECTORY / f"{school.id}.yaml", school, names)
    ]
    if problems:
        raise InventoryError(problems)


def _dangling(path: Path, school: School, names: Sequence[str]) -> Iterator[Problem]:
    faulty = [
        (index, device.serial.map)
        for index, device in enumerate(school.devices)
        if isinstance(device.serial, ModbusSlave) and device.serial.map not in names
    ]
    if not faulty:
        return
    document = read_document(path)
    for index, name in faulty:
        text = unknown("register map", name, names, "the register maps")
        yield document.problem(["devices", index, "serial", "map"], text)
