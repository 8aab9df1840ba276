"""One device as another system's file describes it."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from campuswatch.inventory.documents import Location
from campuswatch.inventory.problems import Problem


@dataclass(frozen=True)
class Row:
    """A device to import.

    Attributes:
        path: the file it comes from.
        number: the line it begins on.
        data: keys of `Device` with what the file says; what it leaves open
            is left out, and then an existing device keeps its own.
        initial: keys that only a new device takes from the file.
        remark: what is worth a comment beside a new device.
    """

    path: Path
    number: int
    data: dict[str, object]
    initial: dict[str, object] = field(default_factory=dict)
    remark: str = ""

    @property
    def id(self) -> str:
        """The id that the device will have."""
        return str(self.data["id"])

    def line(self, location: Location = ()) -> int:
        """Return the row's line, wherever in the row the fault is."""
        return self.number

    def problem(self, location: Location, text: str) -> Problem:
        """Return a problem of this row."""
        line = self.line(location)
        return Problem(self.path, line, f"device {self.id!r}: {text}", row=self.id)


@dataclass
class Harvest:
    """What was read from a file.

    Attributes:
        rows: devices to import.
        skipped: devices left out on purpose, and why.
        faults: rows that can't be read.
    """

    rows: list[Row] = field(default_factory=list)
    skipped: list[Problem] = field(default_factory=list)
    faults: list[Problem] = field(default_factory=list)
