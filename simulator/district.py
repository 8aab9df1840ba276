"""Turns a district into one whose devices the simulator plays, all on this machine."""

from __future__ import annotations

import datetime as dt
import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from pydantic import BaseModel
from ruamel.yaml import YAML

from campuswatch.inventory.loader import (
    CALENDAR_FILE,
    DISTRICT_FILE,
    MAINTENANCE_FILE,
    MAPPINGS_FILE,
    SCHOOLS_DIRECTORY,
)
from campuswatch.inventory.models import (
    Agent,
    BandwidthProbe,
    CalendarFile,
    CommunityCredential,
    Device,
    DeviceKind,
    DhcpProbe,
    DnsProbe,
    HttpProbe,
    IcmpProbe,
    Inventory,
    LocalBroker,
    MaintenanceFile,
    MappingsFile,
    NtpProbe,
    PjLink,
    Probe,
    SnmpCredential,
    TcpProbe,
)
from campuswatch.settings import SETTINGS_FILE, Settings
from simulator.faults import FaultScript
from simulator.rooms import bssid
from simulator.serial_lines import can_play
from simulator.simulation import FILE as SIMULATION_FILE
from simulator.simulation import Simulation

_HOST: Final = "127.0.0.1"
_PATIENCE: Final = dt.timedelta(seconds=1)
"""Time-out of a request: nothing on this machine takes longer to answer."""
_ECHOES: Final = 5
"""ICMP echoes of a probe, which are done within a short interval."""
_VOLUME: Final = 2_000_000
_BANDWIDTH_INTERVAL: Final = dt.timedelta(minutes=5)


@dataclass(frozen=True)
class Ports:
    """Free ports of this machine.

    Attributes:
        udp: for SNMP agents, name servers and time servers.
        tcp: for projectors and web servers.
        bandwidth: where the collector serves its bandwidth endpoint.
        serial: directory where the ports of serial lines will appear; None if
            there can't be any, as on a system without pseudo-terminals.
    """

    udp: Iterator[int]
    tcp: Iterator[int]
    bandwidth: int
    serial: Path | None


def simulated(
    inventory: Inventory,
    ports: Ports,
    broker: str,
    interval: dt.timedelta,
    secret_dir: Path,
) -> Inventory:
    """Return the district with every address on this machine.

    Every device with an address gets a port of its own and answers SNMP, or
    PJLink if it is declared; none is asked by ICMP, which this machine would
    answer for them. Devices on serial lines that can't be played are left out.

    Args:
        inventory: the district as it is.
        ports: free ports, and where those of serial lines will be.
        broker: URL of the one broker that all schools' devices publish to.
        interval: at which every device is polled.
        secret_dir: where made-up secrets are written, readable for nobody else.
    """
    credentials = {
        name: _with_secrets(name, credential, secret_dir)
        for name, credential in inventory.district.credentials.items()
    }
    default = next(iter(credentials))
    district = inventory.district.model_copy(update={"credentials": credentials})
    schools = [
        school.model_copy(
            update={
                "agents": [_agent(agent, broker, ports, interval) for agent in school.agents],
                "devices": [
                    _device(device, ports, default, interval, secret_dir)
                    for device in school.devices
                    if device.serial is None or (ports.serial is not None and can_play(device))
                ],
            }
        )
        for school in inventory.schools
    ]
    return inventory.model_copy(update={"district": district, "schools": schools})


def _agent(agent: Agent, broker: str, ports: Ports, interval: dt.timedelta) -> Agent:
    lines = [
        line.model_copy(update={"port": str(ports.serial / f"{agent.id}-{line.id}")})
        for line in agent.serial
        if ports.serial is not None
    ]
    probes = [_probe(probe, ports, interval) for probe in agent.probes]
    return agent.model_copy(
        update={
            "broker": agent.broker and LocalBroker(url=broker),
            "serial": lines,
            # This machine offers no addresses.
            "probes": [probe for probe in probes if not isinstance(probe, DhcpProbe)],
        }
    )


def _probe(probe: Probe, ports: Ports, interval: dt.timedelta) -> Probe:
    change: dict[str, object] = {"interval": interval, "timeout": _PATIENCE}
    match probe:
        case IcmpProbe():
            change |= {"address": _HOST, "count": min(probe.count, _ECHOES)}
        case TcpProbe():
            change |= {"address": _HOST, "port": next(ports.tcp)}
        case HttpProbe():
            change |= {"url": f"http://{_HOST}:{next(ports.tcp)}/", "ca_file": None}
        case DnsProbe():
            change |= {"server": _HOST, "port": next(ports.udp)}
        case NtpProbe():
            change |= {"address": _HOST, "port": next(ports.udp)}
        case BandwidthProbe():
            change |= {
                "url": f"http://{_HOST}:{ports.bandwidth}/bandwidth",
                "volume": _VOLUME,
                "duration": _PATIENCE,
                "interval": _BANDWIDTH_INTERVAL,
            }
    return probe.model_copy(update=change)


def _device(
    device: Device, ports: Ports, credential: str, interval: dt.timedelta, secret_dir: Path
) -> Device:
    if device.address is None:
        return device.model_copy(update={"interval": interval})
    pjlink = device.pjlink and _pjlink(device, device.pjlink, ports, secret_dir)
    bssids = [bssid(device)] if device.kind is DeviceKind.AP else []
    return device.model_copy(
        update={
            "bssids": device.bssids or bssids,
            "address": _HOST,
            "port": next(ports.udp),
            "pjlink": pjlink,
            "snmp": None if pjlink else device.snmp or credential,
            "ping": False,
            "interval": interval,
            "timeout": _PATIENCE,
            "retries": 1,
        }
    )


def _pjlink(device: Device, declared: PjLink, ports: Ports, secret_dir: Path) -> PjLink:
    password = declared.password and _new_secret(secret_dir / f"{device.id}-password")
    return PjLink(password=password, port=next(ports.tcp))


def _with_secrets(name: str, credential: SnmpCredential, directory: Path) -> SnmpCredential:
    if isinstance(credential, CommunityCredential):
        reference = _new_secret(directory / f"{name}-community")
        return credential.model_copy(update={"community": reference})
    keys = {
        key: _new_secret(directory / f"{name}-{key}")
        for key in ("auth_key", "priv_key")
        if getattr(credential, key) is not None
    }
    return credential.model_copy(update=keys)


def _new_secret(path: Path) -> str:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    path.touch(mode=0o600)
    path.write_text(secrets.token_hex(12) + "\n", encoding="ascii")
    return f"file:{path}"


def write_district(
    directory: Path,
    inventory: Inventory,
    settings: Settings,
    simulation: Simulation,
    script: FaultScript | None = None,
) -> None:
    """Write a district so that every command can read it with `--config DIR`.

    Of the fault script, what befalls devices that were left out is left out.
    """
    files: dict[str, BaseModel] = {
        DISTRICT_FILE: inventory.district,
        CALENDAR_FILE: CalendarFile(calendars=inventory.calendars),
        MAPPINGS_FILE: MappingsFile(mappings=inventory.mappings),
        MAINTENANCE_FILE: MaintenanceFile(maintenance=inventory.maintenance),
        SETTINGS_FILE: settings,
        SIMULATION_FILE: simulation,
    }
    if script is not None and simulation.faults is not None:
        files[str(simulation.faults)] = script.among(inventory)
    for school in inventory.schools:
        files[f"{SCHOOLS_DIRECTORY}/{school.id}.yaml"] = school
    for name, model in files.items():
        _write(directory / name, model.model_dump(mode="json", exclude_none=True))


def _write(path: Path, content: dict[str, Any]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    yaml = YAML()
    yaml.default_flow_style = False
    with path.open("w", encoding="utf-8") as file:
        file.write("# Written by `campuswatch demo`.\n")
        yaml.dump(content, file)
