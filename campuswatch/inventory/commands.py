"""The commands `validate`, `schema` and `import`."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Annotated, Final
from zoneinfo import ZoneInfo

import typer
from rich import box
from rich.console import Console
from rich.progress import track
from rich.table import Table

from campuswatch.cli import EXIT_BAD_INPUT
from campuswatch.errors import UserError
from campuswatch.inventory.extensions import room_problems
from campuswatch.inventory.imports.calendar_merge import (
    CalendarMerge,
    merge_events,
    write_calendar,
)
from campuswatch.inventory.imports.csv_file import COLUMNS, read_csv
from campuswatch.inventory.imports.ics import EventKind, IcsHarvest, read_ics
from campuswatch.inventory.imports.merge import Merge, merge_rows
from campuswatch.inventory.imports.netbox import NetBoxOptions, read_netbox
from campuswatch.inventory.imports.rows import Harvest
from campuswatch.inventory.imports.writing import write_merge
from campuswatch.inventory.loader import (
    CALENDAR_FILE,
    SCHOOLS_DIRECTORY,
    Draft,
    check_inventory,
    read_draft,
)
from campuswatch.inventory.models import DeviceKind, Inventory, School
from campuswatch.inventory.problems import InventoryError, Problem
from campuswatch.inventory.schemas import write_schemas
from campuswatch.inventory.wording import unknown
from campuswatch.options import ConfigOption, JsonOption
from campuswatch.settings import load_settings

import_app: Final = typer.Typer(
    help="Import devices from a CSV file or from NetBox, and terms and exams from iCalendar.",
    no_args_is_help=True,
    rich_markup_mode="rich",
)

_MANY_SCHOOLS: Final = 20
"""From how many on reading them takes about a second, and shows its progress."""

_SchoolOption = Annotated[
    str, typer.Option("--school", metavar="ID", help="The school whose devices they are.")
]
_OutOption = Annotated[
    Path | None,
    typer.Option(
        "--out", metavar="FILE", dir_okay=False, help="Write here; the school's file when omitted."
    ),
]


def validate(config: ConfigOption = Path("config"), as_json: JsonOption = False) -> None:
    """Check the inventory and all other files beside it, and say what the district holds.

    Every fault of every file is printed as FILE:LINE: what is wrong; what was
    expected. Exits with 0 when there is no error, warnings or not, else with 2.

    Example: campuswatch validate --config config
    """
    inventory: Inventory | None = None
    warnings: list[Problem] = []
    errors: list[str] = []
    try:
        checked = check_inventory(config, _progress)
        inventory, warnings = checked.inventory, checked.warnings
        errors += [str(problem) for problem in room_problems(config, inventory)]
    except InventoryError as error:
        errors += [str(problem) for problem in error.problems]
    try:
        load_settings(config)
    except UserError as error:
        errors += str(error).splitlines()
    if as_json:
        _print_json(inventory, warnings, errors)
    else:
        _print_findings(warnings, errors)
        if inventory is not None and not errors:
            _print_summary(inventory)
    if errors:
        raise typer.Exit(EXIT_BAD_INPUT)


def schema(
    out: Annotated[
        Path, typer.Option("--out", metavar="DIR", file_okay=False, help="Where to write them.")
    ] = Path("config/schema"),
) -> None:
    """Write the JSON Schemas of all configuration files, for editors.

    An editor that knows YAML then completes keys, and marks faults while one
    types: each file names its schema in its first line.

    Example: campuswatch schema --out config/schema
    """
    for path in write_schemas(out):
        typer.echo(path)


_CSV_HELP: Final = f"""Import devices from a CSV file, one a row.

New ids are added, and known ones changed where a cell differs. The comments
and the layout of the file stay. Faulty rows are printed and left out, and then
the exit code is 2.

Columns, in any order; an empty cell leaves a value as it is:

{"".join(f"* {name}: {meaning}{chr(10)}" for name, meaning in COLUMNS.items())}
Example: campuswatch import csv devices.csv --school jiangwan-no1"""


@import_app.command("csv", help=_CSV_HELP)
def import_csv(
    file: Annotated[Path, typer.Argument(help="CSV with a header line, saved as UTF-8.")],
    school: _SchoolOption,
    config: ConfigOption = Path("config"),
    out: _OutOption = None,
) -> None:
    """Import devices from a CSV file, one a row."""
    draft = _sound_draft(config)
    chosen = _chosen_school(draft, school)
    _import(draft, chosen, read_csv(file), _file_of(config, chosen), out)


@import_app.command("netbox")
def import_netbox(
    file: Annotated[Path, typer.Argument(help="JSON, as /api/dcim/devices/?limit=0 answers.")],
    *,
    school: _SchoolOption,
    site: Annotated[
        str | None,
        typer.Option("--site", metavar="SLUG", help="The school's NetBox site, if not its id."),
    ] = None,
    snmp: Annotated[
        str | None,
        typer.Option("--snmp", metavar="ID", help="Credential of new devices that name none."),
    ] = None,
    role: Annotated[
        list[str] | None,
        typer.Option("--role", metavar="ROLE=KIND", help="Kind of a device role; repeatable."),
    ] = None,
    config: ConfigOption = Path("config"),
    out: _OutOption = None,
) -> None:
    """Import the active devices of a NetBox site.

    The role's slug says the kind ("access-switch"), the location's slug or name
    the room, and custom fields such as campuswatch_uplink or campuswatch_serves
    the rest. Devices without a primary IP, inactive ones and those of other
    sites are left out, and listed with the reason.

    Example: campuswatch import netbox devices.json --school jiangwan-no1 --snmp campus
    """
    draft = _sound_draft(config)
    chosen = _chosen_school(draft, school)
    options = NetBoxOptions(site or school, snmp, dict(map(_role, role or [])))
    _import(draft, chosen, read_netbox(file, chosen, options), _file_of(config, chosen), out)


@import_app.command("ics")
def import_ics(
    file: Annotated[Path, typer.Argument(help="iCalendar, as calendar programs export it.")],
    *,
    calendar: Annotated[
        str, typer.Option("--calendar", metavar="ID", help="The calendar of calendar.yaml.")
    ] = "default",
    config: ConfigOption = Path("config"),
    out: Annotated[
        Path | None,
        typer.Option(
            "--out", metavar="FILE", dir_okay=False, help="Write here; calendar.yaml when omitted."
        ),
    ] = None,
) -> None:
    """Import terms, exams, make-up days and free days from an iCalendar file.

    What an event is, its categories say or, where they don't, its name: "term",
    "semester" or 学期, "exam" or 考试, "make-up" or 调休, "holiday" or 放假. Others
    are left out, and listed. The comments and the layout of the file stay.

    Example: campuswatch import ics school-year.ics --calendar default
    """
    draft = _sound_draft(config)
    calendars = {known.id: known for known in draft.parts.calendars or []}
    if calendar not in calendars:
        problem = unknown("calendar", calendar, list(calendars), CALENDAR_FILE)
        raise UserError(f"--calendar: {problem}")
    assert draft.parts.district is not None
    harvest = read_ics(file, ZoneInfo(draft.parts.district.timezone))
    merge = merge_events(calendars[calendar], harvest.events)
    path = config / CALENDAR_FILE
    write_calendar(merge, draft, calendar, path, out or path)
    _print_calendar_merge(merge, harvest)


def _print_calendar_merge(merge: CalendarMerge, harvest: IcsHarvest) -> None:
    table = Table(box=None, pad_edge=False)
    for heading in ("", "What", "Days", "Name"):
        table.add_column(heading, overflow="fold")
    for event in (*merge.terms, *merge.exams):
        table.add_row("added", event.kind, f"{event.start} to {event.end}", event.name)
    for term, event in merge.moved:
        moved = f"{term.start} to {term.end} → {event.start} to {event.end}"
        table.add_row("moved", event.kind, moved, event.name)
    for kind, days in (
        (EventKind.EXTRA, merge.extra_days),
        (EventKind.CLOSED, merge.closed_days),
    ):
        for day, name in days:
            table.add_row("added", kind, str(day), name)
    for problem in harvest.skipped:
        table.add_row("skipped", f"line {problem.line}", "", problem.text)
    console = Console()
    if table.row_count:
        console.print(table)
    added = len(merge.terms) + len(merge.exams) + len(merge.extra_days) + len(merge.closed_days)
    console.print(
        f"{added} added, {len(merge.moved)} moved, {len(merge.unchanged)} unchanged, "
        f"{len(harvest.skipped)} skipped",
        highlight=False,
    )


def _role(text: str) -> tuple[str, DeviceKind]:
    role, _, kind = text.partition("=")
    kinds = [known.value for known in DeviceKind]
    if kind not in kinds:
        raise UserError(f"--role {text}: {unknown('kind', kind, kinds, 'ROLE=KIND')}")
    return role, DeviceKind(kind)


def _sound_draft(config: Path) -> Draft:
    draft = read_draft(config, _progress)
    draft.checked()
    return draft


def _chosen_school(draft: Draft, school_id: str) -> School:
    for school in draft.parts.schools:
        if school.id == school_id:
            return school
    known = [school.id for school in draft.parts.schools]
    raise UserError(f"--school: {unknown('school', school_id, known, SCHOOLS_DIRECTORY + '/')}")


def _file_of(config: Path, school: School) -> Path:
    return config / SCHOOLS_DIRECTORY / f"{school.id}.yaml"


def _import(
    draft: Draft, school: School, harvest: Harvest, school_file: Path, out: Path | None
) -> None:
    merge = merge_rows(draft, school, harvest.rows)
    if merge.added or merge.changed or out is not None:
        write_merge(merge, school_file, out or school_file)
    _print_merge(merge, harvest)
    faults = sorted([*harvest.faults, *merge.faults])
    _print_findings([], [str(fault) for fault in faults])
    if faults:
        raise typer.Exit(EXIT_BAD_INPUT)


def _print_merge(merge: Merge, harvest: Harvest) -> None:
    table = Table(box=None, pad_edge=False)
    for heading in ("", "Device", "What"):
        table.add_column(heading, overflow="fold")
    for change in merge.added:
        table.add_row("added", change.device.id, change.device.kind.value)
    for change in merge.changed:
        table.add_row(
            "changed", change.device.id, ", ".join(map(change.describe, change.new_keys()))
        )
    for problem in harvest.skipped:
        table.add_row("skipped", f"line {problem.line}", problem.text)
    console = Console()
    if table.row_count:
        console.print(table)
    faults = len(harvest.faults) + len(merge.faults)
    console.print(
        f"{len(merge.added)} added, {len(merge.changed)} changed, "
        f"{len(merge.unchanged)} unchanged, {len(harvest.skipped)} skipped, {faults} faulty",
        highlight=False,
    )


def _progress(paths: Sequence[Path]) -> Iterable[Path]:
    console = Console(stderr=True)
    quick = len(paths) < _MANY_SCHOOLS or not console.is_terminal
    return track(paths, "Reading schools", console=console, transient=True, disable=quick)


def _print_findings(warnings: Iterable[Problem], errors: Iterable[str]) -> None:
    for warning in warnings:
        typer.echo(f"warning: {warning}", err=True)
    for error in errors:
        typer.echo(f"error: {error}", err=True)


def _print_summary(inventory: Inventory) -> None:
    district = inventory.district
    title = f"{district.name} ({district.id})"
    table = Table(title=title, title_justify="left", show_footer=True, box=box.SIMPLE)
    rows = [_school_row(school) for school in inventory.schools]
    table.add_column("School", "Total", no_wrap=True)
    table.add_column("Name", overflow="fold")
    table.add_column("Area")
    for index, heading in enumerate(("Rooms", "Seats", "Devices"), start=3):
        total = sum(int(row[index]) for row in rows)
        table.add_column(heading, str(total), justify="right")
    for row in rows:
        table.add_row(*row)
    kinds = Counter(device.kind for school in inventory.schools for device in school.devices)
    console = Console()
    console.print(table)
    console.print(
        "Devices by kind: " + ", ".join(f"{count} {kind}" for kind, count in kinds.most_common()),
        highlight=False,
    )


def _school_row(school: School) -> tuple[str, ...]:
    rooms = school.rooms()
    numbers = (len(rooms), sum(room.seats for room in rooms), len(school.devices))
    return (school.id, school.name, school.area.value, *map(str, numbers))


def _print_json(
    inventory: Inventory | None, warnings: Iterable[Problem], errors: Iterable[str]
) -> None:
    report = {
        "errors": list(errors),
        "warnings": [str(warning) for warning in warnings],
        "district": None if inventory is None else inventory.district.id,
        "schools": [] if inventory is None else [_school_json(s) for s in inventory.schools],
    }
    typer.echo(json.dumps(report, indent=2, ensure_ascii=False))


def _school_json(school: School) -> dict[str, object]:
    return {
        "id": school.id,
        "name": school.name,
        "area": school.area.value,
        "rooms": len(school.rooms()),
        "seats": sum(room.seats for room in school.rooms()),
        "devices": Counter(device.kind.value for device in school.devices),
    }
