"""`simulation.yaml`: what is simulated beside an inventory whose devices are not real."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from pydantic import Field

from campuswatch.inventory.documents import read_document
from campuswatch.inventory.models import Duration, Model, Slug
from campuswatch.inventory.phrasing import validate_document

FILE: Final = "simulation.yaml"


class Simulation(Model):
    """The content of `simulation.yaml`."""

    seed: int = Field(default=1, description="Of everything that looks like chance.")
    publish_interval: Duration = Field(description="From one MQTT message of a device to its next.")
    broker: str = Field(
        pattern=r"^mqtt://[^/@]+$", description="The district's broker, where the lines end."
    )
    lines: dict[Slug, int] = Field(
        default_factory=dict,
        description="For each school, the port of 127.0.0.1 where its line to the broker begins.",
    )
    faults: Path | None = Field(default=None, description="The fault script.")


def load_simulation(directory: Path) -> Simulation:
    """Read the `simulation.yaml` of a directory.

    Raises:
        InventoryError: it is missing or wrong.
    """
    return validate_document(read_document(directory / FILE), Simulation)
