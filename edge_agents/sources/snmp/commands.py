"""The commands `snmp try` and `snmp walk`."""

from __future__ import annotations

import asyncio
import datetime as dt
import json
import os
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Final

import typer
from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table
from rich.text import Text

from campuswatch.errors import UserError
from campuswatch.inventory.loader import load_inventory
from campuswatch.inventory.models import Device, DeviceKind
from campuswatch.measurements import CATALOGUE, Field, Measurement
from campuswatch.options import JsonOption
from campuswatch.readings import FieldValue, Reading, merged
from edge_agents.sources.reachability import Pinger, UnresolvableError, resolve
from edge_agents.sources.snmp.credentials import Access, CommunityAccess, access
from edge_agents.sources.snmp.errors import SnmpError
from edge_agents.sources.snmp.opening import open_session
from edge_agents.sources.snmp.registry import Profile, ProfileRegistry
from edge_agents.sources.snmp.session import Value
from edge_agents.sources.snmp.source import SnmpSource

EXIT_NO_ANSWER: Final = 1

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
    host: _HostArgument,
    *,
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
    """
    profiles = ProfileRegistry.load()
    if profile is not None:
        profiles.get(profile)
    device = Device(
        id="tried",
        name=host,
        kind=DeviceKind.SWITCH,
        address=host,
        port=port,
        profile=profile,
        timeout=dt.timedelta(seconds=timeout),
        retries=retries,
        interval=dt.timedelta(seconds=interval or 60.0),
    )
    user = _access(community_env, credential, config)
    source = SnmpSource(device, host, user, profiles, Pinger())
    readings = asyncio.run(_polls(source, interval))
    if as_json:
        _print_json(host, source.profile, readings)
    else:
        _print_readings(host, source.profile, readings)
    if source.profile is None:
        raise typer.Exit(EXIT_NO_ANSWER)


@snmp_app.command("walk")
def walk(
    host: _HostArgument,
    oid: Annotated[
        str, typer.Argument(metavar="OID", help="Where to begin, dotted.")
    ] = "1.3.6.1.2.1",
    *,
    port: _PortOption = 161,
    community_env: _CommunityOption = None,
    credential: _CredentialOption = None,
    config: _ConfigOption = Path("config"),
    timeout: _TimeoutOption = 2.0,
    retries: _RetriesOption = 2,
    as_json: JsonOption = False,
) -> None:
    """Print every OID below one, and its value; what is no UTF-8 text in hexadecimal.

    Exits with 1 if the device does not answer, or stops half-way.

    Example: campuswatch snmp walk 10.1.0.2 1.3.6.1.2.1.2.2.1.2
    """
    root = _oid(oid)
    place = _Place(host, port, _access(community_env, credential, config), timeout, retries)
    try:
        asyncio.run(_walk(place, root, as_json))
    except (SnmpError, UnresolvableError) as error:
        print(f"{host}: {error}", file=sys.stderr)
        raise typer.Exit(EXIT_NO_ANSWER) from None


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


async def _polls(source: SnmpSource, interval: float) -> list[Reading]:
    """Return a first poll's readings, with what only a second one can tell."""
    with Progress(
        SpinnerColumn(),
        TextColumn("{task.description}"),
        TimeElapsedColumn(),
        console=Console(stderr=True),
        transient=True,
    ) as progress:
        task = progress.add_task("asking")
        readings = await source.poll()
        if interval and source.profile is not None:
            progress.update(task, description=f"waiting {interval:g} s for rates")
            await asyncio.sleep(interval)
            progress.update(task, description="asking again")
            readings = merged([*readings, *await source.poll()])
    await source.close()
    return readings


def _print_json(host: str, profile: Profile | None, readings: list[Reading]) -> None:
    found = [
        {
            "measurement": reading.measurement,
            "tags": _own_tags(reading),
            "fields": dict(reading.fields),
            "time": reading.time,
        }
        for reading in readings
    ]
    name = profile.name if profile else None
    print(json.dumps({"host": host, "profile": name, "readings": found}, ensure_ascii=False))


def _print_readings(host: str, profile: Profile | None, readings: list[Reading]) -> None:
    console = Console()
    if profile is not None:
        console.print(f"{host}: profile [bold]{profile.name}[/bold], {profile.title}")
    for name, measurement in CATALOGUE.items():
        if rows := [reading for reading in readings if reading.measurement == name]:
            console.print(_table(measurement, rows))


def _table(measurement: Measurement, rows: list[Reading]) -> Table:
    table = Table(title=f"{measurement.name} ({len(rows)})", title_justify="left", show_lines=True)
    tags = [tag for tag in measurement.tags if any(tag in _own_tags(row) for row in rows)]
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
    return {name: value for name, value in reading.tags.items() if name != "device"}


async def _walk(place: _Place, root: str, as_json: bool) -> None:
    session = open_session(
        await resolve(place.host),
        place.port,
        place.access,
        timeout=place.timeout,
        retries=place.retries,
    )
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
