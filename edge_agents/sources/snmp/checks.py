"""What `campuswatch validate` checks of a district's own SNMP profiles."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Final

from campuswatch.inventory.documents import read_document
from campuswatch.inventory.loader import SCHOOLS_DIRECTORY
from campuswatch.inventory.models import Inventory, School
from campuswatch.inventory.problems import InventoryError, Problem
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
    problems = [
        problem
        for school in inventory.schools
        for problem in _dangling(directory / SCHOOLS_DIRECTORY / f"{school.id}.yaml", school, names)
    ]
    if problems:
        raise InventoryError(problems)


def _dangling(path: Path, school: School, names: list[str]) -> Iterator[Problem]:
    faulty = [
        (index, device.profile)
        for index, device in enumerate(school.devices)
        if device.profile is not None and device.profile not in names
    ]
    if not faulty:
        return
    document = read_document(path)
    for index, profile in faulty:
        text = unknown("profile", profile, names, "the SNMP profiles")
        yield document.problem(["devices", index, "profile"], text)
