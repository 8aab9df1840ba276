"""The bandwidth probe, against the collector's endpoint on a real socket."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from campuswatch.settings import BandwidthSettings
from campuswatch.web import listen, serve_app
from collector.bandwidth import bandwidth_app
from tests.edge_agents.probes.trying import ALL_DAY, NEVER, bad, good, tried
from tests.servers import free_port


@contextlib.asynccontextmanager
async def endpoint(**settings: Any) -> AsyncIterator[str]:
    listener = listen("bandwidth", "127.0.0.1", 0)
    port = listener.getsockname()[1]
    serving = asyncio.create_task(serve_app(bandwidth_app(BandwidthSettings(**settings)), listener))
    try:
        yield f"http://127.0.0.1:{port}/bandwidth"
    finally:
        serving.cancel()
        await asyncio.gather(serving, return_exceptions=True)


async def test_both_ways_are_measured() -> None:
    async with endpoint() as url:
        fields = await good("bandwidth", url=url, volume=1_000_000)
    assert fields["download"] > 0
    assert fields["upload"] > 0
    assert fields["volume"] == 2_000_000
    assert 0 < fields["rtt"] < 1
    assert fields["loaded_rtt"] > 0


async def test_a_test_ends_after_its_time() -> None:
    async with endpoint(bytes=1_000_000_000) as url:
        fields = await good("bandwidth", url=url, volume=1_000_000_000, duration="100ms")
    assert 0 < fields["volume"] < 2_000_000_000


async def test_lessons_are_not_disturbed_unless_that_is_wanted() -> None:
    async with endpoint() as url:
        probe = {"url": url, "volume": 10_000}
        assert await tried("bandwidth", ALL_DAY, **probe) is None
        assert await tried("bandwidth", NEVER, **probe) is not None
        assert await tried("bandwidth", ALL_DAY, hours="always", **probe) is not None


async def test_more_than_the_endpoint_gives() -> None:
    async with endpoint(bytes=20_000) as url:
        fields = await bad("bandwidth", url=url, volume=30_000)
    assert fields["reason"] == "the endpoint answers 400"


async def test_an_endpoint_that_is_not_there() -> None:
    fields = await bad("bandwidth", url=f"http://127.0.0.1:{free_port()}/bandwidth")
    assert fields["reason"] == "Connection refused"


async def test_the_endpoint_turns_others_away_while_a_test_is_under_way() -> None:
    async def slowly() -> AsyncIterator[bytes]:
        yield b"x"
        begun.set()
        await done.wait()

    begun, done = asyncio.Event(), asyncio.Event()
    async with endpoint(transfers=1) as url, httpx.AsyncClient() as client:
        first = asyncio.create_task(client.post(url, content=slowly()))
        await begun.wait()
        while (await client.get(url, params={"bytes": 10})).status_code == 200:
            pass  # the first has not arrived yet
        fields = await bad("bandwidth", url=url)
        assert fields["reason"] == "the endpoint is busy with other schools' tests"
        done.set()
        assert (await first).text == "1"
        assert len((await client.get(url, params={"bytes": 10})).content) == 10


@pytest.mark.parametrize("size", ["", "0", "-1", "20001", "1e3", "9" * 5000, "٣"])
async def test_sizes_that_the_endpoint_refuses(size: str) -> None:
    async with endpoint(bytes=20_000) as url, httpx.AsyncClient() as client:
        answer = await client.get(url, params={"bytes": size})
    assert answer.status_code == 400


async def test_the_endpoint_takes_no_more_than_its_bound() -> None:
    async with endpoint(bytes=20_000) as url, httpx.AsyncClient() as client:
        assert (await client.post(url, content=bytes(20_000))).text == "20000"
        assert (await client.post(url, content=bytes(20_001))).status_code == 413


async def test_a_transfer_that_is_given_up_frees_its_place() -> None:
    async with endpoint(transfers=1) as url, httpx.AsyncClient() as client:
        for _ in range(3):
            async with client.stream("GET", url, params={"bytes": 50_000_000}) as answer:
                assert answer.status_code == 200
            while (await client.get(url, params={"bytes": 1})).status_code == 503:
                pass  # the endpoint has not heard of it yet
