"""Configuration files that belong to a room, which the kernel doesn't import.

A room announces in the group `campuswatch.validators` a function that reads
its files and raises `InventoryError`, and in `campuswatch.schemas` the model
of each of its files.
"""

from __future__ import annotations

from importlib.metadata import entry_points
from pathlib import Path
from typing import Final

from pydantic import BaseModel

from campuswatch.inventory.models import Inventory
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


def room_models() -> dict[str, type[BaseModel]]:
    """Return the models of the rooms' files, by the name of the schema."""
    return {point.name: point.load() for point in entry_points(group=SCHEMAS)}
