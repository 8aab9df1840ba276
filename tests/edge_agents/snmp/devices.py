"""Devices that tests poll, and how."""

from __future__ import annotations

import os
from typing import Any, Final

from campuswatch.inventory.models import Device, DeviceKind, District, SnmpCredential
from campuswatch.readings import Reading
from edge_agents.sources.base import PolledSource
from edge_agents.sources.snmp import ProfileRegistry, polled_source
from edge_agents.sources.snmp.credentials import CommunityAccess
from edge_agents.sources.snmp.session import GufoSession, Page, Value

RECORDINGS: Final = {
    "cisco-c3560": "switch/cisco-c3560",
    "cisco-c3750": "switch/cisco-c3750",
    "dlink-des3038": "switch/dlink-des3038",
    "dlink-des3200": "switch/dlink-des3200",
    "h3c-e528": "switch/h3c-e528-2",
    "hpe-procurve": "switch/hpe-procurve-516733-b21",
    "huawei-s5720": "router/huawei-s5720",
    "ruijie-s5750": "switch/ruijie-s5750-24gt12sfp",
    "zte-zxr10-5250": "switch/zte-zxr10-5250",
}
"""Recordings of real devices in snmpsim-data, by the community they answer to."""


def device(port: int, **more: Any) -> Device:
    usual = {"id": "sw-1", "address": "127.0.0.1", "port": port, "snmp": "tested", "room": "lab"}
    return Device(name="Switch", kind=DeviceKind.SWITCH, **{**usual, **more})


def district(credential: SnmpCredential | dict[str, str]) -> District:
    return District.model_validate(
        {
            "id": "d",
            "name": "District",
            "timezone": "Asia/Shanghai",
            "country": "CN",
            "credentials": {"tested": credential},
        }
    )


def source(polled: Device, profiles: ProfileRegistry, community: str = "public") -> PolledSource:
    os.environ["TESTED_COMMUNITY"] = community
    found = polled_source(
        polled, district({"version": "2c", "community": "env:TESTED_COMMUNITY"}), profiles
    )
    assert found is not None
    return found


def session(port: int, *, timeout: float = 0.2, retries: int = 2) -> GufoSession:
    return GufoSession(
        "127.0.0.1", port, CommunityAccess("public"), timeout=timeout, retries=retries
    )


async def walked(asked: GufoSession, root: str, rows: int | None = None) -> dict[str, Value]:
    pages: list[Page] = [page async for page in asked.walk(root, rows)]
    varbinds = [varbind for page in pages for varbind in page.varbinds]
    assert len(dict(varbinds)) == len(varbinds), "an OID came twice"
    return dict(varbinds)


def by_measurement(readings: list[Reading]) -> dict[str, list[Reading]]:
    found: dict[str, list[Reading]] = {}
    for reading in readings:
        found.setdefault(reading.measurement, []).append(reading)
    return found
