"""Reading a district's inventory from its directory of YAML files."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final, TypeVar

from pydantic import BaseModel

from campuswatch.inventory.crosschecks import errors, warnings
from campuswatch.inventory.documents import read_document
from campuswatch.inventory.models import CalendarFile, District, Inventory, MappingsFile, School
from campuswatch.inventory.parts import Parts
from campuswatch.inventory.phrasing import validate_document
from campuswatch.inventory.places import Places
from campuswatch.inventory.problems import InventoryError, Problem

DISTRICT_FILE: Final = "district.yaml"
CALENDAR_FILE: Final = "calendar.yaml"
MAPPINGS_FILE: Final = "mappings.yaml"
SCHOOLS_DIRECTORY: Final = "schools"

AnyModel = TypeVar("AnyModel", bound=BaseModel)


@dataclass(frozen=True)
class CheckedInventory:
    """An inventory without errors.

    Attributes:
        inventory: the district.
        warnings: what is allowed but is probably not meant.
    """

    inventory: Inventory
    warnings: list[Problem]


def load_inventory(directory: Path) -> Inventory:
    """Read and check a district's inventory.

    Args:
        directory: holds `district.yaml`, `calendar.yaml`, optionally
            `mappings.yaml`, and one `schools/ID.yaml` per school.

    Raises:
        InventoryError: with every problem of every file.
    """
    return check_inventory(directory).inventory


def check_inventory(directory: Path) -> CheckedInventory:
    """Read and check a district's inventory, and keep the warnings.

    Raises:
        InventoryError: with every problem of every file.
    """
    reader = _Reader()
    district = reader.read(directory / DISTRICT_FILE, District)
    calendar_file = reader.read(directory / CALENDAR_FILE, CalendarFile)
    mappings_path = directory / MAPPINGS_FILE
    mappings_file = (
        reader.read(mappings_path, MappingsFile)
        if mappings_path.exists()
        else MappingsFile(mappings=[])
    )
    parts = Parts(
        district=district,
        calendars=calendar_file.calendars if calendar_file else None,
        mappings=mappings_file.mappings if mappings_file else None,
        schools=_read_schools(reader, directory / SCHOOLS_DIRECTORY),
    )
    problems = [*reader.problems, *errors(parts, reader.places)]
    if problems or district is None or calendar_file is None or mappings_file is None:
        raise InventoryError(problems)
    return CheckedInventory(
        inventory=Inventory(
            district=district,
            calendars=calendar_file.calendars,
            mappings=mappings_file.mappings,
            schools=parts.schools,
        ),
        warnings=sorted(set(warnings(parts, reader.places))),
    )


class _Reader:
    """Reads files into models, and collects what is wrong with them."""

    def __init__(self) -> None:
        self.problems: list[Problem] = []
        self.places = Places()

    def read(self, path: Path, model: type[AnyModel]) -> AnyModel | None:
        try:
            document = read_document(path)
            content = validate_document(document, model)
        except InventoryError as error:
            self.problems.extend(error.problems)
            return None
        self.places.add(document, content)
        return content


def _read_schools(reader: _Reader, directory: Path) -> list[School]:
    paths = sorted(directory.glob("*.yaml"))
    if not paths:
        text = "no school is described here; expected files such as schools/ID.yaml"
        reader.problems.append(Problem(directory, 0, text))
    schools = []
    for path in paths:
        school = reader.read(path, School)
        if school is None:
            continue
        if school.id != path.stem:
            text = f"id is {school.id!r} in a file named {path.name!r}; expected them to agree"
            reader.problems.append(reader.places.problem(school, ["id"], text))
        schools.append(school)
    return schools
