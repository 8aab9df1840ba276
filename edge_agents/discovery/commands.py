"""`campuswatch discover`: the devices of a network, as inventory to review."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Final

import typer
from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    SpinnerColumn,
    TextColumn,
    TimeRemainingColumn,
)

from campuswatch.cli import EXIT_BAD_INPUT
from campuswatch.errors import UserError
from campuswatch.inventory.imports.merge import merge_rows
from campuswatch.inventory.imports.writing import write_merge
from campuswatch.inventory.loader import SCHOOLS_DIRECTORY, read_draft
from campuswatch.inventory.models import Inventory, School
from campuswatch.inventory.wording import unknown
from campuswatch.options import ConfigOption, JsonOption
from edge_agents.assignment import load_profiles
from edge_agents.discovery.probe import Manners, Prober
from edge_agents.discovery.proposal import propose
from edge_agents.discovery.ranges import Range, read_range
from edge_agents.discovery.report import Report, as_json, print_report
from edge_agents.discovery.survey import Survey, survey
from edge_agents.discovery.throttle import Throttle
from edge_agents.sources.reachability import Pinger
from edge_agents.sources.snmp.credentials import Access, access

EXIT_MISSING: Final = 1
_PINGED_AT_ONCE: Final = 100


def discover(
    cidr: Annotated[str, typer.Argument(metavar="CIDR", help="Network, such as 10.21.0.0/24.")],
    *,
    config: ConfigOption = Path("config"),
    school: Annotated[
        str | None,
        typer.Option("--school", metavar="ID", help="Whose network it is, if there are several."),
    ] = None,
    exclude: Annotated[
        list[str] | None,
        typer.Option("--exclude", metavar="CIDR", help="Never ask these; repeatable."),
    ] = None,
    credentials: Annotated[
        str | None,
        typer.Option(
            "--credentials",
            metavar="ID,...",
            help="Credentials to try, in this order; all of the district when omitted.",
        ),
    ] = None,
    rate: Annotated[
        float, typer.Option("--rate", min=0.1, max=10_000, help="Packets to send in a second.")
    ] = 100.0,
    port: Annotated[
        int, typer.Option("--port", min=1, max=65535, help="UDP port of SNMP agents.")
    ] = 161,
    timeout: Annotated[
        float, typer.Option("--timeout", min=0.01, metavar="SECONDS", help="Of one request.")
    ] = 1.0,
    retries: Annotated[
        int, typer.Option("--retries", min=0, max=10, help="Further tries of a request.")
    ] = 1,
    follow: Annotated[
        int,
        typer.Option(
            "--follow",
            metavar="HOPS",
            min=0,
            max=10,
            help="How often to go on to the private addresses that neighbours name.",
        ),
    ] = 2,
    limit: Annotated[
        int, typer.Option("--limit", min=1, help="The most addresses that are no oversight.")
    ] = 4096,
    out: Annotated[
        Path | None,
        typer.Option(
            "--out",
            metavar="FILE",
            dir_okay=False,
            help="Write the school's file with what was found, to review; "
            "nothing is written when omitted.",
        ),
    ] = None,
    as_json_: JsonOption = False,
) -> None:
    """Find the devices of a network, and write them as inventory to review.

    Each address is asked by ICMP and by SNMP with one credential after the
    other. What answers is recognised, its neighbours by LLDP and CDP are asked
    too, and all is merged with what the school declares: comments and layout
    of its file stay, and nothing that a person decided is changed.

    Exits with 1 if a declared device of the network did not answer, or nobody
    did, with 2 for bad input, else with 0.

    Example: campuswatch discover 10.21.0.0/24 --school jiangwan-no1 --out found.yaml
    """
    draft = read_draft(config)
    inventory = draft.checked().inventory
    chosen = _school(inventory, school)
    swept = read_range(cidr, exclude or [], limit)
    prober = Prober(
        _credentials(inventory, credentials),
        load_profiles(config),
        Manners(port, timeout, retries),
        Throttle(rate),
        Pinger(_PINGED_AT_ONCE, echoes=1),
    )
    seen = _survey(swept, prober, follow)
    proposal = propose(seen, swept, inventory, chosen, port)
    # The draft's own school: places are known of that object alone.
    declared = next(each for each in draft.parts.schools if each.id == chosen.id)
    report = Report(seen, proposal, merge_rows(draft, declared, proposal.rows))
    if out is not None:
        write_merge(report.merge, config / SCHOOLS_DIRECTORY / f"{chosen.id}.yaml", out)
    _say(report, out, as_json_=as_json_)
    if report.merge.faults:
        raise typer.Exit(EXIT_BAD_INPUT)
    if proposal.missing or not seen.alive:
        raise typer.Exit(EXIT_MISSING)


def _school(inventory: Inventory, wanted: str | None) -> School:
    known = [school.id for school in inventory.schools]
    if wanted is None and len(known) > 1:
        raise UserError(f"--school is missing; expected one of {', '.join(known)}")
    chosen = known[0] if wanted is None else wanted
    if chosen not in known:
        raise UserError(f"--school: {unknown('school', chosen, known, SCHOOLS_DIRECTORY + '/')}")
    return inventory.school(chosen)


def _credentials(inventory: Inventory, wanted: str | None) -> Mapping[str, Access]:
    known = inventory.district.credentials
    names = list(known) if wanted is None else [name.strip() for name in wanted.split(",")]
    for name in names:
        if name not in known:
            problem = unknown("credential", name, list(known), "district.yaml")
            raise UserError(f"--credentials: {problem}")
    if not names:
        raise UserError("district.yaml has no credentials; expected one to ask devices with")
    return {name: access(known[name]) for name in names}


def _survey(swept: Range, prober: Prober, hops: int) -> Survey:
    console = Console(stderr=True)
    with Progress(
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        console=console,
        transient=True,
        disable=not console.is_terminal,
    ) as progress:
        task = progress.add_task("Asking", total=None)

        def told(done: int, known: int) -> None:
            progress.update(task, completed=done, total=known)

        return asyncio.run(survey(swept, prober, hops, told))


def _say(report: Report, out: Path | None, *, as_json_: bool) -> None:
    if as_json_:
        typer.echo(json.dumps(as_json(report), indent=2, ensure_ascii=False))
        return
    console = Console()
    print_report(console, report)
    for fault in report.merge.faults:
        typer.echo(f"error: {fault}", err=True)
    if out is not None:
        console.print(f"Written to {out}; review it, and copy it over the school's file.")
    elif report.merge.added or report.merge.changed:
        console.print("Nothing was written; --out FILE writes the school's file to review.")
