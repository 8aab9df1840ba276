"""Reading alerts.yaml."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Final

from alerts.models import AlertsFile
from campuswatch.inventory.documents import Document, read_document
from campuswatch.inventory.models import Inventory
from campuswatch.inventory.phrasing import validate_document
from campuswatch.inventory.problems import InventoryError, Problem
from campuswatch.inventory.wording import nearest

ALERTS_FILE: Final = "alerts.yaml"


def load_alerts(directory: Path, inventory: Inventory) -> AlertsFile:
    """Read how a district wants to be alerted; a directory without the file has the defaults.

    Args:
        directory: the inventory's directory, which may hold `alerts.yaml`.
        inventory: the district, whose schools the receivers refer to.

    Raises:
        InventoryError: with every problem of the file.
    """
    path = directory / ALERTS_FILE
    if not path.exists():
        return AlertsFile()
    document = read_document(path)
    content = validate_document(document, AlertsFile)
    if problems := [*_doubled(document, content), *_dangling(document, content, inventory)]:
        raise InventoryError(problems)
    return content


def _doubled(document: Document, content: AlertsFile) -> Iterator[Problem]:
    first: dict[str, int] = {}
    for index, receiver in enumerate(content.receivers):
        location = ("receivers", index, "id")
        if receiver.id in first:
            text = (
                f"receiver {receiver.id!r} is already on line {first[receiver.id]}; "
                "expected each id once"
            )
            yield document.problem(location, text)
        first.setdefault(receiver.id, document.line(location))


def _dangling(document: Document, content: AlertsFile, inventory: Inventory) -> Iterator[Problem]:
    known = [school.id for school in inventory.schools]
    for index, receiver in enumerate(content.receivers):
        for position, school in enumerate(receiver.schools.ids or []):
            if school not in known:
                near = nearest(school, known)
                hint = f"did you mean {near!r}?" if near else "expected the id of a school"
                location = ("receivers", index, "schools", "ids", position)
                yield document.problem(location, f"no school {school!r}; {hint}")
