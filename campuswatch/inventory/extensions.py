"""Configuration files that belong to a room, which the kernel doesn't import.

A room announces in the group `campuswatch.validators` a function that reads
its files and raises `InventoryError`, and in `campuswatch.schemas` the model
of each of its files.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from importlib.metadata import entry_points
from pathlib import Path
from typing import Final

from pydantic import BaseModel

from campuswatch.inventory.documents import Document, Location, read_document
from campuswatch.inventory.loader import SCHOOLS_DIRECTORY
from campuswatch.inventory.models import Device, Inventory, School
from campuswatch.inventory.problems import InventoryError, Problem

VALIDATORS: Final = "campuswatch.validators"
SCHEMAS: Final = "campuswatch.schemas"


def room_problems(directory: Path, inventory: Inventory) -> list[Problem]:
    """Return what is wrong with the rooms' files of an inventory's directory."""
    problems: list[Problem] = []
    for point in entry_points(group=VALIDATORS):
        try:
            point.load()(directory, inventory)
        except InventoryError as error:
            problems += error.problems
    return problems


def check_devices(
    directory: Path,
    inventory: Inventory,
    concerned: Callable[[Device], bool],
    problems: Callable[[Document, Location, Device], Iterable[Problem]],
) -> None:
    """Check some devices of all schools, where they are declared.

    Args:
        directory: the inventory's.
        inventory: the district.
        concerned: which devices; a school's file is read again only if it has one.
        problems: what is wrong with a device that stands at a place of a file.

    Raises:
        InventoryError: with everything that is wrong, by file and line.
    """

    def of_school(school: School) -> Iterator[Problem]:
        chosen = [each for each in enumerate(school.devices) if concerned(each[1])]
        if chosen:
            document = read_document(directory / SCHOOLS_DIRECTORY / f"{school.id}.yaml")
            for index, device in chosen:
                yield from problems(document, ("devices", index), device)

    if found := [problem for school in inventory.schools for problem in of_school(school)]:
        raise InventoryError(found)


def room_models() -> dict[str, type[BaseModel]]:
    """Return the models of the rooms' files, by the name of the schema."""
    return {point.name: point.load() for point in entry_points(group=SCHEMAS)}
