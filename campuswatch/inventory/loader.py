"""Reading a district's inventory from its directory of YAML files."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TypeVar

from pydantic import BaseModel

from campuswatch.inventory.crosschecks import errors, warnings
from campuswatch.inventory.documents import read_document
from campuswatch.inventory.models import (
    CalendarFile,
    District,
    Inventory,
    MaintenanceFile,
    MappingsFile,
    School,
)
from campuswatch.inventory.parts import Parts
from campuswatch.inventory.phrasing import validate_document
from campuswatch.inventory.places import Places
from campuswatch.inventory.problems import InventoryError, Problem

DISTRICT_FILE: Final = "district.yaml"
CALENDAR_FILE: Final = "calendar.yaml"
MAPPINGS_FILE: Final = "mappings.yaml"
MAINTENANCE_FILE: Final = "maintenance.yaml"
SCHOOLS_DIRECTORY: Final = "schools"

AnyModel = TypeVar("AnyModel", bound=BaseModel)
Walk = Callable[[Sequence[Path]], Iterable[Path]]


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
            `mappings.yaml` and `maintenance.yaml`, and one `schools/ID.yaml` per
            school.

    Raises:
        InventoryError: with every problem of every file.
    """
    return check_inventory(directory).inventory


def check_inventory(directory: Path, walk: Walk = iter) -> CheckedInventory:
    """Read and check a district's inventory, and keep the warnings.

    Args:
        directory: as for `load_inventory`.
        walk: iterates over the schools' files, and may show how far it is.

    Raises:
        InventoryError: with every problem of every file.
    """
    return read_draft(directory, walk).checked()


@dataclass(frozen=True)
class Draft:
    """An inventory as its files are, right or wrong.

    Attributes:
        parts: the files that are right by themselves.
        places: where their content stands.
        problems: what is wrong with the others.
    """

    parts: Parts
    places: Places
    problems: list[Problem]

    def checked(self) -> CheckedInventory:
        """Return the inventory, if it is right as a whole.

        Raises:
            InventoryError: with every problem of every file.
        """
        parts = self.parts
        problems = [*self.problems, *errors(parts, self.places)]
        district, calendars, mappings = parts.district, parts.calendars, parts.mappings
        if problems or district is None or calendars is None or mappings is None:
            raise InventoryError(problems)
        return CheckedInventory(
            inventory=Inventory(
                district=district,
                calendars=calendars,
                mappings=mappings,
                schools=parts.schools,
                maintenance=parts.maintenance or [],
            ),
            warnings=sorted(set(warnings(parts, self.places))),
        )


def read_draft(directory: Path, walk: Walk = iter) -> Draft:
    """Read the files of an inventory; `walk` is as for `check_inventory`."""
    reader = _Reader()
    district = reader.read(directory / DISTRICT_FILE, District)
    calendars = reader.read(directory / CALENDAR_FILE, CalendarFile)
    path = directory / MAPPINGS_FILE
    mappings = reader.read(path, MappingsFile) if path.exists() else MappingsFile(mappings=[])
    path = directory / MAINTENANCE_FILE
    maintenance = reader.read(path, MaintenanceFile) if path.exists() else None
    parts = Parts(
        district=district,
        calendars=calendars.calendars if calendars else None,
        mappings=mappings.mappings if mappings else None,
        schools=_read_schools(reader, directory / SCHOOLS_DIRECTORY, walk),
        maintenance=maintenance.maintenance if maintenance else None,
    )
    return Draft(parts, reader.places, reader.problems)


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


def _read_schools(reader: _Reader, directory: Path, walk: Walk) -> list[School]:
    paths = sorted(directory.glob("*.yaml"))
    if not paths:
        text = "no school is described here; expected files such as schools/ID.yaml"
        reader.problems.append(Problem(directory, 0, text))
    schools = []
    for path in walk(paths):
        school = reader.read(path, School)
        if school is None:
            continue
        if school.id != path.stem:
            text = f"id is {school.id!r} in a file named {path.name!r}; expected them to agree"
            reader.problems.append(reader.places.problem(school, ["id"], text))
        schools.append(school)
    return schools
