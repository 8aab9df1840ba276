"""The time of an NTP server (RFC 5905), against this host's clock."""

from __future__ import annotations

import asyncio
import secrets
import socket
import struct
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from campuswatch.inventory.models import NtpProbe
from campuswatch.readings import now_ns
from edge_agents.sources.probes.base import Fields, ProbeFailedError
from edge_agents.sources.reachability import resolve

_PACKET: Final = struct.Struct("!BBbbII4sQQQQ")
_CLIENT: Final = 0x23  # no leap warning, version 4, mode 3
_SERVER: Final = 0x24  # the same, mode 4
_SERVER_MODE: Final = 4
_UNSYNCHRONISED: Final = 3
_EPOCH: Final = 2_208_988_800  # seconds from 1900 to 1970
_SECOND: Final = 1_000_000_000
_ERA: Final = 2**64


@dataclass(frozen=True, slots=True)
class Answer:
    """What a server says.

    Attributes:
        stratum: its distance from a reference clock, 1 to 15.
        received: when it received the request, NTP timestamp.
        sent: when it sent the answer, NTP timestamp.
    """

    stratum: int
    received: int
    sent: int


def timestamp(time: int) -> int:
    """Return a time (ns since 1970 UTC) as NTP has it: 2^-32 s since 1900, modulo 2^64."""
    return ((time + _EPOCH * _SECOND) * 2**32 // _SECOND) % _ERA


def offset(began: int, received: int, sent: int, ended: int) -> float:
    """Return how far a server's clock is ahead, in seconds (RFC 5905, section 8).

    Differences are taken modulo 2^64, so that it holds beyond 2036 too.

    Args:
        began: when the request was sent, by the own clock; NTP timestamps all.
        received: when the server received it, by its clock.
        sent: when the server answered, by its clock.
        ended: when the answer came, by the own clock.
    """
    return (_difference(received, began) + _difference(sent, ended)) / 2 / 2**32


def _difference(one: int, other: int) -> int:
    return (one - other + _ERA // 2) % _ERA - _ERA // 2


def request(cookie: int) -> bytes:
    """Return a request; `cookie` takes the place of the time, which is nobody's business."""
    return _PACKET.pack(_CLIENT, 0, 0, 0, 0, 0, bytes(4), 0, 0, 0, cookie)


def read_answer(data: bytes, cookie: int) -> Answer | None:
    """Return what an answer says; None if it is none to the request with this cookie.

    Raises:
        ProbeFailedError: the server says that it has no time to give.
    """
    if len(data) < _PACKET.size:
        return None
    first, stratum, _, _, _, _, reference, _, origin, received, sent = _PACKET.unpack_from(data)
    if first & 0x7 != _SERVER_MODE or origin != cookie:
        return None
    if stratum == 0:
        code = reference.rstrip(b"\0").decode("ascii", "replace")
        raise ProbeFailedError(f"the server refuses: kiss code {code!r}")
    if first >> 6 == _UNSYNCHRONISED or stratum > 15:
        raise ProbeFailedError("the server's own clock is not synchronised")
    return Answer(stratum, received, sent)


def answer(data: bytes, now: int, stratum: int) -> bytes | None:
    """Return what a server answers; None to what is no request.

    Args:
        data: the request.
        now: NTP timestamp.
        stratum: of the server.
    """
    if len(data) < _PACKET.size or data[0] & 0x7 != _CLIENT & 0x7:
        return None
    cookie = _PACKET.unpack_from(data)[-1]
    return _PACKET.pack(_SERVER, stratum, 6, -20, 0, 0, bytes(4), now, cookie, now, now)


async def measure(probe: NtpProbe, clock: Callable[[], int] = now_ns) -> Fields:
    """Return the server's offset and stratum, and how long it took.

    Raises:
        ProbeFailedError: the server has no time to give.
        UnresolvableError: the host has no address.
        OSError: it can't be reached.
    """
    address = await resolve(probe.address)
    cookie = secrets.randbits(64)
    loop = asyncio.get_running_loop()
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with socket.socket(family, socket.SOCK_DGRAM) as link:
        link.setblocking(False)
        link.connect((address, probe.port))  # takes datagrams of this address alone
        began = clock()
        await loop.sock_sendall(link, request(cookie))
        while (answer := read_answer(await loop.sock_recv(link, 1024), cookie)) is None:
            pass
        ended = clock()
    return {
        "duration": (ended - began) / _SECOND,
        "offset": offset(timestamp(began), answer.received, answer.sent, timestamp(ended)),
        "stratum": answer.stratum,
    }
