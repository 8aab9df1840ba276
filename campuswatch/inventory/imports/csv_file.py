"""Devices from a CSV file, one a row."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from campuswatch.inventory.documents import read_text
from campuswatch.inventory.imports.rows import Harvest, Row
from campuswatch.inventory.problems import InventoryError, Problem
from campuswatch.inventory.wording import nearest

COLUMNS: Final = {
    "id": "unique in the district; the only column that every row needs",
    "name": "for people, in any script; a new device has its id when this is empty",
    "kind": "switch, ap, router, ...; needed for new devices",
    "room": "id of the room it stands in",
    "address": "IP address or host name",
    "port": "UDP port of its SNMP agent",
    "snmp": "a credential of district.yaml",
    "profile": "SNMP profile",
    "ping": "true or false",
    "uplink": "id of the next device towards the internet",
    "uplink_port": "the uplink's port that it is plugged into",
    "chassis_id": "what it calls itself by LLDP, mostly a MAC address",
    "serial_number": "serial number of its chassis",
    "serves": "ids of the rooms an AP covers, separated by spaces",
    "interval": "polling interval, such as 60s",
    "timeout": "of one request, such as 2s",
    "retries": "further tries of a request",
    "agent": "the agent that polls it",
}
"""The columns that are read, in any order; an empty cell leaves a value as it is."""

_DELIMITERS: Final = (",", ";", "\t")
_Line = tuple[int, list[str]]


def read_csv(path: Path) -> Harvest:
    """Read devices from a CSV file with a header (RFC 4180, UTF-8).

    Comma, semicolon or tab may separate the cells; the header decides.

    Raises:
        InventoryError: the file can't be read, or its header is wrong.
    """
    lines, broken = _read_lines(path)
    columns = [name.casefold() for name in lines[0][1]] if lines else []
    faults = list(_header_faults(path, columns)) if lines or not broken else broken
    if faults:
        raise InventoryError(faults)
    harvest = Harvest(faults=broken)
    for number, cells in lines[1:]:
        if len(cells) > len(columns):
            fault = f"the row has {len(cells)} cells; expected {len(columns)}, as in the header"
            harvest.faults.append(Problem(path, number, fault))
            continue
        data = {name: cell for name, cell in zip(columns, cells, strict=False) if cell}
        if "id" in data:
            harvest.rows.append(Row(path, number, {**data, **_lists(data)}))
        elif data:
            harvest.faults.append(Problem(path, number, "the row has no id; expected one"))
    return harvest


def _read_lines(path: Path) -> tuple[list[_Line], list[Problem]]:
    """Return rows of stripped cells with the line each begins on, up to the first fault."""
    text = read_text(path)
    delimiter = max(_DELIMITERS, key=text.partition("\n")[0].count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    lines: list[_Line] = []
    number = 1
    try:
        for cells in reader:
            lines.append((number, [cell.strip() for cell in cells]))
            number = reader.line_num + 1
    except csv.Error as error:
        fault = f"no valid CSV: {error}; expected cells quoted as in RFC 4180"
        return lines, [Problem(path, number, fault)]
    return lines, []


def _header_faults(path: Path, columns: list[str]) -> Iterator[Problem]:
    for index, name in enumerate(columns):
        if name not in COLUMNS:
            near = nearest(name, list(COLUMNS))
            hint = f"did you mean {near!r}?" if near else f"expected some of {', '.join(COLUMNS)}"
            yield Problem(path, 1, f"unknown column {name!r}; {hint}")
        elif name in columns[:index]:
            yield Problem(path, 1, f"column {name!r} is here twice; expected it once")
    if "id" not in columns:
        yield Problem(path, 1, "no column 'id'; expected a header line that names the columns")


def _lists(data: dict[str, str]) -> dict[str, list[str]]:
    return {"serves": data["serves"].split()} if "serves" in data else {}
