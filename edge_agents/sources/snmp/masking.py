"""Recordings without people: clients' addresses and names become pseudonyms.

A walk of a switch or controller holds the MAC addresses of whoever was there,
as values and inside OIDs, and some hold user names. What the device says of
itself stays as it is.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Iterable, Iterator
from typing import Final

from edge_agents.sources.snmp.session import Value

OWN_ADDRESSES: Final = (
    "1.3.6.1.2.1.2.2.1.6.",  # ifPhysAddress
    "1.3.6.1.2.1.17.1.1.",  # dot1dBaseBridgeAddress
    "1.0.8802.1.1.2.1.3.",  # lldpLocalSystemData
    "1.0.8802.1.1.2.1.4.1.1.",  # lldpRemTable: neighbours, which are devices too
)
"""Columns whose addresses are devices'; wherever else these turn up they stay too."""

NAMES: Final = (
    "1.3.6.1.4.1.14179.2.1.4.1.3.",  # bsnMobileStationUserName
    "1.3.6.1.4.1.14823.2.2.1.4.1.2.1.3.",  # nUserName
    "1.3.6.1.4.1.2011.5.2.1.15.1.3.",  # hwAccessUserName
    "1.3.6.1.4.1.2011.6.139.18.1.2.1.2.",  # a station's address, as text
    "1.3.6.1.4.1.25506.2.75.3.1.1.1.3.",  # hh3cDot11StationUserName
    "1.3.6.1.4.1.2011.10.2.75.3.1.1.1.3.",
)
"""Columns that hold who is signed in; as recordings show."""

_BRIDGED: Final = (
    ("1.3.6.1.2.1.17.7.1.2.2.1.", 2),  # dot1qTpFdbTable: column, VLAN, address
    ("1.3.6.1.2.1.17.4.3.1.", 1),  # dot1dTpFdbTable: column, address
)
"""Tables with addresses in the index that no value may hold, and where these begin."""

_MAC: Final = 6
_LOCAL: Final = 0x02  # the bit of an address that nobody has bought (IEEE 802)


def masked(rows: Iterable[tuple[str, Value]]) -> Iterator[tuple[str, Value]]:
    """Yield the OIDs and values of a walk with pseudonyms for clients.

    A pseudonym stands for the same client all over one recording, and for
    nobody anywhere else: its key is drawn anew and forgotten.
    """
    walk = list(rows)
    key = secrets.token_bytes(32)
    pseudonyms = {
        ".".join(map(str, address)): ".".join(map(str, _pseudonym(key, address)))
        for address in _clients(walk)
    }
    for oid, value in walk:
        yield _without(oid, pseudonyms), _value(key, oid, value, pseudonyms)


def _clients(walk: Iterable[tuple[str, Value]]) -> set[bytes]:
    own: set[bytes] = set()
    found: set[bytes] = set()
    for oid, value in walk:
        if isinstance(value, bytes) and _is_address(value):
            (own if oid.startswith(OWN_ADDRESSES) else found).add(value)
        found.update(_bridged(oid))
    return found - own


def _is_address(value: bytes) -> bool:
    return len(value) == _MAC and not value[0] & 0x01 and any(value)


def _bridged(oid: str) -> Iterator[bytes]:
    for table, at in _BRIDGED:
        if oid.startswith(table):
            arcs = [int(arc) for arc in oid[len(table) :].split(".")][at:]
            if len(arcs) == _MAC and max(arcs) < 256 and _is_address(bytes(arcs)):
                yield bytes(arcs)


def _pseudonym(key: bytes, address: bytes) -> bytes:
    digest = hmac.digest(key, address, hashlib.sha256)
    return bytes([digest[0] & 0xFC | _LOCAL, *digest[1:_MAC]])


def _without(oid: str, pseudonyms: dict[str, str]) -> str:
    arcs = oid.split(".")
    start = 0
    while start + _MAC <= len(arcs):
        found = pseudonyms.get(".".join(arcs[start : start + _MAC]))
        if found is None:
            start += 1
        else:
            arcs[start : start + _MAC] = found.split(".")
            start += _MAC
    return ".".join(arcs)


def _value(key: bytes, oid: str, value: Value, pseudonyms: dict[str, str]) -> Value:
    if not isinstance(value, bytes) or not value:
        return value
    if oid.startswith(NAMES):
        return b"user-" + hmac.digest(key, value, hashlib.sha256).hex()[:12].encode()
    found = pseudonyms.get(".".join(map(str, value))) if len(value) == _MAC else None
    return value if found is None else bytes(map(int, found.split(".")))
