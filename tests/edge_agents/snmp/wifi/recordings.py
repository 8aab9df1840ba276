"""Recordings of Wi-Fi controllers, and where each keeps what is counted.

Counting here reads the recording's text alone, so that it does not share a
mistake with the profiles.
"""

from __future__ import annotations

import bz2
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Final

from edge_agents.sources.snmp.registry import ProfileRegistry

_DATA: Final = Path(str(files("snmpsim_data"))) / "data" / "network"
_ENTERPRISES: Final = "1.3.6.1.4.1."
_SYSTEM: Final = "1.3.6.1.2.1.1"
_OCTETS_OF_MAC: Final = 6
_MACS_AS_TEXT: Final = ("45577.2.12.2.3.1.3",)
"""Columns of Sangfor's that hold clients' MAC addresses, such as A4-50-46-F8-2C-1C."""

WIRELESS: Final = ("access_point", "radio", "wifi_clients")
"""The measurements that a controller's profile makes readings of."""


@dataclass(frozen=True)
class Recorded:
    """One recording; OIDs are below enterprises.

    Attributes:
        path: in snmpsim-data.
        profile: that must recognise it.
        access_points: a column with a row for each.
        radios: likewise; "" if there is none.
        clients: likewise.
        clients_of: columns that hold a number of clients for each AP or radio.
        absent: values of `clients` that stand for no client at an access point.
        macs: columns whose index begins with a client's MAC address, or ends with it.
        names: columns that hold user names.
    """

    path: str
    profile: str
    access_points: str
    radios: str = ""
    clients: str = ""
    clients_of: str = ""
    absent: tuple[str, ...] = ()
    macs: tuple[str, ...] = ()
    names: tuple[str, ...] = ()


RECORDINGS: Final = {
    "ruijie-m18000": Recorded(
        "wifi/ruijie-m18000",
        "ruijie-ac",
        access_points="4881.1.1.10.2.56.2.1.1.1.2",
        radios="4881.1.1.10.2.56.2.1.2.1.1",
        clients="4881.1.1.10.2.56.5.1.1.1.2",
        macs=("4881.1.1.10.2.56.5.1.1.1.1", "4881.1.1.10.2.81.6.1.1.1"),
    ),
    "huawei-acu2": Recorded(
        "router/huawei-acu2",
        "huawei-ac",
        access_points="2011.6.139.13.3.3.1.4",
        radios="2011.6.139.16.1.2.1.7",
        clients="2011.6.139.18.1.2.1.3",
        macs=("2011.6.139.18.1.2.1.2",),
        names=("2011.6.139.18.1.2.1.2",),
    ),
    "huawei-s12704": Recorded(
        "switch/huawei-s12704",
        "huawei-ac",
        access_points="2011.6.139.13.3.3.1.6",
        radios="2011.6.139.16.1.2.1.7",
        clients="2011.6.139.18.1.2.1.3",
        macs=("2011.6.139.18.1.2.1.2",),
        names=("2011.6.139.18.1.2.1.2",),
    ),
    "aruba-7210": Recorded(
        "wifi/aruba-7210",
        "aruba-controller",
        access_points="14823.2.2.1.5.2.1.4.1.3",
        radios="14823.2.2.1.5.2.1.5.1.3",
        clients="14823.2.2.1.5.2.2.1.1.14",
        macs=("14823.2.2.1.5.2.2.1.1.14",),
        names=("14823.2.2.1.4.1.2.1.3",),
    ),
    "aruba-7010": Recorded(
        "wifi/aruba-7010",
        "aruba-controller",
        access_points="14823.2.2.1.5.2.1.4.1.3",
        radios="14823.2.2.1.5.2.1.5.1.3",
        clients="14823.2.2.1.5.2.2.1.1.14",
        macs=("14823.2.2.1.5.2.2.1.1.14",),
        names=("14823.2.2.1.4.1.2.1.3",),
    ),
    "aruba-7020": Recorded(
        "wifi/aruba-7020",
        "aruba-controller",
        access_points="14823.2.2.1.5.2.1.4.1.3",
        radios="14823.2.2.1.5.2.1.5.1.3",
        clients="14823.2.2.1.5.2.2.1.1.14",
        macs=("14823.2.2.1.5.2.2.1.1.14",),
        names=("14823.2.2.1.4.1.2.1.3",),
    ),
    "cisco-controller": Recorded(
        "appliance/cisco-controller",
        "cisco-wlc",
        access_points="14179.2.2.1.1.3",
        radios="14179.2.2.2.1.4",
        clients="14179.2.1.4.1.4",
        absent=("000000000000",),
        macs=("14179.2.1.4.1.1", "14179.2.1.6.1.1"),
        names=("14179.2.1.4.1.3",),
    ),
    "juniper-wlc2800": Recorded(
        "wifi/juniper-wlc2800",
        "juniper-wlc",
        access_points="14525.4.5.1.1.2.1.8",
        radios="14525.4.5.1.1.4.1.7",
        clients="14525.4.4.1.1.1.1.7",
        macs=("14525.4.4.1.1.1.1.2",),
        names=("14525.4.4.1.1.1.1.3",),
    ),
    "ruckus-smartcell-gateway": Recorded(
        "wifi/ruckus-smartcell-gateway",
        "ruckus-scg",
        access_points="25053.1.3.2.1.1.2.2.1.5",
        clients_of="25053.1.3.2.1.1.2.2.1.15",
    ),
    "meru-networks-controller": Recorded(
        "appliance/meru-networks-controller",
        "meru",
        access_points="15983.1.1.4.2.1.1.2",
        radios="15983.1.1.4.3.3.1.29",
        clients_of="15983.1.1.3.1.1.1.70",
    ),
    "h3c-lsq1wcmd0": Recorded(
        "switch/h3c-comware-lsq1wcmd0-2509p61",
        "h3c-ac-2011",
        access_points="2011.10.2.75.2.1.10.1.7",
        radios="2011.10.2.75.2.1.3.1.5",
        clients="2011.10.2.75.3.1.2.1.1",
        macs=("2011.10.2.75.3.1.1.1.2", "2011.10.2.75.3.1.2.1.1"),
        names=("2011.10.2.75.3.1.1.1.3",),
    ),
    "h3c-wx6103": Recorded(
        "switch/h3c-wx6103",
        "h3c-ac-2011",
        access_points="2011.10.2.75.2.1.10.1.7",
    ),
    "sangfor-wac": Recorded(
        "wifi/sangfor-wac",
        "sangfor",
        access_points="45577.2.12.1.6.1.2",
        radios="45577.2.12.1.8.1.10",
        clients="45577.2.12.2.3.1.5",
    ),
    "ubiquiti-m5": Recorded(
        "wifi/ubiquiti-m5",
        "ubiquiti-airos",
        access_points="",
        radios="41112.1.4.1.1.4",
        clients="41112.1.4.7.1.3",
        macs=("41112.1.4.7.1.3",),
        names=("41112.1.4.7.1.2",),
    ),
}
"""By the name they have in the tests and in docs/wifi-controllers.md."""


@cache
def lines(name: str) -> bytes:
    """Return the lines of a recording that its profile reads, or that are counted here."""
    recorded = RECORDINGS[name]
    content = b"\n" + bz2.decompress((_DATA / f"{recorded.path}.snmprec.bz2").read_bytes())
    return b"\n".join(line for oid in sorted(_oids(recorded)) for line in _below(content, oid))


def _below(content: bytes, oid: str) -> Iterator[bytes]:
    start = content.find(opening := f"\n{oid}.".encode())
    while start >= 0:
        end = content.find(b"\n", start + 1)
        yield content[start + 1 : end if end >= 0 else None]
        start = content.find(opening, end) if end >= 0 else -1


def _oids(recorded: Recorded) -> set[str]:
    counted = (recorded.access_points, recorded.radios, recorded.clients, recorded.clients_of)
    named = [oid for oid in (*counted, *recorded.macs, *recorded.names, *_MACS_AS_TEXT) if oid]
    read = {
        column.oid.removesuffix(".0")
        for table in _profiles().get(recorded.profile).tables
        if table.measurement in WIRELESS
        for column in table.columns.values()
        if column.oid is not None
    }
    return {_SYSTEM, *read, *(_ENTERPRISES + oid for oid in named)}


@cache
def _profiles() -> ProfileRegistry:
    return ProfileRegistry.load()


def column(name: str, oid: str) -> dict[str, bytes]:
    """Return a column's values by index, octets decoded; of repeated OIDs the first."""
    prefix = f"{_ENTERPRISES}{oid}.".encode()
    pattern = rb"^" + re.escape(prefix) + rb"([0-9.]*)\|([0-9]+)(x?)[^|]*\|([^\n]*)"
    found: dict[str, bytes] = {}
    for index, _, in_hex, value in re.findall(pattern, lines(name), re.MULTILINE):
        decoded = bytes.fromhex(value.decode()) if in_hex else value
        found.setdefault(index.decode(), decoded)
    return found


def counts(name: str) -> tuple[int, int, int]:
    """Return how many access points, radios and clients a recording has rows for."""
    recorded = RECORDINGS[name]
    access_points = len(column(name, recorded.access_points)) if recorded.access_points else 0
    radios = len(column(name, recorded.radios)) if recorded.radios else 0
    if recorded.clients_of:
        return access_points, radios, sum(map(int, column(name, recorded.clients_of).values()))
    clients = column(name, recorded.clients).values() if recorded.clients else ()
    absent = {bytes.fromhex(value) for value in recorded.absent}
    return access_points, radios, sum(1 for value in clients if value not in absent)


def client_macs(name: str) -> set[bytes]:
    """Return the MAC addresses of clients, six octets each."""
    recorded = RECORDINGS[name]
    found: set[bytes] = set()
    for oid in recorded.macs:
        for index in column(name, oid):
            numbers = [int(part) for part in index.split(".")]
            octets = numbers[-6:] if recorded.profile == "ubiquiti-airos" else numbers[:6]
            found.add(bytes(octets))
    for oid in _MACS_AS_TEXT:
        for value in column(name, oid).values():
            found.add(bytes.fromhex(value.decode().replace("-", "")))
    assert all(len(mac) == _OCTETS_OF_MAC for mac in found)
    return found


def user_names(name: str) -> set[str]:
    """Return what users are called, if they have a name of their own."""
    found = {
        value.rstrip(b"\0").decode("utf-8", "replace")
        for oid in RECORDINGS[name].names
        for value in column(name, oid).values()
    }
    return found - {""}
