"""`campuswatch report`: what a period was like, for people and for programs."""

from __future__ import annotations

import datetime as dt
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, Final
from zoneinfo import ZoneInfo

import typer
from rich.console import Console
from rich.progress import track

from campuswatch.errors import UserError
from campuswatch.inventory.loader import load_inventory
from campuswatch.inventory.models import School
from campuswatch.language import Language
from campuswatch.options import ConfigOption, JsonOption
from campuswatch.readings import now_ns
from campuswatch.settings import load_settings
from campuswatch.stores import open_store
from campuswatch.stores.base import StoreError, StoreUnavailableError
from targets.check import choose
from targets.period import Period
from targets.reports import (
    bandwidth,
    bandwidth_document,
    devices,
    devices_document,
    equity,
    equity_document,
    uptime,
    uptime_document,
)
from targets.reports.as_csv import write_csv
from targets.reports.as_pdf import write_pdf
from targets.reports.as_xlsx import write_xlsx
from targets.reports.document import Document
from targets.reports.language import Words
from targets.reports.model import Report, Task
from targets.reports.terminal import print_document


class Kind(StrEnum):
    """What a report is about."""

    UPTIME = "uptime"
    BANDWIDTH = "bandwidth"
    DEVICES = "devices"
    EQUITY = "equity"


@dataclass(frozen=True)
class _Maker:
    """How a kind of report is made, and put for people."""

    build: Callable[[Task, Iterator[list[School]]], Report]
    document: Callable[[Any, Words], Document]


MAKERS: Final = {
    Kind.UPTIME: _Maker(uptime.build, uptime_document.document),
    Kind.BANDWIDTH: _Maker(bandwidth.build, bandwidth_document.document),
    Kind.DEVICES: _Maker(devices.build, devices_document.document),
    Kind.EQUITY: _Maker(equity.build, equity_document.document),
}

_SUFFIXES: Final = (".csv", ".xlsx", ".pdf", ".json")


def report(  # noqa: PLR0917 - the options of a command
    kind: Annotated[Kind, typer.Argument(help="What the report is about.")],
    first: Annotated[
        str | None,
        typer.Option("--from", metavar="DATE", help="First day; that of last month if omitted."),
    ] = None,
    last: Annotated[
        str | None,
        typer.Option("--to", metavar="DATE", help="Last day, included; that of last month."),
    ] = None,
    school: Annotated[
        list[str] | None,
        typer.Option("--school", metavar="ID", help="This school only; may be repeated."),
    ] = None,
    lang: Annotated[
        Language, typer.Option("--lang", help="Language for people; JSON has none.")
    ] = Language.EN,
    out: Annotated[
        Path | None,
        typer.Option(
            "--out",
            metavar="FILE",
            help="Write a .csv, .xlsx, .pdf or .json file instead of printing tables.",
        ),
    ] = None,
    json: JsonOption = False,
    config: ConfigOption = Path("config"),
) -> None:
    """Report on the schools' uptime, bandwidth, devices or equity over whole days.

    Example: campuswatch report uptime --from 2026-10-01 --to 2026-10-31 --out october.xlsx
    """
    if out is not None and out.suffix not in _SUFFIXES:
        raise UserError(f"--out {out}: expected a file that ends with {', '.join(_SUFFIXES)}")
    inventory, settings = load_inventory(config), load_settings(config)
    now = now_ns()
    period = _period(first, last, now, ZoneInfo(inventory.district.timezone))
    try:
        with closing(open_store(settings.store, settings.data_dir)) as store:
            task = Task(inventory, store, choose(inventory, school), period, now)
            made = MAKERS[kind].build(task, task.batches(_told(task)))
    except (StoreUnavailableError, StoreError) as error:
        raise UserError(f"store {settings.store.url}: {error}") from None
    if json:
        typer.echo(as_json(made))
    elif out is None:
        print_document(Console(), MAKERS[kind].document(made, Words(lang)))
    else:
        _write(made, MAKERS[kind], Words(lang), out)


def as_json(made: Report) -> str:
    """Return a report as JSON."""
    return made.model_dump_json(by_alias=True, indent=2)


def _told(task: Task) -> Iterator[School]:
    """Yield the schools, with a progress bar."""
    yield from track(
        task.schools,
        "Reading results",
        console=Console(stderr=True),
        transient=True,
        disable=not sys.stderr.isatty(),
    )


def _write(made: Report, maker: _Maker, words: Words, out: Path) -> None:
    try:
        if out.suffix == ".json":
            out.write_text(as_json(made) + "\n", encoding="utf-8")
            return
        document = maker.document(made, words)
        if out.suffix == ".csv":
            write_csv(document, out)
        elif out.suffix == ".xlsx":
            write_xlsx(document, words, out)
        else:
            write_pdf(document, words, out)
    except OSError as error:
        raise UserError(f"--out {out}: {error.strerror}") from None


def _period(first: str | None, last: str | None, now: int, zone: ZoneInfo) -> Period:
    today = dt.datetime.fromtimestamp(now // 10**9, zone).date()
    end = today.replace(day=1) - dt.timedelta(1)
    if (first is None) != (last is None):
        raise UserError(
            "one of --from and --to is missing; expected both, or neither for last month"
        )
    if first is None or last is None:
        return Period(end.replace(day=1), end)
    period = Period(_date("--from", first), _date("--to", last))
    if period.last < period.first:
        raise UserError(f"--to {last} is before --from {first}; expected a later day")
    return period


def _date(option: str, text: str) -> dt.date:
    try:
        return dt.date.fromisoformat(text)
    except ValueError:
        raise UserError(f"{option}: {text!r} is no date; expected one such as 2026-10-01") from None
