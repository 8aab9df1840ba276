"""The little of SNMPv2c messages (RFC 1901; RFC 3416, 3) that gufo-snmp leaves out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from edge_agents.sources.snmp.ber import (
    INTEGER,
    OCTETS,
    OID,
    SEQUENCE,
    BerError,
    enter,
    read_integer,
    read_octets,
)

_V2C: Final = 1
_GET: Final = 0xA0
_RESPONSE: Final = 0xA2
_NULL: Final = b"\x05\x00"

_ERRORS: Final[Mapping[int, str]] = {
    1: "tooBig",
    2: "noSuchName",
    5: "genErr",
    6: "noAccess",
    13: "resourceUnavailable",
    16: "authorizationError",
}


def error_status(message: bytes) -> str:
    """Return a response's error-status as RFC 3416 names it.

    It is "" for noError, and for whatever is no SNMPv2c response.
    """
    try:
        _, status = _response(message)
    except BerError:
        return ""
    return _ERRORS.get(status, f"error-status {status}") if status else ""


def request_id(message: bytes) -> int:
    """Return a response's request-id.

    Raises:
        BerError: it is no SNMPv2c response.
    """
    return _response(message)[0]


def get_request(community: str, request_id: int, oid: Sequence[int]) -> bytes:
    """Return an SNMPv2c GET of one instance."""
    name = element(OID, oid_content(oid)) + _NULL
    numbers = _integer(request_id) + _integer(0) + _integer(0)
    pdu = element(_GET, numbers + element(SEQUENCE, element(SEQUENCE, name)))
    return element(SEQUENCE, _integer(_V2C) + element(OCTETS, community.encode()) + pdu)


def element(tag: int, content: bytes) -> bytes:
    """Return a BER element (X.690, 8.1)."""
    length = len(content)
    if length < 0x80:
        return bytes((tag, length)) + content
    octets = length.to_bytes((length.bit_length() + 7) // 8, "big")
    return bytes((tag, 0x80 | len(octets))) + octets + content


def oid_content(oid: Sequence[int]) -> bytes:
    """Return what an OBJECT IDENTIFIER holds (X.690, 8.19)."""
    content = bytearray([oid[0] * 40 + oid[1]])
    for arc in oid[2:]:
        if arc < 0x80:
            content.append(arc)
            continue
        septets = [arc & 0x7F]
        while arc := arc >> 7:
            septets.append(arc & 0x7F | 0x80)
        content.extend(reversed(septets))
    return bytes(content)


def _integer(value: int) -> bytes:
    return element(INTEGER, value.to_bytes(value.bit_length() // 8 + 1, "big", signed=True))


def _response(message: bytes) -> tuple[int, int]:
    """Return a response's request-id and error-status."""
    at, _ = enter(message, 0, SEQUENCE)
    version, at = read_integer(message, at)
    if version != _V2C:
        raise BerError(f"version {version}")
    _, at = read_octets(message, at)
    at, _ = enter(message, at, _RESPONSE)
    identity, at = read_integer(message, at)
    status, _ = read_integer(message, at)
    return identity, status
