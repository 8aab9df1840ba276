"""LLDP-MIB (IEEE 802.1AB): what a device says of itself to its neighbours, and hears of them."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from pysnmp.proto.rfc1902 import Integer32, OctetString

from simulator.mibs.interfaces import Port
from simulator.mibs.system import ticks
from simulator.mibs.tree import Oid, Value

LLDP: Final = (1, 0, 8802, 1, 1, 2)

BRIDGE, ACCESS_POINT, ROUTER = 0x20, 0x10, 0x08
"""LldpSystemCapabilitiesMap, its first octet."""

_LAST_CHANGE: Final = (*LLDP, 1, 2, 1, 0)
_LOCAL: Final = (*LLDP, 1, 3)
_REMOTE: Final = (*LLDP, 1, 4, 1, 1)
_REMOTE_ADDRESS: Final = (*LLDP, 1, 4, 2, 1)
_MAC = Integer32(4)
_INTERFACE_NAME = Integer32(5)
_IF_INDEX = Integer32(2)
_TIME_MARK: Final = 0


@dataclass(frozen=True)
class Speaker:
    """What a device says of itself.

    Attributes:
        chassis: its MAC address, six octets.
        name: sysName.
        description: sysDescr.
        address: management address, "" if it has none.
        capabilities: see `BRIDGE` and those beside it.
    """

    chassis: bytes
    name: str
    description: str
    address: str
    capabilities: int


@dataclass(frozen=True)
class Remote:
    """A neighbour.

    Attributes:
        index: ifIndex of the port that hears it.
        speaker: who it is.
        port: name of its port.
    """

    index: int
    speaker: Speaker
    port: str


def lldp(
    speaker: Speaker,
    ports: Sequence[Port],
    remotes: Sequence[Remote],
    changed: Callable[[], float],
) -> dict[Oid, Value]:
    """Return the MIB of a device.

    Args:
        speaker: the device itself.
        ports: its ports.
        remotes: its neighbours.
        changed: how long after it started they last changed, s.
    """
    objects: dict[Oid, Value] = {
        _LAST_CHANGE: lambda _: ticks(changed()),
        (*_LOCAL, 1, 0): _MAC,
        (*_LOCAL, 2, 0): OctetString(speaker.chassis),
        (*_LOCAL, 3, 0): OctetString(speaker.name.encode()),
        (*_LOCAL, 4, 0): OctetString(speaker.description.encode()),
        (*_LOCAL, 5, 0): OctetString(bytes([speaker.capabilities, 0])),
        (*_LOCAL, 6, 0): OctetString(bytes([speaker.capabilities, 0])),
    }
    for port in ports:
        objects |= {
            (*_LOCAL, 7, 1, 2, port.index): _INTERFACE_NAME,
            (*_LOCAL, 7, 1, 3, port.index): OctetString(port.name.encode()),
            (*_LOCAL, 7, 1, 4, port.index): OctetString(port.alias.encode()),
        }
    for number, remote in enumerate(remotes, start=1):
        objects |= _remote(number, remote)
    return objects


def _remote(number: int, remote: Remote) -> dict[Oid, Value]:
    speaker = remote.speaker
    index = (_TIME_MARK, remote.index, number)
    columns: dict[int, Value] = {
        4: _MAC,
        5: OctetString(speaker.chassis),
        6: _INTERFACE_NAME,
        7: OctetString(remote.port.encode()),
        8: OctetString(remote.port.encode()),
        9: OctetString(speaker.name.encode()),
        10: OctetString(speaker.description.encode()),
        11: OctetString(bytes([speaker.capabilities, 0])),
        12: OctetString(bytes([speaker.capabilities, 0])),
    }
    objects: dict[Oid, Value] = {
        (*_REMOTE, column, *index): value for column, value in columns.items()
    }
    if speaker.address:
        octets = ipaddress.IPv4Address(speaker.address).packed
        objects |= {
            (*_REMOTE_ADDRESS, 3, *index, 1, len(octets), *octets): _IF_INDEX,
            (*_REMOTE_ADDRESS, 4, *index, 1, len(octets), *octets): Integer32(1),
        }
    return objects
