"""The commands `snmp try` and `snmp walk`."""

from __future__ import annotations

import asyncio
import datetime as dt
import json
import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Final

import typer
from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from campuswatch.cli import EXIT_BAD_INPUT
from campuswatch.errors import UserError
from campuswatch.inventory.loader import load_inventory
from campuswatch.inventory.models import Device, DeviceKind
from campuswatch.options import JsonOption
from campuswatch.readings import Reading, merged
from edge_agents.sources.reachability import Pinger, UnresolvableError, resolve
from edge_agents.sources.snmp.credentials import Access, CommunityAccess, access
from edge_agents.sources.snmp.errors import SnmpError
from edge_agents.sources.snmp.linting import lint_profiles, write_profile_schema
from edge_agents.sources.snmp.masking import masked
from edge_agents.sources.snmp.opening import open_session
from edge_agents.sources.snmp.recording import Recording, line, parse_oid
from edge_agents.sources.snmp.registry import ProfileRegistry
from edge_agents.sources.snmp.replay import replaying
from edge_agents.sources.snmp.session import SnmpSession, Value
from edge_agents.sources.snmp.showing import Outcome, print_json, print_readings
from edge_agents.sources.snmp.source import SnmpSource
from edge_agents.sources.snmp.unread import unread as subtrees_unread

EXIT_NO_ANSWER: Final = 1

MIB_2: Final = "1.3.6.1.2.1"
EVERYTHING: Final = ("1.0.8802", "1.3.6.1")
"""Where all MIBs are: IEEE 802.1's, and the internet's."""

snmp_app: Final = typer.Typer(
    help="Ask a device by SNMP, to see what Campuswatch makes of it.",
    no_args_is_help=True,
    rich_markup_mode="rich",
)

_HostArgument = Annotated[str, typer.Argument(metavar="HOST", help="IP address or host name.")]
_PortOption = Annotated[int, typer.Option("--port", min=1, max=65535, help="UDP port.")]
_CommunityOption = Annotated[
    str | None,
    typer.Option(
        "--community-env",
        metavar="NAME",
        help='Environment variable with the SNMPv2c community; "public" is tried when omitted.',
    ),
]
_CredentialOption = Annotated[
    str | None,
    typer.Option(
        "--credential", metavar="ID", help="A credential of the inventory instead, v2c or v3."
    ),
]
_ConfigOption = Annotated[
    Path,
    typer.Option(
        "--config",
        metavar="DIR",
        envvar="CAMPUSWATCH_CONFIG",
        file_okay=False,
        help="Directory of the inventory that --credential names one of.",
    ),
]
_TimeoutOption = Annotated[
    float, typer.Option("--timeout", min=0.01, metavar="SECONDS", help="Of one request.")
]
_RetriesOption = Annotated[
    int, typer.Option("--retries", min=0, max=10, help="Further tries of a request.")
]


@snmp_app.command("try")
def try_device(
    host: Annotated[str, typer.Argument(metavar="[HOST]", help="IP address or host name.")] = "",
    *,
    replay: Annotated[
        Path | None,
        typer.Option(
            "--replay",
            metavar="FILE",
            help="Ask a recording (.snmprec, .snmprec.bz2) instead of a host.",
        ),
    ] = None,
    unread: Annotated[
        bool,
        typer.Option(
            "--unread",
            help="Also show what the device has and no profile reads; walks all of it.",
        ),
    ] = False,
    port: _PortOption = 161,
    community_env: _CommunityOption = None,
    credential: _CredentialOption = None,
    config: _ConfigOption = Path("config"),
    profile: Annotated[
        str | None,
        typer.Option("--profile", metavar="NAME", help="Read it so, whatever it says it is."),
    ] = None,
    interval: Annotated[
        float,
        typer.Option(
            "--interval",
            min=0.0,
            metavar="SECONDS",
            help="Time to a second poll, which rates need; 0 polls once.",
        ),
    ] = 10.0,
    timeout: _TimeoutOption = 2.0,
    retries: _RetriesOption = 2,
    as_json: JsonOption = False,
) -> None:
    """Show the profile that fits a device, and every reading a poll would yield.

    Exits with 1 if the device does not answer.

    Example: campuswatch snmp try 10.1.0.2 --community-env SNMP_COMMUNITY

    Example: campuswatch snmp try --replay switch.snmprec --interval 0 --unread
    """
    if bool(host) == (replay is not None):
        raise UserError("expected a HOST, or --replay FILE")
    profiles = ProfileRegistry.load()
    if profile is not None:
        profiles.get(profile)
    place = _Place(host, port, _access(community_env, credential, config), timeout, retries)
    attempt = _Attempt(place, profile, interval, unread)
    if replay is None:
        outcome = asyncio.run(_tried(attempt, profiles))
    else:
        outcome = asyncio.run(_replayed(attempt, profiles, Recording.load(replay)))
    name = host or str(replay)
    if as_json:
        print_json(name, outcome)
    else:
        print_readings(name, outcome)
    if outcome.profile is None:
        raise typer.Exit(EXIT_NO_ANSWER)


@snmp_app.command("walk")
def walk(
    host: _HostArgument,
    oid: Annotated[
        str | None,
        typer.Argument(
            metavar="[OID]",
            help="Where to begin, dotted; 1.3.6.1.2.1 when omitted, and everything with --out.",
        ),
    ] = None,
    *,
    out: Annotated[
        Path | None,
        typer.Option(
            "--out",
            metavar="FILE",
            dir_okay=False,
            help="Record into a .snmprec file, which `try --replay` and snmpsim answer from.",
        ),
    ] = None,
    port: _PortOption = 161,
    community_env: _CommunityOption = None,
    credential: _CredentialOption = None,
    config: _ConfigOption = Path("config"),
    timeout: _TimeoutOption = 2.0,
    retries: _RetriesOption = 2,
    as_json: JsonOption = False,
) -> None:
    """Print every OID below one, and its value; what is no UTF-8 text in hexadecimal.

    In a recording the MAC addresses of clients and the names of who is signed in
    are pseudonyms; what the device says of itself, serial numbers too, is not.

    Exits with 1 if the device does not answer, or stops half-way.

    Example: campuswatch snmp walk 10.1.0.2 1.3.6.1.2.1.2.2.1.2

    Example: campuswatch snmp walk 10.1.0.2 --out switch.snmprec
    """
    place = _Place(host, port, _access(community_env, credential, config), timeout, retries)
    try:
        if out is None:
            asyncio.run(_walk(place, _oid(oid or MIB_2), as_json))
        else:
            roots = EVERYTHING if oid is None else (_oid(oid),)
            _record(place, roots, out)
    except (SnmpError, UnresolvableError) as error:
        print(f"{host}: {error}", file=sys.stderr)
        raise typer.Exit(EXIT_NO_ANSWER) from None


@snmp_app.command("lint")
def lint(
    files: Annotated[
        list[Path] | None,
        typer.Argument(
            metavar="[FILES]",
            help="Profile files to check beside the shipped ones; these alone when omitted.",
        ),
    ] = None,
    schema: Annotated[
        Path | None,
        typer.Option(
            "--schema",
            metavar="FILE",
            dir_okay=False,
            help="Write the JSON Schema of profile files for editors, and check nothing.",
        ),
    ] = None,
) -> None:
    """Check SNMP profiles, and print every fault as FILE:LINE and what was expected.

    Beside what would keep a profile from loading it finds profiles that no device
    can have, two of the same name, OIDs within others, and values read twice.

    Exits with 0 when there is no fault, else with 2.

    Example: campuswatch snmp lint profiles/rack-sensor.yaml
    """
    if schema is not None:
        write_profile_schema(schema)
        return
    problems, count = lint_profiles(files or [])
    for problem in problems:
        print(problem)
    if problems:
        raise typer.Exit(EXIT_BAD_INPUT)
    print(f"{count} profiles, no faults")


@dataclass(frozen=True)
class _Place:
    host: str
    port: int
    access: Access
    timeout: float
    retries: int


def _oid(text: str) -> str:
    parts = text.strip().removeprefix(".").split(".")
    if len(parts) < 2 or not all(part.isascii() and part.isdigit() for part in parts):
        raise UserError(f"OID {text!r}: expected numbers and dots, such as 1.3.6.1.2.1.2.2")
    return ".".join(parts)


def _access(community_env: str | None, credential: str | None, config: Path) -> Access:
    if credential is not None:
        known = load_inventory(config).district.credentials
        if credential not in known:
            names = ", ".join(sorted(known))
            raise UserError(f"unknown credential {credential!r}; expected one of {names}")
        return access(known[credential])
    if community_env is None:
        return CommunityAccess("public")
    if community_env not in os.environ:
        raise UserError(f"environment variable {community_env} is not set; expected a community")
    return CommunityAccess(os.environ[community_env])


@dataclass(frozen=True)
class _Attempt:
    place: _Place
    profile: str | None
    interval: float
    unread: bool


async def _tried(attempt: _Attempt, profiles: ProfileRegistry) -> Outcome:
    place = attempt.place
    device = Device(
        id="tried",
        name=place.host,
        kind=DeviceKind.SWITCH,
        address=place.host,
        port=place.port,
        profile=attempt.profile,
        timeout=dt.timedelta(seconds=place.timeout),
        retries=place.retries,
        interval=dt.timedelta(seconds=attempt.interval or 60.0),
    )
    source = SnmpSource(device, place.host, place.access, profiles, Pinger())
    readings = await _polls(source, attempt.interval)
    found = None
    if attempt.unread and source.profile is not None:
        oids = [oid for oid, _ in await _all(place, EVERYTHING)]
        found = subtrees_unread(oids, source.profile.oids, profiles.makers)
    return Outcome(source.profile, readings, found)


async def _replayed(attempt: _Attempt, profiles: ProfileRegistry, recording: Recording) -> Outcome:
    async with replaying(recording) as port:
        place = replace(
            attempt.place, host="127.0.0.1", port=port, access=CommunityAccess("public")
        )
        return await _tried(replace(attempt, place=place), profiles)


def _record(place: _Place, roots: Sequence[str], out: Path) -> None:
    rows = sorted(masked(asyncio.run(_all(place, roots))), key=lambda row: parse_oid(row[0]))
    try:
        out.write_text("".join(f"{line(*row)}\n" for row in rows), encoding="utf-8")
    except OSError as error:
        raise UserError(f"{out}: {error.strerror}") from None
    print(f"{out}: {len(rows)} values of {place.host}")


async def _all(place: _Place, roots: Sequence[str]) -> list[tuple[str, Value]]:
    """Return everything that a device has below some OIDs."""
    session = await _session(place)
    found: list[tuple[str, Value]] = []
    try:
        with _progress() as progress:
            task = progress.add_task("walking")
            for root in roots:
                async for page in session.walk(root):
                    found += page.varbinds
                    progress.update(task, description=f"walking, {len(found)} values")
    finally:
        session.close()
    return found


async def _session(place: _Place) -> SnmpSession:
    return open_session(
        await resolve(place.host),
        place.port,
        place.access,
        timeout=place.timeout,
        retries=place.retries,
    )


def _progress() -> Progress:
    return Progress(
        SpinnerColumn(),
        TextColumn("{task.description}"),
        TimeElapsedColumn(),
        console=Console(stderr=True),
        transient=True,
    )


async def _polls(source: SnmpSource, interval: float) -> list[Reading]:
    """Return a first poll's readings, with what only a second one can tell."""
    with _progress() as progress:
        task = progress.add_task("asking")
        readings = await source.poll()
        if interval and source.profile is not None:
            progress.update(task, description=f"waiting {interval:g} s for rates")
            await asyncio.sleep(interval)
            progress.update(task, description="asking again")
            readings = merged([*readings, *await source.poll()])
    await source.close()
    return readings


async def _walk(place: _Place, root: str, as_json: bool) -> None:
    session = await _session(place)
    try:
        async for page in session.walk(root):
            for oid, value in page.varbinds:
                print(
                    json.dumps({"oid": oid, "value": _plain(value)}, ensure_ascii=False)
                    if as_json
                    else f"{oid} = {_plain(value)}"
                )
    finally:
        session.close()


def _plain(value: Value) -> int | float | str:
    if not isinstance(value, bytes):
        return value
    try:
        text = value.decode()
    except UnicodeDecodeError:
        return value.hex(" ")
    return text if "".join(text.split()).isprintable() else value.hex(" ")
