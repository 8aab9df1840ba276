"""Recordings without people: clients' addresses and names become pseudonyms.

A walk of a switch or controller holds the MAC and IP addresses of whoever was
there, as values and inside OIDs, and some hold user names. What the device says
of itself, and of its neighbours, stays as it is.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Iterable, Iterator, Mapping, Sequence
from ipaddress import IPv4Network, IPv6Network, ip_address
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

OWN_IP_ADDRESSES: Final = (
    "1.3.6.1.2.1.4.20.1.1.",  # ipAdEntAddr
    "1.3.6.1.4.1.9.9.23.1.2.1.1.4.",  # cdpCacheAddress
)
"""Columns whose IP addresses are devices'."""

CLIENT_IP_ADDRESSES: Final = (
    "1.3.6.1.2.1.4.22.1.3.",  # ipNetToMediaNetAddress
    "1.3.6.1.2.1.3.1.1.3.",  # atNetAddress
    "1.3.6.1.4.1.14179.2.1.4.1.2.",  # bsnMobileStationIpAddress
    "1.3.6.1.4.1.14179.2.1.10.1.1.",  # bsnMobileStationByIpAddress
    "1.3.6.1.4.1.14823.2.3.3.1.2.4.1.3.",  # aiClientIPAddress
    "1.3.6.1.4.1.9.9.273.1.2.1.1.16.",  # cDot11ClientIpAddress
    "1.3.6.1.4.1.25053.1.2.2.1.1.3.1.1.8.",  # ruckusZDWLANStaIPAddr
    "1.3.6.1.4.1.25053.1.2.2.1.1.3.2.1.5.",  # ruckusZDWiredStaIPAddr
)
"""Columns whose IP addresses are clients'."""

_NEIGHBOURS: Final = (
    ("1.0.8802.1.1.2.1.4.2.1.", 6),  # lldpRemManAddrTable: column, three numbers, family, length
)
_RESOLVED: Final = (
    ("1.3.6.1.2.1.4.22.1.", 2),  # ipNetToMediaTable: column, ifIndex, address
    ("1.3.6.1.2.1.3.1.1.", 3),  # atTable: column, ifIndex, 1, address
    ("1.3.6.1.2.1.4.35.1.", 4),  # ipNetToPhysicalTable: column, ifIndex, type, length, address
    ("1.3.6.1.4.1.14179.2.1.10.1.", 1),  # bsnMobileStationByIpTable: column, address
    ("1.3.6.1.4.1.14823.2.2.1.4.1.2.1.", 7),  # nUserTable: column, MAC address, address
)
"""Tables with IP addresses in the index, and where these begin."""

_MAC: Final = 6
_IP: Final = (4, 16)
_LOCAL: Final = 0x02  # the bit of an address that nobody has bought (IEEE 802)
_SHARED: Final = IPv4Network("100.64.0.0/10")  # of providers, in no school (RFC 6598)
_DOCUMENTATION: Final = IPv6Network("2001:db8::/32")  # RFC 3849


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
    addresses = _ip_pseudonyms(key, _client_ips(walk))
    for oid, value in walk:
        shown = _value(key, oid, value, pseudonyms)
        yield _without_ip(_without(oid, pseudonyms), addresses), _ip_value(oid, shown, addresses)


def _clients(walk: Iterable[tuple[str, Value]]) -> set[bytes]:
    own: set[bytes] = set()
    found: set[bytes] = set()
    for oid, value in walk:
        if isinstance(value, bytes) and _is_address(value):
            (own if oid.startswith(OWN_ADDRESSES) else found).add(value)
        bridged = _in_index(oid, _BRIDGED, (_MAC,))
        if bridged is not None and _is_address(bridged):
            found.add(bridged)
    return found - own


def _client_ips(walk: Iterable[tuple[str, Value]]) -> set[bytes]:
    own: set[bytes] = set()
    found: set[bytes] = set()
    for oid, value in walk:
        if oid.startswith(OWN_IP_ADDRESSES):
            own.add(_ip(value))
        elif oid.startswith(CLIENT_IP_ADDRESSES):
            found.add(_ip(value))
        own.add(_in_index(oid, _NEIGHBOURS, _IP) or b"")
        found.add(_in_index(oid, _RESOLVED, _IP) or b"")
    return {address for address in found - own if any(address)}


def _ip(value: Value) -> bytes:
    """Return an IP address in octets, none if a value is no such address."""
    if isinstance(value, bytes) and len(value) in _IP:
        return value
    text = value.decode("ascii", "replace") if isinstance(value, bytes) else value
    try:
        return ip_address(text).packed if isinstance(text, str) else b""
    except ValueError:
        return b""


def _ip_pseudonyms(key: bytes, addresses: Iterable[bytes]) -> dict[bytes, bytes]:
    """Return a pseudonym for each address; in an order that tells nothing."""
    order = sorted(addresses, key=lambda address: hmac.digest(key, address, hashlib.sha256))
    return {
        address: (_SHARED if len(address) == _IP[0] else _DOCUMENTATION)[number].packed
        for number, address in enumerate(order, start=1)
    }


def _is_address(value: bytes) -> bool:
    return len(value) == _MAC and not value[0] & 0x01 and any(value)


def _in_index(oid: str, tables: Iterable[tuple[str, int]], lengths: Sequence[int]) -> bytes | None:
    """Return the address that a row's index ends with."""
    for table, at in tables:
        if oid.startswith(table):
            arcs = [int(arc) for arc in oid[len(table) :].split(".")][at:]
            if len(arcs) in lengths and max(arcs) < 256:
                return bytes(arcs)
    return None


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


def _without_ip(oid: str, pseudonyms: Mapping[bytes, bytes]) -> str:
    address = _in_index(oid, _RESOLVED, _IP)
    found = pseudonyms.get(address) if address is not None else None
    if found is None:
        return oid
    arcs = oid.split(".")[: -len(found)]
    return ".".join([*arcs, *map(str, found)])


def _value(key: bytes, oid: str, value: Value, pseudonyms: dict[str, str]) -> Value:
    if not isinstance(value, bytes) or not value:
        return value
    if oid.startswith(NAMES):
        return b"user-" + hmac.digest(key, value, hashlib.sha256).hex()[:12].encode()
    found = pseudonyms.get(".".join(map(str, value))) if len(value) == _MAC else None
    return value if found is None else bytes(map(int, found.split(".")))


def _ip_value(oid: str, value: Value, pseudonyms: Mapping[bytes, bytes]) -> Value:
    """Return a value with a pseudonym if it is a client's address, as octets or as text."""
    octets = isinstance(value, bytes) and len(value) in _IP
    if octets and not oid.startswith(CLIENT_IP_ADDRESSES):
        return value  # any four octets
    found = pseudonyms.get(_ip(value))
    if found is None or octets:
        return found or value
    text = str(ip_address(found))
    return text.encode() if isinstance(value, bytes) else text
