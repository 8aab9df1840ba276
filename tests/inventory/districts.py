"""A small district that is right, for tests to break or to add to."""

from __future__ import annotations

import shutil
from pathlib import Path

REPOSITORY = Path(__file__).parents[2]
EXAMPLE = REPOSITORY / "config"

_DISTRICT = """\
id: hills
name: Hills
timezone: Asia/Shanghai
country: CN
credentials:
  campus: {version: "2c", community: env:HILLS_COMMUNITY}
"""

_CALENDAR = """\
calendars:
  - id: default
"""

SCHOOL = """\
id: hill
name: Hill School
area: rural
students: 60
agents:
  - id: hill-agent
buildings:
  - id: hill-main
    name: Main building
    floors:
      - id: hill-1f
        name: Floor 1
        level: 0
        rooms:
          - {id: hill-101, name: Room 101, seats: 24}
          - {id: hill-102, name: Room 102, seats: 24, wifi: false}
# What stands in it.
devices:
  # The line ends here.
  - id: hill-router
    name: Router
    kind: router
    address: 10.1.0.1 # by the door
    snmp: campus

  - {id: hill-ap, name: AP, kind: ap, room: hill-101, address: 10.1.0.2, uplink: hill-router}
# The end.
"""


def write_district(directory: Path, school: str = SCHOOL) -> Path:
    """Write the district, with `school` as its only school, and return the school's file."""
    (directory / "district.yaml").write_text(_DISTRICT, encoding="utf-8")
    (directory / "calendar.yaml").write_text(_CALENDAR, encoding="utf-8")
    path = directory / "schools" / "hill.yaml"
    path.parent.mkdir(exist_ok=True)
    path.write_text(school, encoding="utf-8")
    return path


def copy_example(directory: Path) -> Path:
    """Copy the example district below `directory`, and return where."""
    return Path(shutil.copytree(EXAMPLE, directory / "config"))
