"""The commands `campuswatch collector` and `campuswatch audit`."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import Iterable, Iterator, Sequence
from datetime import timedelta
from itertools import groupby
from pathlib import Path
from typing import Annotated, Final

import typer
from pydantic import ValidationError
from rich.console import Console
from rich.table import Table

from campuswatch.errors import UserError
from campuswatch.inventory.loader import load_inventory
from campuswatch.inventory.models import Inventory, parse_duration
from campuswatch.logs import log_to_stderr
from campuswatch.options import ConfigOption, JsonOption, LogLevel, LogLevelOption
from campuswatch.readings import now_ns
from campuswatch.services import ServiceContext, run_services
from campuswatch.settings import CollectorSettings, Settings, load_settings
from campuswatch.stores import open_store
from campuswatch.stores.base import Store, StoreError, StoreUnavailableError
from collector.audit import StreamAudit, audit_streams, outcome
from collector.ranges import write_ranges
from collector.service import retire, serve

_MOST_RANGES: Final = 20
_STREAM_START: Final = 8  # characters, which tell any two streams apart

IdOption = Annotated[
    str | None,
    typer.Option(
        "--id",
        metavar="NAME",
        help="This collector's name, the same over restarts and no other's; the settings' or "
        "the host's when omitted.",
    ),
]


def _since(text: str) -> timedelta:
    try:
        duration = parse_duration(text)
    except ValueError as error:
        raise typer.BadParameter(str(error)) from None
    assert isinstance(duration, timedelta)
    return duration


def collector(
    config: ConfigOption = Path("config"),
    name: IdOption = None,
    retiring: Annotated[
        bool,
        typer.Option(
            "--retire",
            help="Take what the broker still holds for this collector, and leave for good.",
        ),
    ] = False,
    log_level: LogLevelOption = LogLevel.INFO,
) -> None:
    """Take readings from the broker into the store.

    Run as many as needed, on any hosts: they share the work. Each needs an id
    of its own, because the broker gives a collector its share also while it is
    away, and keeps it until it is back. Retire one that will not come back.

    Example: campuswatch collector --config config --id district-1
    """
    log_to_stderr(log_level)
    inventory, settings = load_inventory(config), _named(load_settings(config), name)
    settings.data_dir.mkdir(parents=True, exist_ok=True)
    with _store(settings) as store:
        context = ServiceContext(config, inventory, settings, store)
        asyncio.run(run_services(context, [retire if retiring else serve], "collector"))


@contextlib.contextmanager
def _store(settings: Settings) -> Iterator[Store]:
    """Open the store, and turn what it refuses into a message.

    Raises:
        UserError: it can't be opened or asked.
    """
    try:
        with contextlib.closing(open_store(settings.store, settings.data_dir)) as store:
            yield store
    except (StoreUnavailableError, StoreError) as error:
        raise UserError(f"store {settings.store.url}: {error}") from None


def _named(settings: Settings, name: str | None) -> Settings:
    """Let `--id` win over the file and the environment."""
    if name is None:
        return settings
    try:
        named = CollectorSettings(**{**settings.collector.model_dump(), "id": name})
    except ValidationError:
        raise UserError(
            f'--id {name!r}: expected lower-case letters, digits and single hyphens, as in "c-1"'
        ) from None
    return settings.model_copy(update={"collector": named})


def audit(
    config: ConfigOption = Path("config"),
    since: Annotated[
        timedelta,
        typer.Option(
            "--since",
            parser=_since,
            metavar="DURATION",
            help="How far to look back.",
            show_default="24h",
        ),
    ] = timedelta(days=1),
    school: Annotated[
        list[str] | None,
        typer.Option("--school", metavar="ID", help="Audit this school only; may be repeated."),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Count, for every agent, the batches sent, stored, repeated and missing.

    Exits with 1 if any batch is missing or was dropped at the edge, or else
    with 2 if an agent delivered nothing (and for bad input), or else with 0.

    Example: campuswatch audit --config config --since 24h
    """
    inventory, settings = load_inventory(config), load_settings(config)
    agents = _agents(inventory, school)
    end = now_ns()
    start = end - int(since.total_seconds() * 1e9)
    with _store(settings) as store, Console(stderr=True).status("asking the store"):
        audits = audit_streams(store, agents, start, end)
    if as_json:
        typer.echo(json.dumps([_as_json(row) for row in audits], indent=2))
    else:
        _print(audits)
    raise typer.Exit(outcome(audits))


def _agents(inventory: Inventory, chosen: Sequence[str] | None) -> list[tuple[str, str]]:
    known = {school.id for school in inventory.schools}
    if unknown := set(chosen or ()) - known:
        raise UserError(f"--school {min(unknown)}: expected one of {', '.join(sorted(known))}")
    return [
        (school.id, agent.id)
        for school in inventory.schools
        if chosen is None or school.id in chosen
        for agent in school.agents
    ]


def _as_json(row: StreamAudit) -> dict[str, object]:
    return {
        "school": row.school,
        "agent": row.agent,
        "stream": row.stream or None,
        "sent": row.sent,
        "stored": row.stored,
        "repeated": row.repeated,
        "missing": row.missing.total,
        "missing_ranges": [[first, end - 1] for first, end in row.missing],
        "dropped": row.dropped.total,
        "dropped_ranges": [[first, end - 1] for first, end in row.dropped],
        "waiting": row.waiting.total,
        "quarantined_lines": row.quarantined,
    }


def _print(audits: Sequence[StreamAudit]) -> None:
    console = Console()
    for school, rows in groupby(audits, key=lambda row: row.school):
        console.print(_table(school, rows))
    console.print(
        "Batches, by the spool (stream) that numbered them; refused: lines in quarantine."
    )
    for row in audits:
        for what, lost in (("missing", row.missing), ("dropped", row.dropped)):
            if lost:
                ranges = write_ranges(lost, _MOST_RANGES)
                console.print(f"{row.school}/{row.agent} {row.stream} {what}: {ranges}")


def _table(school: str, rows: Iterable[StreamAudit]) -> Table:
    """Return one school's table, of the same width for every school and below 80 columns."""
    table = Table(
        title=school, title_justify="left", title_style="bold", box=None, padding=(0, 1, 0, 0)
    )
    table.add_column("Agent", width=14, overflow="fold")
    table.add_column("Stream", width=_STREAM_START)
    for heading in ("Sent", "Stored", "Repeats", "Missing", "Dropped", "Waiting", "Refused"):
        table.add_column(heading, justify="right", width=7)
    for row in rows:
        table.add_row(
            row.agent,
            row.stream[:_STREAM_START] or "none",
            str(row.sent),
            str(row.stored),
            str(row.repeated),
            str(row.missing.total),
            str(row.dropped.total),
            str(row.waiting.total),
            str(row.quarantined),
            style=_style(row),
        )
    return table


def _style(row: StreamAudit) -> str | None:
    if row.missing or row.dropped:
        return "red"
    return None if row.stored else "yellow"
