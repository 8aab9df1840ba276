"""What could be read of an inventory, whole or not."""

from __future__ import annotations

from dataclasses import dataclass

from campuswatch.inventory.models import (
    Calendar,
    District,
    MaintenanceWindow,
    Mapping,
    School,
)


@dataclass(frozen=True)
class Parts:
    """The files that are right by themselves.

    A part is None when its file is wrong: what refers into it can't be
    judged then, and is not reported.

    Attributes:
        district: of district.yaml.
        calendars: of calendar.yaml.
        mappings: of mappings.yaml.
        schools: those whose files are right.
        maintenance: of maintenance.yaml.
    """

    district: District | None
    calendars: list[Calendar] | None
    mappings: list[Mapping] | None
    schools: list[School]
    maintenance: list[MaintenanceWindow] | None = None
