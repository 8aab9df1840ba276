"""`campuswatch check`, whether every school meets its targets now, and `campuswatch targets`."""

from __future__ import annotations

import asyncio
import datetime as dt
import sys
from contextlib import closing
from pathlib import Path
from typing import Annotated, Final
from zoneinfo import ZoneInfo

import typer
from rich.console import Console
from rich.progress import track

from campuswatch.errors import UserError
from campuswatch.inventory.loader import load_inventory
from campuswatch.inventory.models import Inventory
from campuswatch.logs import log_to_stderr
from campuswatch.options import ConfigOption, JsonOption, LogLevel, LogLevelOption
from campuswatch.readings import now_ns
from campuswatch.services import ServiceContext, run_services
from campuswatch.settings import load_settings
from campuswatch.stores import open_store
from campuswatch.stores.base import Store, StoreError, StoreUnavailableError
from targets.check import batches, check_schools, choose
from targets.service import serve
from targets.table import print_report
from targets.verdicts import CheckReport, Verdict, worst

EXIT_CODES: Final = {Verdict.MET: 0, Verdict.MISSED: 1, Verdict.CANNOT_TELL: 2}

SchoolsOption = Annotated[
    list[str] | None,
    typer.Option("--school", metavar="ID", help="Check this school only; may be repeated."),
]
AtOption = Annotated[
    str | None,
    typer.Option(
        "--at",
        metavar="TIME",
        help="Judge as of this time, such as 2026-10-12T10:30, in the district's zone "
        "unless it says another; now when omitted.",
    ),
]


def check(
    config: ConfigOption = Path("config"),
    school: SchoolsOption = None,
    json: JsonOption = False,
    at: AtOption = None,
) -> None:
    """Say for each school whether it meets its targets, and what keeps it from them.

    Exits with 1 if any target is missed, or else with 2 if any can't be told
    (and for bad input), or else with 0.

    Example: campuswatch check --config config --school jiangwan-no1
    """
    inventory, settings = load_inventory(config), load_settings(config)
    now = now_ns() if at is None else _instant(at, ZoneInfo(inventory.district.timezone))
    try:
        with closing(open_store(settings.store, settings.data_dir)) as store:
            report = _report(inventory, store, now, school)
    except (StoreUnavailableError, StoreError) as error:
        raise UserError(f"store {settings.store.url}: {error}") from None
    if json:
        typer.echo(report.model_dump_json(by_alias=True, indent=2))
    else:
        print_report(Console(), report, inventory)
    raise typer.Exit(EXIT_CODES[worst([found.verdict for found in report.schools])])


def targets(
    config: ConfigOption = Path("config"), log_level: LogLevelOption = LogLevel.INFO
) -> None:
    """Keep daily results up to date, and write every minute how schools stand.

    It summarises each day once it is over, and again when readings of it come
    late, so that checks, reports and dashboards need not read a year of
    samples. It runs beside the collectors; one is enough.

    Example: campuswatch targets --config config
    """
    log_to_stderr(log_level)
    inventory, settings = load_inventory(config), load_settings(config)
    try:
        with closing(open_store(settings.store, settings.data_dir)) as store:
            context = ServiceContext(config, inventory, settings, store)
            asyncio.run(run_services(context, [serve], "targets"))
    except (StoreUnavailableError, StoreError) as error:
        raise UserError(f"store {settings.store.url}: {error}") from None


def _instant(text: str, zone: ZoneInfo) -> int:
    """Return a time as ns UTC.

    Raises:
        UserError: it is no ISO 8601 time.
    """
    try:
        moment = dt.datetime.fromisoformat(text)
    except ValueError:
        raise UserError(
            f"--at: {text!r} is no time; expected ISO 8601, such as 2026-10-12T10:30"
        ) from None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=zone)
    return round(moment.timestamp() * 1_000_000) * 1000


def _report(inventory: Inventory, store: Store, now: int, schools: list[str] | None) -> CheckReport:
    progress = track(
        choose(inventory, schools),
        "Checking schools",
        console=Console(stderr=True),
        transient=True,
        disable=not sys.stderr.isatty(),
    )
    verdicts = [
        verdict
        for batch in batches(progress)
        for verdict in check_schools(inventory, batch, store, now)
    ]
    return CheckReport(generated=now, schools=tuple(verdicts))
