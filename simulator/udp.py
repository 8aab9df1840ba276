"""UDP servers that answer each datagram as they are told."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from typing import cast

Respond = Callable[[bytes], Iterable[bytes]]
"""Returns what is answered to a datagram."""


class _Responder(asyncio.DatagramProtocol):
    def __init__(self, respond: Respond) -> None:
        self._respond = respond

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.DatagramTransport", transport)

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        for answer in self._respond(data):
            self._transport.sendto(answer, addr)


async def respond_at(host: str, port: int, respond: Respond) -> asyncio.DatagramTransport:
    """Answer the datagrams that come to an address, until the transport is closed.

    Raises:
        OSError: the address can't be bound.
    """
    transport, _ = await asyncio.get_running_loop().create_datagram_endpoint(
        lambda: _Responder(respond), local_addr=(host, port)
    )
    return transport
