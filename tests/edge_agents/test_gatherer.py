"""Readings on their way to the spool, also while the disk takes nothing."""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from campuswatch.measurements import CATALOGUE
from campuswatch.readings import Reading
from campuswatch.wire import Lane
from edge_agents.gatherer import Gatherer
from edge_agents.spool import Spool, SpoolUnavailableError
from tests.edge_agents.waiting import until


@pytest.fixture
def spool(tmp_path: Path) -> Iterator[Spool]:
    with contextlib.closing(
        Spool(tmp_path / "spool.sqlite", max_bytes=10**9, max_age=10**6)
    ) as opened:
        yield opened


def reading(number: int, text: str = "") -> Reading:
    return CATALOGUE["availability"].reading({"device": "sw-1"}, {"up": 1, "reason": text}, number)


def bulky(number: int) -> Reading:
    """Return a reading of 20 kB that does not compress to a page that is there already."""
    return reading(number, random.Random(number).randbytes(10_000).hex())


def spooled(spool: Spool) -> list[bytes]:
    keys = spool.oldest_unsent(2**62, 10**6)
    batches = [spool.read(stream, seq, Lane.BACKFILL) for stream, seq in keys]
    return [line for batch in batches if batch for line in batch.lines.splitlines()]


def fill_disk(spool: Spool) -> None:
    pages = spool._database.execute("PRAGMA page_count").fetchone()[0]
    spool._database.execute(f"PRAGMA max_page_count = {pages}")


def empty_disk(spool: Spool) -> None:
    spool._database.execute("PRAGMA max_page_count = 1000000")


@contextlib.asynccontextmanager
async def running(gatherer: Gatherer) -> AsyncIterator[None]:
    task = asyncio.create_task(gatherer.run())
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def test_readings_of_a_moment_become_one_batch(spool: Spool) -> None:
    woken: list[None] = []
    gatherer = Gatherer(spool, lambda: woken.append(None))
    for number in range(1, 11):
        gatherer.emit([reading(number)])
    async with running(gatherer):
        await until(lambda: len(woken) == 1, "a batch")
    assert spool.state().last_seq == 1
    assert [line.split()[-1] for line in spooled(spool)] == [b"%d" % n for n in range(1, 11)]
    assert gatherer.take_statistics().readings == 10
    assert gatherer.take_statistics().readings == 0


async def test_a_future_is_done_once_its_readings_are_on_the_disk(spool: Spool) -> None:
    gatherer = Gatherer(spool, lambda: None)
    stored = gatherer.emit([reading(1)])
    assert not stored.done()
    await gatherer.flush()
    assert stored.done()
    assert len(spooled(spool)) == 1


async def test_nothing_emitted_is_done_at_the_next_flush(spool: Spool) -> None:
    gatherer = Gatherer(spool, lambda: None)
    stored = gatherer.emit([])
    await gatherer.flush()
    assert stored.done()
    assert spool.state().last_seq == 0


async def test_much_at_once_becomes_several_batches(spool: Spool) -> None:
    gatherer = Gatherer(spool, lambda: None)
    gatherer.emit([reading(number, "x" * 1000) for number in range(1000)])
    await gatherer.flush()
    assert spool.state().last_seq == 4
    assert len(spooled(spool)) == 1000


async def test_what_no_line_can_hold_does_not_take_the_rest_with_it(
    spool: Spool, caplog: pytest.LogCaptureFixture
) -> None:
    gatherer = Gatherer(spool, lambda: None)
    gatherer.emit([reading(1), reading(2, "a\0b"), reading(3)])
    await gatherer.flush()
    assert [line.split()[-1] for line in spooled(spool)] == [b"1", b"3"]
    assert "NUL is not allowed" in caplog.text


async def test_readings_wait_in_memory_while_the_disk_is_full(spool: Spool) -> None:
    gatherer = Gatherer(spool, lambda: None, retry=0.05)
    fill_disk(spool)
    stored = gatherer.emit([bulky(number) for number in range(100)])
    with pytest.raises(SpoolUnavailableError):
        await gatherer.flush()
    async with running(gatherer):
        gatherer.emit([reading(100)])
        assert not stored.done()
        empty_disk(spool)
        await until(stored.done, "the disk to take them")
        await until(lambda: len(spooled(spool)) == 101, "all of them")
    times = [int(line.split()[-1]) for line in spooled(spool)]
    assert times == list(range(101))
    assert gatherer.take_statistics().dropped == 0


async def test_beyond_the_bound_the_oldest_are_dropped_and_counted(spool: Spool) -> None:
    gatherer = Gatherer(spool, lambda: None, memory=500_000)
    fill_disk(spool)
    first = gatherer.emit([bulky(0)])
    for number in range(1, 100):
        gatherer.emit([bulky(number)])
        with pytest.raises(SpoolUnavailableError):
            await gatherer.flush()
    assert first.done()  # given up: nobody should wait for it
    empty_disk(spool)
    await gatherer.flush()
    times = [int(line.split()[-1]) for line in spooled(spool)]
    dropped = gatherer.take_statistics().dropped
    assert dropped > 0
    assert times == list(range(dropped, 100))
