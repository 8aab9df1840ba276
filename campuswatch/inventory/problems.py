"""What is wrong with an inventory, and where."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from campuswatch.errors import UserError


@dataclass(frozen=True, order=True, slots=True)
class Problem:
    """One thing for the user to mend.

    Attributes:
        file: the file it is in.
        line: the line, from 1; 0 when the file as a whole is meant.
        text: what is wrong; what was expected.
        row: id of the imported device that is wrong, if one is; files of
            other systems may hold all their devices on one line.
    """

    file: Path
    line: int
    text: str
    row: str = field(default="", compare=False)

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}" if self.line else f"{self.file}"
        return f"{place}: {self.text}"


class InventoryError(UserError):
    """Everything that is wrong with an inventory, one problem a line.

    Attributes:
        problems: sorted by file and line, each once.
    """

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = sorted(set(problems))
        super().__init__("\n".join(str(problem) for problem in self.problems))
