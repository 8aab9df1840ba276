"""How `snmp try` shows what a device yields."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass

from rich.console import Console
from rich.table import Table
from rich.text import Text

from campuswatch.measurements import CATALOGUE, Field, Measurement
from campuswatch.readings import FieldValue, Reading
from edge_agents.sources.snmp.registry import Profile
from edge_agents.sources.snmp.unread import Subtree


@dataclass(frozen=True)
class Outcome:
    """What came of trying a device.

    Attributes:
        profile: that it was read by; None if it did not answer.
        readings: what it yielded.
        unread: what it has beyond; None if nobody asked.
    """

    profile: Profile | None
    readings: list[Reading]
    unread: list[Subtree] | None


def print_json(host: str, outcome: Outcome) -> None:
    """Print an outcome as one line of JSON."""
    found: dict[str, object] = {
        "host": host,
        "profile": outcome.profile.name if outcome.profile else None,
        "readings": [
            {
                "measurement": reading.measurement,
                "tags": _own_tags(reading),
                "fields": dict(reading.fields),
                "time": reading.time,
            }
            for reading in outcome.readings
        ],
    }
    if outcome.unread is not None:
        found["unread"] = [asdict(subtree) for subtree in outcome.unread]
    print(json.dumps(found, ensure_ascii=False))


def print_readings(host: str, outcome: Outcome) -> None:
    """Print an outcome as tables, a measurement each."""
    console = Console()
    profile = outcome.profile
    if profile is not None:
        console.print(f"{host}: profile [bold]{profile.name}[/bold], {profile.title}")
    for name, measurement in CATALOGUE.items():
        if rows := [reading for reading in outcome.readings if reading.measurement == name]:
            console.print(_table(measurement, rows))
    if outcome.unread is not None:
        console.print(_unread(outcome.unread))


def _unread(subtrees: list[Subtree]) -> Table:
    values = sum(subtree.values for subtree in subtrees)
    table = Table(title=f"not read ({values} values)", title_justify="left")
    table.add_column("subtree")
    table.add_column("MIB or maker")
    table.add_column("values", justify="right")
    for subtree in subtrees:
        table.add_row(subtree.oid, subtree.mib, str(subtree.values))
    return table


def _table(measurement: Measurement, rows: list[Reading]) -> Table:
    table = Table(title=f"{measurement.name} ({len(rows)})", title_justify="left", show_lines=True)
    tags = [tag for tag in measurement.tags if any(_own_tags(row).get(tag) for row in rows)]
    for tag in tags:
        table.add_column(tag, no_wrap=len(tags) == 1)
    table.add_column("fields")
    for row in rows:
        table.add_row(*(Text(row.tags.get(tag, "")) for tag in tags), _fields(measurement, row))
    return table


def _fields(measurement: Measurement, row: Reading) -> Text:
    text = Text()
    for name, value in row.fields.items():
        text.append(", " if text else "").append(f"{name} ", "dim")
        text.append(_words(measurement.fields[name], value))
    return text


def _words(field: Field, value: FieldValue) -> str:
    if isinstance(value, str):
        return repr(value)
    if field.states is not None:
        return field.states.get(int(value), str(value))
    number = f"{value:.6g}" if isinstance(value, float) else str(value)
    return f"{number} {field.unit}".strip()


def _own_tags(reading: Reading) -> dict[str, str]:
    hidden = {"device"}
    if "controller" in reading.tags:
        hidden = {"controller"}  # the reading is about an access point of the device's
    return {name: value for name, value in reading.tags.items() if name not in hidden}
