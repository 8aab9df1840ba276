"""The example district, and one with a single small school, for the simulator's tests."""

from __future__ import annotations

from pathlib import Path

from campuswatch.inventory.loader import load_inventory
from campuswatch.inventory.models import Inventory

EXAMPLE = Path(__file__).parents[2] / "config"


def example() -> Inventory:
    return load_inventory(EXAMPLE)


def only(inventory: Inventory, school: str) -> Inventory:
    return inventory.model_copy(update={"schools": [inventory.school(school)], "maintenance": []})
