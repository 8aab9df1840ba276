"""The DHCP probe: broadcasts on the loopback, answered by a small server."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import struct
from collections.abc import AsyncIterator, Callable

from hypothesis import given
from hypothesis import strategies as st

from campuswatch.inventory.models import DhcpProbe
from edge_agents.sources.probes import dhcp
from tests.edge_agents.probes.trying import bad
from tests.servers import free_port

COOKIE = bytes((99, 130, 83, 99))
LOOPBACK = DhcpProbe(id="p", kind="dhcp", interface="lo")


def offer(request: bytes, kind: int = 2, server: str = "10.0.0.1") -> bytes:
    """Return a message to whoever sent a request, as RFC 2131 has it."""
    fixed = struct.pack("!BBBB", 2, 1, 6, 0) + request[4:8] + bytes(228) + COOKIE
    identifier = bytes((54, 4)) + socket.inet_aton(server)
    return fixed + bytes((53, 1, kind)) + bytes((0, 0)) + identifier + bytes((255,))


@contextlib.asynccontextmanager
async def server(respond: Callable[[bytes], list[bytes]]) -> AsyncIterator[dhcp.Ports]:
    ports = dhcp.Ports(free_port(socket.SOCK_DGRAM), free_port(socket.SOCK_DGRAM))

    async def serve(link: socket.socket) -> None:
        loop = asyncio.get_running_loop()
        while True:
            for answer in respond(await loop.sock_recv(link, 4096)):
                await loop.sock_sendto(link, answer, ("255.255.255.255", ports.client))

    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as link:
        link.setblocking(False)
        link.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
        link.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, b"lo\0")
        link.bind(("", ports.server))
        serving = asyncio.create_task(serve(link))
        try:
            yield ports
        finally:
            serving.cancel()
            await asyncio.gather(serving, return_exceptions=True)


async def test_the_first_offer_counts() -> None:
    seen: list[bytes] = []

    def respond(request: bytes) -> list[bytes]:
        seen.append(request)
        other = bytes(4) + bytes([request[4] ^ 0xFF]) + request[5:]
        return [
            b"",
            other,
            offer(request, kind=5),
            offer(request),
            offer(request, server="9.9.9.9"),
        ]

    async with server(respond) as ports, asyncio.timeout(10):
        fields = await dhcp.measure(LOOPBACK, ports)
    assert fields["server"] == "10.0.0.1"
    time = fields["duration"]
    assert isinstance(time, float)
    assert time > 0
    (request,) = seen
    assert len(request) >= 300
    assert request[:4] == bytes((1, 1, 6, 0))
    assert request[10:12] == b"\x80\0"
    assert request[236:243] == COOKIE + bytes((53, 1, 1))


async def test_no_such_interface() -> None:
    fields = await bad("dhcp", interface="nowhere0")
    assert fields["reason"] == "no network interface 'nowhere0'"


@given(st.binary(max_size=400))
def test_options_of_any_kind(tail: bytes) -> None:
    data = offer(bytes(300))[:240] + tail
    found = dhcp.read_offer(data, 0)
    assert found is None or tail.count(54)


@given(st.binary(max_size=500), st.integers(0, 2**32 - 1))
def test_datagrams_of_any_kind(data: bytes, transaction: int) -> None:
    assert dhcp.read_offer(data, transaction) is None
