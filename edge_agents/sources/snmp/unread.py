"""What a device has and no profile reads."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Final

_ENTERPRISES: Final = "1.3.6.1.4.1."
_STANDARD_ARCS: Final = 8
_ENTERPRISE_ARCS: Final = 9

MIBS: Final = {
    "1.0.8802.1.1.2": "LLDP-MIB",
    "1.3.6.1.2.1.1": "SNMPv2-MIB",
    "1.3.6.1.2.1.2": "IF-MIB",
    "1.3.6.1.2.1.3": "RFC1213-MIB",
    "1.3.6.1.2.1.4": "IP-MIB",
    "1.3.6.1.2.1.4.24": "IP-FORWARD-MIB",
    "1.3.6.1.2.1.5": "IP-MIB",
    "1.3.6.1.2.1.6": "TCP-MIB",
    "1.3.6.1.2.1.7": "UDP-MIB",
    "1.3.6.1.2.1.10.7": "EtherLike-MIB",
    "1.3.6.1.2.1.11": "SNMPv2-MIB",
    "1.3.6.1.2.1.14": "OSPF-MIB",
    "1.3.6.1.2.1.15": "BGP4-MIB",
    "1.3.6.1.2.1.16": "RMON-MIB",
    "1.3.6.1.2.1.17": "BRIDGE-MIB",
    "1.3.6.1.2.1.17.6": "P-BRIDGE-MIB",
    "1.3.6.1.2.1.17.7": "Q-BRIDGE-MIB",
    "1.3.6.1.2.1.25": "HOST-RESOURCES-MIB",
    "1.3.6.1.2.1.26": "MAU-MIB",
    "1.3.6.1.2.1.31": "IF-MIB",
    "1.3.6.1.2.1.33": "UPS-MIB",
    "1.3.6.1.2.1.43": "Printer-MIB",
    "1.3.6.1.2.1.47": "ENTITY-MIB",
    "1.3.6.1.2.1.55": "IPV6-MIB",
    "1.3.6.1.2.1.68": "VRRP-MIB",
    "1.3.6.1.2.1.80": "DISMAN-PING-MIB",
    "1.3.6.1.2.1.81": "DISMAN-TRACEROUTE-MIB",
    "1.3.6.1.2.1.88": "DISMAN-EVENT-MIB",
    "1.3.6.1.2.1.99": "ENTITY-SENSOR-MIB",
    "1.3.6.1.2.1.105": "POWER-ETHERNET-MIB",
    "1.3.6.1.4.1.2021": "UCD-SNMP-MIB",
    "1.3.6.1.4.1.8072": "NET-SNMP-MIB",
    "1.3.6.1.6.3": "SNMPv2 framework",
}
"""Standard MIBs by where they are."""


@dataclass(frozen=True)
class Subtree:
    """Values that nothing reads.

    Attributes:
        oid: where they are.
        mib: the MIB there, or the maker; "" if unknown.
        values: how many.
    """

    oid: str
    mib: str
    values: int


def unread(oids: Iterable[str], read: Collection[str], makers: dict[str, str]) -> list[Subtree]:
    """Return the subtrees that hold what is not read, the fullest first.

    Args:
        oids: all that the device has.
        read: columns and scalars that its profile reads.
        makers: names by their number below 1.3.6.1.4.1.
    """
    columns = set(read)
    lengths = sorted({oid.count(".") + 1 for oid in columns})
    counts: Counter[str] = Counter()
    for oid in oids:
        arcs = oid.split(".")
        if not any(".".join(arcs[:length]) in columns for length in lengths):
            kept = _ENTERPRISE_ARCS if oid.startswith(_ENTERPRISES) else _STANDARD_ARCS
            counts[".".join(arcs[: min(kept, len(arcs) - 1)])] += 1
    return [Subtree(oid, _mib(oid, makers), values) for oid, values in counts.most_common()]


def _mib(oid: str, makers: dict[str, str]) -> str:
    arcs = oid.split(".")
    for length in range(len(arcs), 3, -1):
        if (name := MIBS.get(".".join(arcs[:length]))) is not None:
            return name
    return makers.get(arcs[6], "") if oid.startswith(_ENTERPRISES) and len(arcs) > 6 else ""
