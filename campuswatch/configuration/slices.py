"""What of a district's inventory an agent needs, and nothing of other schools."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Final

from pydantic import BaseModel

from campuswatch.inventory.documents import read_text
from campuswatch.inventory.loader import (
    CALENDAR_FILE,
    DISTRICT_FILE,
    MAPPINGS_FILE,
    SCHOOLS_DIRECTORY,
)
from campuswatch.inventory.models import CalendarFile, Inventory, MappingsFile, School

OWN_DIRECTORIES: Final = ("profiles", "registers")
"""Where a district describes devices by itself, beside its inventory: SNMP
profiles, and registers of Modbus devices."""


def slice_files(inventory: Inventory, school: School, config_dir: Path) -> dict[str, str]:
    """Return the files from which a school's agents can be run.

    They are JSON, which is YAML too, and hold the school, its calendar, the
    mappings and credentials that it refers to, and the district's own
    descriptions of devices. Secrets are not in them: a credential says where its secret is.

    Args:
        inventory: the district.
        school: one of its schools.
        config_dir: the inventory's directory, for these descriptions.

    Returns:
        The text of each file, by its path below a configuration's directory.

    Raises:
        InventoryError: one of them can't be read.
    """
    district = inventory.district
    named = {device.snmp for device in school.devices}
    named.update(*(agent.traps.credentials for agent in school.agents if agent.traps))
    credentials = {id_: each for id_, each in district.credentials.items() if id_ in named}
    calendars = [each for each in inventory.calendars if each.id == school.calendar]
    used = {entry.mapping for device in school.devices for entry in device.mqtt}
    mappings = [mapping for mapping in inventory.mappings if mapping.id in used]
    return {
        DISTRICT_FILE: _text(
            district.model_copy(update={"credentials": credentials, "targets": []})
        ),
        CALENDAR_FILE: _text(CalendarFile(calendars=calendars)),
        MAPPINGS_FILE: _text(MappingsFile(mappings=mappings)),
        f"{SCHOOLS_DIRECTORY}/{school.id}.yaml": _text(school),
    } | _own_descriptions(config_dir)


def _text(model: BaseModel) -> str:
    # What was left out stays left out: an interval that is not declared is learned.
    content = model.model_dump(mode="json", exclude_unset=True)
    return json.dumps(content, indent=1, sort_keys=True, ensure_ascii=False) + "\n"


def _own_descriptions(config_dir: Path) -> dict[str, str]:
    return {
        path.relative_to(config_dir).as_posix(): read_text(path)
        for directory in OWN_DIRECTORIES
        for path in sorted((config_dir / directory).rglob("*.yaml"))
    }
