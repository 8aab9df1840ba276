"""An SNMPv2c agent that answers as a recorded device did.

It speaks just enough BER (ITU-T X.690) for RFC 3416's GET, GETNEXT and
GETBULK: pysnmp would take ten times as long for each answer, and a large
controller gives a poll a hundred thousand of them.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Iterable
from typing import Final, NamedTuple, cast

from edge_agents.sources.snmp.pdu import element, oid_content
from edge_agents.sources.snmp.recording import (
    COUNTER32,
    COUNTER64,
    GAUGE32,
    INTEGER,
    OBJECT_IDENTIFIER,
    TIME_TICKS,
    Instance,
    Oid,
    Recording,
    parse_oid,
)

_SEQUENCE: Final = 0x30
_OCTET_STRING: Final = 0x04
_GET: Final = 0xA0
_GET_NEXT: Final = 0xA1
_RESPONSE: Final = 0xA2
_GET_BULK: Final = 0xA5
_NO_SUCH_INSTANCE: Final = b"\x81\x00"
_END_OF_MIB_VIEW: Final = b"\x82\x00"
_NUMBERS: Final = {INTEGER, COUNTER32, GAUGE32, TIME_TICKS, COUNTER64}
_LARGEST: Final = 4000
"""Octets of the varbinds in one answer."""


class _Request(NamedTuple):
    version: bytes
    community: bytes
    kind: int
    request_id: bytes
    non_repeaters: int
    repetitions: int
    oids: list[Oid]


@contextlib.asynccontextmanager
async def replaying(recording: Recording, *, delay: float = 0.0) -> AsyncIterator[int]:
    """Answer for a recorded device on a UDP port of 127.0.0.1.

    Args:
        recording: of the device; any community may read it.
        delay: of each answer, in seconds.

    Yields:
        The port.
    """
    transport, _ = await asyncio.get_running_loop().create_datagram_endpoint(
        lambda: _Agent(recording, delay), local_addr=("127.0.0.1", 0)
    )
    try:
        yield transport.get_extra_info("sockname")[1]
    finally:
        transport.close()


class _Agent(asyncio.DatagramProtocol):
    def __init__(self, recording: Recording, delay: float) -> None:
        self._recording = recording
        self._delay = delay
        self._transport: asyncio.DatagramTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # asyncio's own datagram transport does not inherit from DatagramTransport.
        self._transport = cast("asyncio.DatagramTransport", transport)

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        try:
            request = _parsed(data)
        except (IndexError, ValueError):
            return  # no SNMPv2c request, which an agent drops (RFC 3412, 7.2)
        answer = _answer(request, _fitting(self._varbinds(request)))
        if self._delay:
            asyncio.get_running_loop().call_later(self._delay, self._send, answer, addr)
        else:
            self._send(answer, addr)

    def _send(self, answer: bytes, addr: tuple[str, int]) -> None:
        assert self._transport is not None
        if not self._transport.is_closing():
            self._transport.sendto(answer, addr)

    def _varbinds(self, request: _Request) -> Iterable[bytes]:
        if request.kind == _GET:
            for oid in request.oids:
                found = self._recording.get(oid)
                yield _varbind(oid, _NO_SUCH_INSTANCE if found is None else _encoded(found))
            return
        once = request.oids
        if request.kind == _GET_BULK:
            once = request.oids[: request.non_repeaters]
        for oid in once:
            yield from self._next(oid, 1)
        if request.kind == _GET_BULK:
            columns = request.oids[request.non_repeaters :]
            walks = [list(self._next(oid, request.repetitions)) for oid in columns]
            for row in zip(*walks, strict=True):
                yield from row

    def _next(self, oid: Oid, most: int) -> Iterable[bytes]:
        count, last = 0, oid
        for last, instance in self._recording.after(oid, most):
            yield _varbind(last, _encoded(instance))
            count += 1
        for _ in range(most - count):
            yield _varbind(last, _END_OF_MIB_VIEW)


def _fitting(varbinds: Iterable[bytes]) -> bytes:
    """Return as many as an answer holds (RFC 3416, 4.2.3)."""
    found: list[bytes] = []
    size = 0
    for varbind in varbinds:
        size += len(varbind)
        if found and size > _LARGEST:
            break
        found.append(varbind)
    return b"".join(found)


def _parsed(data: bytes) -> _Request:
    _, message, _ = _element(data)
    version, rest = _whole(message)
    _, community, rest = _element(rest)
    kind, pdu, _ = _element(rest)
    request_id, rest = _whole(pdu)
    _, first, rest = _element(rest)
    _, second, rest = _element(rest)
    _, varbinds, _ = _element(rest)
    oids: list[Oid] = []
    while varbinds:
        _, varbind, varbinds = _element(varbinds)
        _, name, _ = _element(varbind)
        oids.append(_decoded_oid(name))
    if kind not in (_GET, _GET_NEXT, _GET_BULK):
        raise ValueError(kind)
    numbers = int.from_bytes(first, "big"), int.from_bytes(second, "big")
    return _Request(version, community, kind, request_id, *numbers, oids)


def _element(data: bytes) -> tuple[int, bytes, bytes]:
    """Return the tag and content of the first element, and what follows it."""
    length, start = data[1], 2
    if length & 0x80:
        octets = length & 0x7F
        length, start = int.from_bytes(data[2 : 2 + octets], "big"), 2 + octets
    return data[0], data[start : start + length], data[start + length :]


def _whole(data: bytes) -> tuple[bytes, bytes]:
    """Return the first element with its head, and what follows it."""
    _, _, rest = _element(data)
    return data[: len(data) - len(rest)], rest


def _decoded_oid(content: bytes) -> Oid:
    first = min(content[0] // 40, 2)
    arcs = [first, content[0] - 40 * first]
    arc = 0
    for octet in content[1:]:
        arc = arc << 7 | octet & 0x7F
        if not octet & 0x80:
            arcs.append(arc)
            arc = 0
    return tuple(arcs)


def _answer(request: _Request, varbinds: bytes) -> bytes:
    no_error = element(INTEGER, b"\0") * 2
    pdu = element(_RESPONSE, request.request_id + no_error + element(_SEQUENCE, varbinds))
    community = element(_OCTET_STRING, request.community)
    return element(_SEQUENCE, request.version + community + pdu)


def _varbind(oid: Oid, value: bytes) -> bytes:
    return element(_SEQUENCE, element(OBJECT_IDENTIFIER, oid_content(oid)) + value)


def _encoded(instance: Instance) -> bytes:
    tag, value = instance
    if isinstance(value, int):
        return element(tag, value.to_bytes(value.bit_length() // 8 + 1, "big", signed=True))
    if isinstance(value, str):
        return element(tag, oid_content(parse_oid(value)))
    return element(tag, value)
