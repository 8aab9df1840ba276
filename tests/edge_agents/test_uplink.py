"""The uplink against a real Mosquitto, seen by a subscriber of its own."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import pytest

from campuswatch.settings import BrokerSettings
from campuswatch.wire import Lane
from edge_agents.spool import Spool
from edge_agents.uplink import Uplink
from tests.edge_agents.district import ADDRESS, District, district
from tests.servers import Server, mosquitto, running, wait_until


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Server]:
    with running(mosquitto(tmp_path)) as server:
        yield server


@pytest.fixture
def collector(broker: Server) -> Iterator[District]:
    with district(broker.port) as there:
        yield there


@pytest.fixture
def spool(tmp_path: Path) -> Iterator[Spool]:
    with contextlib.closing(open_spool(tmp_path)) as opened:
        yield opened


def open_spool(directory: Path) -> Spool:
    return Spool(directory / "spool" / "spool.sqlite", max_bytes=10**9, max_age=10**6)


def line(number: int) -> bytes:
    return b"availability,device=sw-1 up=1i %d\n" % number


@contextlib.asynccontextmanager
async def sending(spool: Spool, broker: Server) -> AsyncIterator[Uplink]:
    uplink = Uplink(spool, ADDRESS, BrokerSettings(url=f"mqtt://127.0.0.1:{broker.port}"))
    task = asyncio.create_task(uplink.run())
    try:
        yield uplink
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def until(condition: Callable[[], bool], what: str) -> None:
    await asyncio.to_thread(wait_until, condition, what)


def nothing_waits(spool: Spool) -> Callable[[], bool]:
    return lambda: spool.state().batches == 0


async def test_each_batch_arrives_once_and_leaves_the_queue(
    broker: Server, collector: District, spool: Spool
) -> None:
    async with sending(spool, broker) as uplink:
        for number in range(1, 51):
            spool.append(line(number))
            uplink.wake()
        await until(nothing_waits(spool), "acknowledgements")
    assert collector.counts() == dict.fromkeys(range(1, 51), 1)
    assert sorted(collector.lines()) == sorted(line(number)[:-1] for number in range(1, 51))
    assert {batch.lane for batch in collector.batches} == {Lane.LIVE}


async def test_a_restart_sends_only_what_was_not_acknowledged(
    broker: Server, collector: District, spool: Spool
) -> None:
    for number in range(1, 11):
        spool.append(line(number))
    async with sending(spool, broker):
        await until(nothing_waits(spool), "acknowledgements")
    for number in range(11, 16):
        spool.append(line(number))
    async with sending(spool, broker):
        await until(nothing_waits(spool), "acknowledgements")
        await asyncio.to_thread(collector.await_batches, range(1, 16))
    assert collector.counts() == dict.fromkeys(range(1, 16), 1)


async def test_a_lost_connection_repeats_nothing(
    broker: Server, collector: District, spool: Spool
) -> None:
    for number in range(1, 11):
        spool.append(line(number))
    async with sending(spool, broker) as uplink:
        await until(nothing_waits(spool), "acknowledgements")
        broker.stop()
        broker.start()
        spool.append(line(11))
        uplink.wake()
        await asyncio.to_thread(collector.await_batches, range(1, 12))
        await until(nothing_waits(spool), "acknowledgements")
        await until(lambda: collector.statuses[-1].get("connection") != 1, "a new status")
    assert collector.counts() == dict.fromkeys(range(1, 12), 1)
