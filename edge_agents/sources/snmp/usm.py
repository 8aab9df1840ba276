"""What SNMPv3 messages say outside their encrypted part, and who signed them.

RFC 3412 (6) lays out the message, RFC 3414 (2.4) the security parameters.
"""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum, IntFlag
from typing import Final

from edge_agents.sources.snmp.ber import (
    OCTETS,
    OID,
    SEQUENCE,
    BerError,
    enter,
    read_integer,
    read_octets,
)

_REPORT: Final = 0xA8

_VERSION: Final = 3
_USM: Final = 3

DIGEST_SIZES: Final[Mapping[str, int]] = {
    "md5": 12,
    "sha1": 12,
    "sha224": 16,
    "sha256": 24,
    "sha384": 32,
    "sha512": 48,
}
"""Octets of a signature (RFC 3414, 6.3.1 and 7.3.1; RFC 7860, 4.2.1), by hashlib's names."""


class UsmError(BerError):
    """A datagram is no SNMPv3 message of the User-based Security Model."""


class Flags(IntFlag):
    """msgFlags (RFC 3412, 6.4)."""

    AUTH = 1
    PRIV = 2
    REPORTABLE = 4


class Report(Enum):
    """The counter that a Report-PDU names: why a message was not accepted.

    The values are OIDs as BER encodes them (RFC 3414, 5; RFC 3412, 5; RFC 3413, 5).
    """

    UNSUPPORTED_LEVEL = bytes.fromhex("2b060106030f01010100")
    NOT_IN_TIME_WINDOW = bytes.fromhex("2b060106030f01010200")
    UNKNOWN_USER = bytes.fromhex("2b060106030f01010300")
    UNKNOWN_ENGINE = bytes.fromhex("2b060106030f01010400")
    WRONG_DIGEST = bytes.fromhex("2b060106030f01010500")
    DECRYPTION_ERROR = bytes.fromhex("2b060106030f01010600")
    UNKNOWN_SECURITY_MODEL = bytes.fromhex("2b060106030b02010100")
    INVALID_MESSAGE = bytes.fromhex("2b060106030b02010200")
    UNKNOWN_PDU_HANDLER = bytes.fromhex("2b060106030b02010300")
    UNAVAILABLE_CONTEXT = bytes.fromhex("2b060106030c010400")
    UNKNOWN_CONTEXT = bytes.fromhex("2b060106030c010500")


@dataclass(frozen=True, slots=True)
class Header:
    """The part of a message that is never encrypted.

    Attributes:
        message_id: msgID, which an answer repeats.
        flags: the security level.
        engine_id: of the authoritative engine.
        boots: how often that engine has restarted.
        time: seconds since it did.
        user: its name, undecoded.
        signature: where the digest stands in the message.
        data_at: where the scoped PDU begins.
    """

    message_id: int
    flags: Flags
    engine_id: bytes
    boots: int
    time: int
    user: bytes
    signature: slice
    data_at: int


def read_header(message: bytes) -> Header:
    """Read a message's header.

    Raises:
        BerError: it is no SNMPv3 message, or not of the User-based Security Model.
    """
    at, _ = enter(message, 0, SEQUENCE)
    version, at = read_integer(message, at)
    if version != _VERSION:
        raise UsmError(f"version {version}")
    inner, at = enter(message, at, SEQUENCE)
    message_id, inner = read_integer(message, inner)
    _, inner = read_integer(message, inner)
    flags, inner = read_octets(message, inner)
    model, _ = read_integer(message, inner)
    if model != _USM or len(flags) != 1:
        raise UsmError(f"security model {model}")
    inner, data_at = enter(message, at, OCTETS)
    inner, _ = enter(message, inner, SEQUENCE)
    engine_id, inner = read_octets(message, inner)
    boots, inner = read_integer(message, inner)
    time, inner = read_integer(message, inner)
    user, inner = read_octets(message, inner)
    start, end = enter(message, inner, OCTETS)
    level = Flags(flags[0] & 0b111)
    return Header(message_id, level, engine_id, boots, time, user, slice(start, end), data_at)


def read_report(message: bytes, header: Header) -> Report | None:
    """Return what an unencrypted Report-PDU reports; None if it is another or no report."""
    if header.flags & Flags.PRIV:
        return None
    try:
        at, _ = enter(message, header.data_at, SEQUENCE)
        for _ in ("contextEngineID", "contextName"):
            _, at = read_octets(message, at)
        at, _ = enter(message, at, _REPORT)
        for _ in ("request-id", "error-status", "error-index"):
            _, at = read_integer(message, at)
        for _ in ("variable-bindings", "VarBind"):
            at, _ = enter(message, at, SEQUENCE)
        start, end = enter(message, at, OID)
        return Report(message[start:end])
    except ValueError:
        return None


def is_signed(message: bytes, header: Header, protocol: str, key: bytes) -> bool:
    """Return whether a message was signed with a key (RFC 3414, 6.3.2; RFC 7860, 4.2.2).

    Args:
        message: as it arrived.
        header: of it.
        protocol: a key of `DIGEST_SIZES`.
        key: of the user, localised to the engine that the message names.
    """
    place, size = header.signature, DIGEST_SIZES[protocol]
    if not header.flags & Flags.AUTH or place.stop - place.start != size:
        return False
    blank = message[: place.start] + bytes(size) + message[place.stop :]
    digest = hmac.digest(key, blank, protocol)[:size]
    return hmac.compare_digest(digest, message[place])
