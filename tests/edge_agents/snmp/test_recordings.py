"""What we read of real devices is what net-snmp's snmpwalk reads."""

from __future__ import annotations

import re
import subprocess
from collections import Counter

import pytest

from campuswatch.readings import Reading
from edge_agents.sources.snmp import ProfileRegistry
from tests.edge_agents.snmp.devices import RECORDINGS, by_measurement, device, source
from tests.servers import Server, program

IF_ENTRY = "1.3.6.1.2.1.2.2.1"
IF_X_ENTRY = "1.3.6.1.2.1.31.1.1.1"
FULL = 4294967295
FASTEST = 1_600_000  # Mbit/s
POLLED: dict[str, dict[str, list[Reading]]] = {}


async def polled(
    community: str, recorded: Server, profiles: ProfileRegistry
) -> dict[str, list[Reading]]:
    """Poll a recording, once: snmpsim takes seconds for it."""
    if community not in POLLED:
        asked = source(device(recorded.port, timeout="10s"), profiles, community)
        POLLED[community] = by_measurement(await asked.poll())
        await asked.close()
    return POLLED[community]


def snmpwalk(community: str, port: int, root: str) -> dict[str, str]:
    """Return what snmpwalk prints below an OID: index and text of the value."""
    command = [program("snmpwalk"), "-v2c", f"-c{community}", "-t10", "-r1", "-On", "-Oe", "-Ot"]
    printed = subprocess.run(
        [*command, f"127.0.0.1:{port}", root], capture_output=True, check=True
    ).stdout.decode(errors="surrogateescape")
    row = rf"^\.{re.escape(root)}\.(\S+) = (.*(?:\n(?!\.1\.).*)*)"
    found = re.findall(row, printed, re.MULTILINE)
    return {index: _value(text) for index, text in found}


def _value(text: str) -> str:
    kind, colon, value = text.strip().partition(": ")
    if not colon:
        return kind.strip('"')  # an empty string has no type
    if kind == "Hex-STRING":
        return bytes.fromhex(value).partition(b"\0")[0].decode()
    return value.strip('"').strip() if kind == "STRING" else value


@pytest.mark.parametrize("community", RECORDINGS)
async def test_the_ports_agree_with_snmpwalk(
    community: str, recorded: Server, profiles: ProfileRegistry
) -> None:
    readings = await polled(community, recorded, profiles)
    ports = {str(port.fields["index"]): port for port in readings["interface"]}

    columns = {
        name: snmpwalk(community, recorded.port, oid)
        for name, oid in {
            "index": f"{IF_ENTRY}.1",
            "description": f"{IF_ENTRY}.2",
            "speed": f"{IF_ENTRY}.5",
            "admin": f"{IF_ENTRY}.7",
            "oper": f"{IF_ENTRY}.8",
            "name": f"{IF_X_ENTRY}.1",
            "high_speed": f"{IF_X_ENTRY}.15",
        }.items()
    }

    assert len(ports) > 10
    assert ports.keys() == columns["index"].keys()
    names = {i: columns["name"].get(i) or columns["description"][i] for i in ports}
    assert {i: port.tags["interface"] for i, port in ports.items()} == _unique(names)
    assert {i: port.fields["admin_state"] for i, port in ports.items()} == _numbers(
        columns["admin"]
    )
    assert {i: port.fields["oper_state"] for i, port in ports.items()} == _numbers(columns["oper"])
    assert {i: port.fields.get("speed") for i, port in ports.items()} == {
        i: _speed(columns["high_speed"].get(i, "0"), columns["speed"].get(i, "0")) for i in ports
    }
    assert _info(readings["device_info"])["interface_count"] == int(
        snmpwalk(community, recorded.port, "1.3.6.1.2.1.2.1")["0"]
    )


def _unique(names: dict[str, str]) -> dict[str, str]:
    rows = Counter(names.values())
    return {i: name if rows[name] == 1 else f"{name}#{i}" for i, name in names.items()}


def _numbers(column: dict[str, str]) -> dict[str, int]:
    return {index: int(value) for index, value in column.items()}


def _speed(high: str, low: str) -> int | None:
    if int(high) and int(high) <= FASTEST:  # a D-Link DES-3028 sends bit/s
        return int(high) * 1_000_000
    return int(low) if int(low) not in (0, FULL) else None


def _info(readings: list[Reading]) -> dict[str, object]:
    (info,) = readings
    return dict(info.fields)


@pytest.mark.parametrize(
    ("community", "profile", "vendor"),
    [
        ("cisco-c3560", "cisco", "Cisco"),
        ("dlink-des3200", "d-link", "D-Link"),
        ("h3c-e528", "h3c", "H3C"),
        ("huawei-s5720", "huawei", "Huawei"),
        ("ruijie-s5750", "ruijie", "Ruijie"),
        ("zte-zxr10-5250", "zte", "ZTE"),
        ("hpe-procurve", "hpe-procurve", "HPE"),
    ],
)
async def test_a_vendor_is_recognised(
    community: str, profile: str, vendor: str, recorded: Server, profiles: ProfileRegistry
) -> None:
    info = _info((await polled(community, recorded, profiles))["device_info"])
    assert info["profile"] == profile
    assert info["description"]
    assert info["vendor"] == vendor


async def test_chinese_text_arrives_as_it_was_meant(
    recorded: Server, profiles: ProfileRegistry
) -> None:
    info = _info((await polled("ruijie-s5750", recorded, profiles))["device_info"])
    assert info["location"] == "中文"
