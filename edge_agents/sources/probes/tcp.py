"""A TCP connection, opened and closed."""

from __future__ import annotations

import asyncio

from campuswatch.inventory.models import TcpProbe
from edge_agents.sources.probes.base import Fields
from edge_agents.sources.reachability import resolve


async def measure(probe: TcpProbe) -> Fields:
    """Return how long the connection took to open.

    Raises:
        UnresolvableError: the host has no address.
        OSError: it does not accept the connection.
    """
    address = await resolve(probe.address)
    return {"duration": await connect_time(address, probe.port)}


async def connect_time(address: str, port: int) -> float:
    """Return how long a TCP connection takes to open, in seconds: about one round trip.

    Raises:
        OSError: it is not accepted.
    """
    clock = asyncio.get_running_loop().time
    began = clock()
    _, writer = await asyncio.open_connection(address, port)
    took = clock() - began
    writer.transport.abort()
    return took
