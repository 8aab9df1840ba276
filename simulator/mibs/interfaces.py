"""IF-MIB (RFC 2863): the ports of a device and what flows through them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from pyasn1.type.base import Asn1Item
from pysnmp.proto.rfc1902 import Counter32, Counter64, Gauge32, Integer32, OctetString

from simulator.mibs.system import ticks
from simulator.mibs.tree import Oid, Value
from simulator.tally import Tally

ETHERNET: Final = 6
"""ifType ethernetCsmacd."""
RADIO: Final = 71
"""ifType ieee80211."""

_IF_NUMBER: Final = (1, 3, 6, 1, 2, 1, 2, 1, 0)
_IF_ENTRY: Final = (1, 3, 6, 1, 2, 1, 2, 2, 1)
_IF_X_ENTRY: Final = (1, 3, 6, 1, 2, 1, 31, 1, 1, 1)
_UP, _DOWN = Integer32(1), Integer32(2)
_GAUGE_MAX: Final = 2**32 - 1
_OCTETS_A_PACKET: Final = 640


@dataclass(frozen=True)
class Port:
    """One row of ifTable.

    Attributes:
        index: ifIndex.
        name: ifName and ifDescr.
        alias: ifAlias.
        type: ifType.
        speed: bit/s.
        enabled: whether the operator wants it up.
        up: whether it carries a signal at a time (Unix seconds).
        changed: when that last changed, Unix seconds.
        received: octets in.
        sent: octets out.
        error_share: packets received broken, as a share of all.
    """

    index: int
    name: str
    alias: str
    type: int
    speed: int
    enabled: bool
    up: Callable[[float], bool]
    changed: Callable[[float], float]
    received: Tally
    sent: Tally
    error_share: float


def interfaces(ports: Sequence[Port], booted: Callable[[], float]) -> dict[Oid, Value]:
    """Return ifNumber, ifTable and ifXTable."""
    objects: dict[Oid, Value] = {_IF_NUMBER: Integer32(len(ports))}
    for port in ports:
        for column, value in _row(port, booted).items():
            objects[(*_IF_ENTRY, column, port.index)] = value
        for column, value in _extended_row(port).items():
            objects[(*_IF_X_ENTRY, column, port.index)] = value
    return objects


def _row(port: Port, booted: Callable[[], float]) -> dict[int, Value]:
    def last_change(now: float) -> Asn1Item:
        return ticks(max(0.0, port.changed(now) - booted()))

    return {
        1: Integer32(port.index),
        2: OctetString(port.name.encode()),
        3: Integer32(port.type),
        4: Integer32(1500),
        5: Gauge32(min(port.speed, _GAUGE_MAX)),
        6: OctetString(bytes([0x02, 0, 0, 0, port.index >> 8, port.index & 255])),
        7: _UP if port.enabled else _DOWN,
        8: lambda now: _UP if port.up(now) else _DOWN,
        9: last_change,
        10: _counter32(port.received, 1),
        11: _counter32(port.received, _OCTETS_A_PACKET),
        13: _counter32(port.received, _OCTETS_A_PACKET * 400_000),
        14: lambda now: Counter32(
            int(port.received.total(now) / _OCTETS_A_PACKET * port.error_share) % 2**32
        ),
        16: _counter32(port.sent, 1),
        17: _counter32(port.sent, _OCTETS_A_PACKET),
        19: _counter32(port.sent, _OCTETS_A_PACKET * 150_000),
        20: Counter32(0),
    }


def _extended_row(port: Port) -> dict[int, Value]:
    return {
        1: OctetString(port.name.encode()),
        6: _counter64(port.received, 1),
        7: _counter64(port.received, _OCTETS_A_PACKET),
        8: _counter64(port.received, _OCTETS_A_PACKET * 70),
        9: _counter64(port.received, _OCTETS_A_PACKET * 160),
        10: _counter64(port.sent, 1),
        11: _counter64(port.sent, _OCTETS_A_PACKET),
        12: _counter64(port.sent, _OCTETS_A_PACKET * 25),
        13: _counter64(port.sent, _OCTETS_A_PACKET * 90),
        14: _UP,
        15: Gauge32(port.speed // 1_000_000),
        17: Integer32(1),
        18: OctetString(port.alias.encode()),
        19: ticks(0),
    }


def _counter32(octets: Tally, octets_each: int) -> Value:
    return lambda now: Counter32(octets.total(now) // octets_each % 2**32)


def _counter64(octets: Tally, octets_each: int) -> Value:
    return lambda now: Counter64(octets.total(now) // octets_each)
