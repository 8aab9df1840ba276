"""The uplink against a real Mosquitto, seen by a subscriber of its own."""

from __future__ import annotations

import asyncio
import contextlib
import os
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import pytest

from campuswatch.broker.service import Broker
from campuswatch.readings import now_ns
from campuswatch.settings import BrokerSettings
from campuswatch.wire import Lane
from edge_agents.spool import Spool
from edge_agents.uplink import Uplink
from tests.edge_agents.district import ADDRESS, District, district
from tests.edge_agents.waiting import until
from tests.servers import Server, free_port, mosquitto, running

AUTOSAVE_NEVER = "allow_anonymous true\nautosave_interval 0\n"

APPENDER = """
import asyncio
from pathlib import Path
from campuswatch.broker.service import Broker
from campuswatch.readings import now_ns
from campuswatch.settings import BrokerSettings
from edge_agents.spool import Spool
from edge_agents.uplink import Uplink
from tests.edge_agents.district import ADDRESS

async def main():
    spool = Spool(Path({path!r}), max_bytes=10**9, max_age=10**6)
    for number in range(1, 4):
        spool.append(b"availability,device=sw-1 up=1i %d\\n" % number)
    await Uplink(spool, ADDRESS, BrokerSettings(url="mqtt://127.0.0.1:{port}")).run()

asyncio.run(main())
"""


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


def open_spool(directory: Path, *, max_bytes: int = 10**9) -> Spool:
    return Spool(directory / "spool" / "spool.sqlite", max_bytes=max_bytes, max_age=10**6)


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
    assert collector.published == dict.fromkeys(range(1, 51), 1)
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
    assert collector.published == dict.fromkeys(range(1, 16), 1)


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
    assert collector.published == dict.fromkeys(range(1, 12), 1)


async def test_what_a_killed_broker_forgot_is_sent_again(tmp_path: Path, spool: Spool) -> None:
    """Its state on the disk is older than what it acknowledged; the collector is away."""
    with running(mosquitto(tmp_path, AUTOSAVE_NEVER)) as broker:
        with district(broker.port) as collector:
            spool.append(line(1))
            async with sending(spool, broker):
                await until(nothing_waits(spool), "acknowledgements")
                collector.await_batches(range(1, 2))
        broker.stop()  # in order: the collector's session is on the disk now
        broker.start()
        collector = District(broker.port)
        collector.connect()
        collector.disconnect()
        async with sending(spool, broker) as uplink:
            for number in range(2, 12):
                spool.append(line(number))
                uplink.wake()
            await until(nothing_waits(spool), "acknowledgements")
            broker.kill()
            broker.start()
            with district(broker.port) as collector:
                await asyncio.to_thread(collector.await_batches, range(2, 12))
                await until(nothing_waits(spool), "acknowledgements")


async def test_a_broker_that_lost_everything_gets_all_that_it_acknowledged_lately(
    broker: Server, collector: District, spool: Spool, tmp_path: Path
) -> None:
    for number in range(1, 6):
        spool.append(line(number))
    async with sending(spool, broker):
        await until(nothing_waits(spool), "acknowledgements")
    collector.disconnect()
    broker.kill()
    (tmp_path / "mosquitto.db").unlink(missing_ok=True)
    broker.start()
    with district(broker.port) as emptied:
        async with sending(spool, broker):
            await asyncio.to_thread(emptied.await_batches, range(1, 6))


async def test_batches_nobody_subscribes_to_are_kept(broker: Server, spool: Spool) -> None:
    spool.append(line(1))
    async with sending(spool, broker):
        with district(broker.port) as collector:
            await asyncio.to_thread(collector.await_batches, range(1, 2))
        await until(nothing_waits(spool), "acknowledgements")


async def test_news_overtakes_the_backlog(
    broker: Server, collector: District, spool: Spool, monkeypatch: pytest.MonkeyPatch
) -> None:
    hour = 3600 * 10**9
    with monkeypatch.context() as yesterday:
        yesterday.setattr("edge_agents.spool.now_ns", lambda: now_ns() - hour)
        for number in range(1, 301):
            spool.append(line(number))
    async with sending(spool, broker) as uplink:
        await until(lambda: len(collector.batches) > 20, "a part of the backlog")
        for number in range(301, 306):
            spool.append(line(number))
            uplink.wake()
        await asyncio.to_thread(collector.await_batches, range(1, 306))
    arrived = collector.seqs()
    assert max(map(arrived.index, range(301, 306))) < arrived.index(300)
    lanes = {batch.seq: batch.lane for batch in collector.batches}
    assert {lanes[seq] for seq in range(1, 301)} == {Lane.BACKFILL}
    assert {lanes[seq] for seq in range(301, 306)} == {Lane.LIVE}
    backlog = [seq for seq in arrived if seq <= 300]
    assert backlog == sorted(backlog)
    assert collector.published == dict.fromkeys(range(1, 306), 1)


def test_status_says_who_is_there_and_the_will_who_is_gone(
    broker: Server, collector: District, tmp_path: Path
) -> None:
    script = APPENDER.format(path=str(tmp_path / "own" / "spool.sqlite"), port=broker.port)
    process = subprocess.Popen([sys.executable, "-c", script])
    try:
        collector.await_batches(range(1, 4))
        collector.await_status(state="online", connection=1, dropped=[])
    finally:
        process.kill()
        process.wait()
    collector.await_status(state="offline", connection=1)


async def test_dropped_batches_are_declared_in_the_status(
    broker: Server, collector: District, tmp_path: Path
) -> None:
    with contextlib.closing(open_spool(tmp_path, max_bytes=1_000_000)) as spool:
        for _ in range(100):
            spool.append(os.urandom(20_000))
        dropped = [list(each) for each in spool.state().dropped]
        assert dropped
        async with sending(spool, broker):
            await asyncio.to_thread(collector.await_status, state="online", dropped=dropped)


async def test_a_second_connection_of_the_same_agent_repeats_nothing(
    broker: Server, collector: District, spool: Spool
) -> None:
    """The broker still holds the connection before, as after a cut of the line."""
    for number in range(1, 6):
        spool.append(line(number))
    uplink = Uplink(spool, ADDRESS, BrokerSettings(url=f"mqtt://127.0.0.1:{broker.port}"))
    async with uplink._connected() as stale:
        await stale._fill_window()
        await until(lambda: len(stale._acknowledged) == 5, "acknowledgements")
        await stale._store_acknowledgements()
        async with uplink._connected() as fresh:
            await fresh._send_forgotten()
            assert fresh._memory.result().vouched == 1
            assert spool.state().batches == 0


async def test_no_more_is_in_flight_than_the_broker_allows(tmp_path: Path, spool: Spool) -> None:
    config = "allow_anonymous true\nmax_inflight_messages 5\n"
    with (
        running(mosquitto(tmp_path, config)) as broker,
        district(broker.port) as collector,
    ):
        for number in range(1, 101):
            spool.append(line(number))
        async with sending(spool, broker):
            await asyncio.to_thread(collector.await_batches, range(1, 101))
            await until(nothing_waits(spool), "acknowledgements")
    assert collector.published == dict.fromkeys(range(1, 101), 1)
    assert spool.next_connection() == 2  # the first was never cut for sending too much


async def test_a_refused_login_is_tried_again(tmp_path: Path, spool: Spool) -> None:
    spool.append(line(1))
    port = free_port()
    closed = mosquitto(tmp_path, "allow_anonymous false\n", port)
    with running(closed) as broker:
        async with sending(spool, broker):
            await until(lambda: "not authorised" in closed.log.read_text(), "a refusal")
            closed.stop()
            with (
                running(mosquitto(tmp_path, port=port)),
                district(port) as collector,
            ):
                await asyncio.to_thread(collector.await_batches, range(1, 2))


async def test_the_embedded_broker_is_as_good(spool: Spool) -> None:
    broker = Broker("127.0.0.1", 0)
    await broker.start()
    uplink = Uplink(spool, ADDRESS, BrokerSettings(url=f"mqtt://127.0.0.1:{broker.port}"))
    collector = District(broker.port)
    await asyncio.to_thread(collector.connect)
    task = asyncio.create_task(uplink.run())
    try:
        for number in range(1, 31):
            spool.append(line(number))
            uplink.wake()
        await until(nothing_waits(spool), "acknowledgements")
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
    await asyncio.to_thread(collector.await_status, state="offline", connection=1)
    await asyncio.to_thread(collector.disconnect)
    await broker.stop()
    assert collector.published == dict.fromkeys(range(1, 31), 1)


async def test_a_frozen_broker_does_not_keep_the_agent_from_stopping(
    broker: Server, collector: District, spool: Spool
) -> None:
    try:
        async with asyncio.timeout(20):
            async with sending(spool, broker) as uplink:
                spool.append(line(1))
                uplink.wake()
                await until(nothing_waits(spool), "acknowledgements")
                broker.pause()
                spool.append(line(2))
                uplink.wake()
    finally:
        broker.resume()
    assert spool.state().first_unsent == 2
    async with sending(spool, broker):
        await asyncio.to_thread(collector.await_batches, range(1, 3))
