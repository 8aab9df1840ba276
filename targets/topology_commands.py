"""`campuswatch topology`: cables as devices see them, beside the uplinks that are declared."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from contextlib import closing
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Final

import typer
from rich.console import Console
from rich.progress import track

from campuswatch.errors import UserError
from campuswatch.inventory.loader import load_inventory
from campuswatch.inventory.models import School
from campuswatch.inventory.wording import unknown
from campuswatch.options import ConfigOption, JsonOption
from campuswatch.readings import now_ns
from campuswatch.settings import Settings, load_settings
from campuswatch.stores import open_store
from campuswatch.stores.base import StoreError, StoreUnavailableError
from targets.check import choose
from targets.drift import Comparison, compare, ways
from targets.link_graph import dot, svg
from targets.link_report import LinkReport, SchoolPart
from targets.link_table import print_comparison, print_ways
from targets.neighbourhood import read_cabling

EXIT_DRIFT: Final = 1
EXIT_CANNOT_TELL: Final = 2


class Format(StrEnum):
    """How cables are shown."""

    TABLE = "table"
    JSON = "json"
    DOT = "dot"
    SVG = "svg"


def topology(
    *,
    config: ConfigOption = Path("config"),
    school: Annotated[
        list[str] | None,
        typer.Option("--school", metavar="ID", help="Look at this school only; repeatable."),
    ] = None,
    diff: Annotated[
        bool, typer.Option("--diff", help="Show only what differs from the inventory.")
    ] = False,
    path: Annotated[
        str | None,
        typer.Option("--path", metavar="ROOM", help="Show the way from a room to the internet."),
    ] = None,
    as_json: JsonOption = False,
    form: Annotated[
        Format, typer.Option("--format", help="svg needs the program dot of Graphviz.")
    ] = Format.TABLE,
    out: Annotated[
        Path | None,
        typer.Option(
            "--out", metavar="FILE", dir_okay=False, help="Write here, not to the terminal."
        ),
    ] = None,
) -> None:
    """Show the cables that devices see by LLDP and CDP, beside the uplinks that are declared.

    A cable is certain when both ends report each other. With --diff, exits
    with 1 if the inventory or a cable is wrong, or else with 2 if no device
    tells of any neighbour, or else with 0.

    Example: campuswatch topology --config config --school jiangwan-no1 --diff
    """
    inventory, settings = load_inventory(config), load_settings(config)
    schools = _schools_of(path, choose(inventory, school or None))
    now = now_ns()
    comparisons = _comparisons(settings, schools, now)
    form = Format.JSON if as_json else form
    text = _text(form, comparisons, path, now)
    if text is not None:
        _write(text, out)
    elif out is None:
        _print(Console(), comparisons, path, only_drift=diff)
    else:
        raise UserError("--out: expected --format json, dot or svg; a table is for the terminal")
    if diff and path is None:
        raise typer.Exit(_exit_code(comparisons))


def _schools_of(room: str | None, schools: Sequence[School]) -> Sequence[School]:
    """Return the schools to look at: with a room, the one that has it."""
    if room is None:
        return schools
    rooms = {each.id: school for school in schools for each in school.rooms()}
    if room not in rooms:
        raise UserError(f"--path: {unknown('room', room, list(rooms), 'the inventory')}")
    return [rooms[room]]


def _comparisons(settings: Settings, schools: Sequence[School], now: int) -> list[Comparison]:
    progress = track(
        schools,
        "Reading neighbours",
        console=Console(stderr=True),
        transient=True,
        disable=not sys.stderr.isatty(),
    )
    try:
        with closing(open_store(settings.store, settings.data_dir)) as store:
            return [compare(school, read_cabling(store, school, now)) for school in progress]
    except (StoreUnavailableError, StoreError) as error:
        raise UserError(f"store {settings.store.url}: {error}") from None


def _text(
    form: Format, comparisons: Sequence[Comparison], room: str | None, now: int
) -> str | None:
    """Return the text of a format; None for the table, which is printed."""
    match form:
        case Format.JSON:
            parts = tuple(SchoolPart.of(comparison, room) for comparison in comparisons)
            return LinkReport(generated=now, schools=parts).model_dump_json(indent=2) + "\n"
        case Format.DOT:
            return dot(comparisons)
        case Format.SVG:
            return svg(dot(comparisons))
        case Format.TABLE:
            return None


def _write(text: str, out: Path | None) -> None:
    if out is None:
        typer.echo(text, nl=False)
        return
    try:
        out.write_text(text, encoding="utf-8")
    except OSError as error:
        raise UserError(f"--out {out}: {error.strerror}; expected a file to write") from None


def _print(
    console: Console, comparisons: Sequence[Comparison], room: str | None, *, only_drift: bool
) -> None:
    for comparison in comparisons:
        if room is None:
            print_comparison(console, comparison, only_drift=only_drift)
        elif found := ways(comparison, room):
            print_ways(console, room, found)
        else:
            console.print(f"room {room}: no device serves it or stands in it", highlight=False)


def _exit_code(comparisons: Sequence[Comparison]) -> int:
    if any(comparison.has_drifted for comparison in comparisons):
        return EXIT_DRIFT
    return EXIT_CANNOT_TELL if all(each.tells_nothing for each in comparisons) else 0
