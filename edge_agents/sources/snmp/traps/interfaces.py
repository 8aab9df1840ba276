"""The names of ports, which notifications give by number."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable

from campuswatch.measurements import CATALOGUE
from campuswatch.readings import Reading
from edge_agents.sources.base import Emit

_INTERFACE = CATALOGUE["interface"]


class InterfaceNames:
    """What polling has learnt: the `interface` tag by device and ifIndex."""

    def __init__(self) -> None:
        self._names: dict[tuple[str, int], str] = {}

    def listening(self, emit: Emit) -> Emit:
        """Return an `emit` that learns from what passes."""

        def learning(readings: Iterable[Reading]) -> asyncio.Future[None]:
            passed = list(readings)
            for reading in passed:
                if reading.measurement == _INTERFACE.name:
                    self._learn(reading)
            return emit(passed)

        return learning

    def name(self, device: str, index: int) -> str | None:
        """Return the port's tag; None if it has not been read yet."""
        return self._names.get((device, index))

    def _learn(self, reading: Reading) -> None:
        index = reading.fields.get("index")
        if isinstance(index, int):
            self._names[reading.tags["device"], index] = reading.tags["interface"]
