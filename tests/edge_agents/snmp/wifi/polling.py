"""Polling recordings of Wi-Fi controllers."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

from campuswatch.inventory.models import Device, DeviceKind
from campuswatch.lineprotocol import encode
from campuswatch.readings import Reading
from edge_agents.sources.reachability import Pinger
from edge_agents.sources.snmp.credentials import CommunityAccess
from edge_agents.sources.snmp.recording import Recording
from edge_agents.sources.snmp.registry import ProfileRegistry
from edge_agents.sources.snmp.replay import replaying
from edge_agents.sources.snmp.source import SnmpSource
from edge_agents.sources.snmp.wireless import AccessPointDirectory
from tests.edge_agents.snmp.wifi.recordings import WIRELESS, counts, lines


def controller(port: int = 161) -> Device:
    return Device(
        id="wlc",
        name="Controller",
        kind=DeviceKind.WLAN_CONTROLLER,
        address="127.0.0.1",
        port=port,
        snmp="tested",
        room="server-room",
        ping=False,
        timeout=dt.timedelta(seconds=30),
        interval=dt.timedelta(minutes=10),  # the poll may take as long on a busy machine
    )


async def polled(
    name: str,
    profiles: ProfileRegistry,
    directory: Path,
    declared: Iterable[Device] = (),
) -> tuple[str, list[Reading]]:
    """Poll a recording once; return the profile that recognised it, and the readings."""
    path = directory / f"{name}.snmprec"
    path.write_bytes(lines(name))
    async with replaying(Recording.load(path)) as port:
        source = SnmpSource(
            controller(port),
            "127.0.0.1",
            CommunityAccess("public"),
            profiles,
            Pinger(),
            access_points=AccessPointDirectory(declared),
        )
        readings = await source.poll()
        await source.close()
    assert source.profile is not None
    return source.profile.name, readings


def yielded(readings: Iterable[Reading]) -> tuple[int, int, int]:
    """Return how many access points, radios and clients readings tell of.

    Clients are those of `wifi_clients`; if there is no such reading, those that
    the radios count, or the access points.
    """
    rows = Counter(reading.measurement for reading in readings)
    clients = {
        measurement: sum(
            int(reading.fields.get("clients", 0))
            for reading in readings
            if reading.measurement == measurement
        )
        for measurement in WIRELESS
    }
    counted = next((m for m in ("wifi_clients", "radio", "access_point") if rows[m]), "radio")
    return rows["access_point"], rows["radio"], clients[counted]


def sample(readings: Iterable[Reading]) -> str:
    """Return the first and the last reading of each kind, for people to look at."""
    shown: list[str] = []
    for measurement in WIRELESS:
        found = [reading for reading in readings if reading.measurement == measurement]
        found.sort(key=lambda reading: sorted(reading.tags.items()))
        for reading in [*found[:1], *found[len(found) // 2 :][:1], *found[1:][-1:]]:
            tags = " ".join(f"{key}={value}" for key, value in sorted(reading.tags.items()))
            shown.append(f"{measurement} {tags}")
            shown += [f"    {key}: {value}" for key, value in sorted(reading.fields.items())]
    return "\n".join(shown) + "\n"


def table(rows: dict[str, tuple[int, int, int]]) -> str:
    """Return the counts as the table of docs/wifi-controllers.md."""
    rendered = ["| recording | access points | radios | clients |", "|---|---|---|---|"]
    for name, found in rows.items():
        cells = [f"{ours:,} of {raw:,}" for ours, raw in zip(found, counts(name), strict=True)]
        rendered.append(f"| {' | '.join([name, *cells])} |")
    return "\n".join(rendered) + "\n"


def encoded(readings: Iterable[Reading]) -> str:
    """Return readings as they leave the agent."""
    return encode(readings).decode()
