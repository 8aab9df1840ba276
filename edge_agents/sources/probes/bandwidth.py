"""How fast the school's line is, measured against the district's endpoint.

Both ways end after a volume or a time, whichever comes first. Meanwhile
connections to the same endpoint are opened, which takes one round trip each:
how much longer that takes than before says how deep the line's queues are
(bufferbloat).
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import suppress
from statistics import median
from typing import Final

import httpx

from campuswatch.calendar import SECOND, SchoolCalendar
from campuswatch.inventory.models import BandwidthProbe
from campuswatch.readings import now_ns
from edge_agents.sources.probes.base import Fields, ProbeFailedError
from edge_agents.sources.probes.http import failure
from edge_agents.sources.probes.tcp import connect_time
from edge_agents.sources.reachability import resolve

_PART: Final = os.urandom(65536)  # nothing on the way can compress it
_IDLE_LOOKS: Final = 3
_LOOK: Final = 0.1  # seconds between two looks at the loaded line
_BITS: Final = 8


async def measure(probe: BandwidthProbe, calendar: SchoolCalendar) -> Fields | None:
    """Return bit/s each way, and round-trip times of the idle and of the loaded line.

    Returns:
        None if it may run in quiet hours only, and a lesson is under way or
        would begin before it ended.

    Raises:
        ProbeFailedError: the endpoint does not take part.
        UnresolvableError: it has no address.
        OSError: it can't be reached.
    """
    now = now_ns()
    until = now + int(probe.longest.total_seconds() * SECOND)
    if probe.hours == "quiet" and calendar.lessons(now, until):
        return None
    url = httpx.URL(probe.url)
    port = url.port or (443 if url.scheme == "https" else 80)
    address = await resolve(url.host)
    idle = [await connect_time(address, port) for _ in range(_IDLE_LOOKS)]
    loaded: list[float] = []
    timeout = probe.timeout.total_seconds()
    watching = asyncio.create_task(_watch(address, port, loaded))
    try:
        async with httpx.AsyncClient(trust_env=False, timeout=timeout) as client:
            received, down = await _download(client, probe)
            sent, up = await _upload(client, probe)
    except httpx.HTTPError as error:
        raise ProbeFailedError(failure(error)) from None
    finally:
        watching.cancel()
    return {
        "download": down,
        "upload": up,
        "rtt": median(idle),
        "loaded_rtt": median(loaded) if loaded else None,
        "volume": received + sent,
    }


async def _watch(address: str, port: int, times: list[float]) -> None:
    while True:
        with suppress(OSError):
            times.append(await connect_time(address, port))
        await asyncio.sleep(_LOOK)


async def _download(client: httpx.AsyncClient, probe: BandwidthProbe) -> tuple[int, float]:
    """Return bytes received, and bit/s."""
    clock = asyncio.get_running_loop().time
    received = 0
    async with client.stream("GET", probe.url, params={"bytes": probe.volume}) as response:
        _expect(response)
        began = clock()
        async for part in response.aiter_raw():
            received += len(part)
            if received >= probe.volume or clock() - began > probe.duration.total_seconds():
                break
        took = clock() - began
    return received, received * _BITS / took


async def _upload(client: httpx.AsyncClient, probe: BandwidthProbe) -> tuple[int, float]:
    """Return bytes sent, and bit/s up to the endpoint's word that it has them all."""
    clock = asyncio.get_running_loop().time
    sent = 0

    async def parts() -> AsyncIterator[bytes]:
        nonlocal sent
        while sent < probe.volume and clock() - began < probe.duration.total_seconds():
            part = _PART[: probe.volume - sent]
            yield part
            sent += len(part)

    began = clock()
    response = await client.post(probe.url, content=parts())
    took = clock() - began
    _expect(response)
    return sent, sent * _BITS / took


def _expect(response: httpx.Response) -> None:
    if response.status_code == httpx.codes.SERVICE_UNAVAILABLE:
        raise ProbeFailedError("the endpoint is busy with other schools' tests")
    if not response.is_success:
        raise ProbeFailedError(f"the endpoint answers {response.status_code}")
