"""The schedule, on the real clock."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Iterable, Sequence

from hypothesis import given
from hypothesis import strategies as st

from campuswatch.measurements import CATALOGUE
from campuswatch.readings import Reading, now_ns
from edge_agents.schedule import PollStatistics, Schedule, phase
from tests.edge_agents.waiting import until

Poll = Callable[[], Awaitable[None]]


class Source:
    """Polls as it is told, and counts."""

    def __init__(self, name: str, interval: float, poll: Poll) -> None:
        self.name = name
        self.interval = interval
        self.polls = 0
        self.finished = 0
        self.closed = False
        self._poll = poll

    async def poll(self) -> list[Reading]:
        self.polls += 1
        await self._poll()
        self.finished += 1
        return [CATALOGUE["availability"].reading({"device": self.name}, {"up": 1}, now_ns())]

    async def close(self) -> None:
        self.closed = True


class Taker:
    """Takes readings."""

    def __init__(self) -> None:
        self.devices: list[str] = []

    def emit(self, readings: Iterable[Reading]) -> asyncio.Future[None]:
        self.devices += [reading.tags["device"] for reading in readings]
        stored = asyncio.get_running_loop().create_future()
        stored.set_result(None)
        return stored


async def at_once() -> None:
    """A device that answers."""


async def never() -> None:
    await asyncio.Event().wait()


async def broken() -> None:
    raise ValueError("a fault of the source")


async def run_until(
    sources: Sequence[Source], condition: Callable[[], bool], *, concurrency: int = 100
) -> tuple[Taker, PollStatistics]:
    taker = Taker()
    schedule = Schedule(taker.emit, concurrency=concurrency)
    task = asyncio.create_task(schedule.run(sources))
    await until(condition, "the polls")
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task
    return taker, schedule.take_statistics()


async def test_readings_are_handed_on_and_sources_closed() -> None:
    source = Source("sw-1", 0.05, at_once)
    taker, statistics = await run_until([source], lambda: source.polls >= 5)
    assert taker.devices == ["sw-1"] * source.finished
    assert statistics.polls == source.finished
    assert source.closed


async def test_a_hanging_device_delays_no_other() -> None:
    dead = [Source(f"dead-{number}", 0.2, never) for number in range(20)]
    alive = Source("alive", 0.02, at_once)
    _, statistics = await run_until([*dead, alive], lambda: alive.finished >= 40)
    assert statistics.failed >= 20
    assert all(source.finished == 0 for source in dead)


async def test_a_source_is_polled_when_called_for() -> None:
    source, other = Source("sw-1", 3600, at_once), Source("sw-2", 3600, at_once)
    taker = Taker()
    schedule = Schedule(taker.emit, concurrency=1)
    assert not schedule.poll_now("sw-1")
    task = asyncio.create_task(schedule.run([source, other]))
    await asyncio.sleep(0)
    for polls in (1, 2, 3):
        assert schedule.poll_now("sw-1")
        assert schedule.poll_now("sw-1"), "a call before the poll began is the same call"

        def polled(polls: int = polls) -> bool:
            return source.finished == polls

        await until(polled, f"poll {polls}")
    assert not schedule.poll_now("sw-3")
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert taker.devices == ["sw-1"] * 3
    assert schedule.take_statistics() == PollStatistics(polls=3)


async def test_a_poll_that_was_called_for_moves_no_other() -> None:
    source = Source("sw-1", 0.3, at_once)
    schedule = Schedule(Taker().emit, concurrency=1)
    task = asyncio.create_task(schedule.run([source]))
    await until(lambda: source.polls >= 1, "the first poll")
    for _ in range(20):
        schedule.poll_now("sw-1")
        await asyncio.sleep(0.05)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert source.polls >= 20
    assert schedule.take_statistics().skipped == 0


async def test_a_poll_is_cut_short_after_its_interval_and_the_next_one_runs() -> None:
    source = Source("dead", 0.2, never)
    _, statistics = await run_until([source], lambda: source.polls >= 4)
    assert statistics.failed >= 3
    assert statistics.skipped < statistics.failed


async def test_an_error_of_a_source_is_counted_and_ends_nothing() -> None:
    faulty, alive = Source("faulty", 0.05, broken), Source("alive", 0.05, at_once)
    _, statistics = await run_until(
        [faulty, alive], lambda: alive.finished >= 5 and faulty.polls >= 5
    )
    assert statistics.failed == faulty.polls
    assert statistics.polls == alive.finished


async def test_polls_that_find_no_place_in_time_are_skipped_and_counted() -> None:
    async def slow() -> None:
        await asyncio.sleep(0.05)

    sources = [Source(f"sw-{number}", 0.1, slow) for number in range(8)]
    _, statistics = await run_until(
        sources, lambda: all(source.finished >= 2 for source in sources), concurrency=1
    )
    assert statistics.skipped > 0
    assert statistics.lateness > 0.05


async def test_polls_at_the_same_time_are_bounded() -> None:
    running = 0
    most = 0

    async def counted() -> None:
        nonlocal running, most
        running += 1
        most = max(most, running)
        await asyncio.sleep(0.01)
        running -= 1

    sources = [Source(f"sw-{number}", 0.1, counted) for number in range(30)]
    await run_until(sources, lambda: all(s.finished >= 2 for s in sources), concurrency=3)
    assert most == 3


async def test_statistics_begin_anew_when_taken() -> None:
    schedule = Schedule(Taker().emit, concurrency=1)
    source = Source("sw-1", 0.02, at_once)
    task = asyncio.create_task(schedule.run([source]))
    await until(lambda: source.finished >= 3, "three polls")
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert schedule.take_statistics().polls == source.finished
    assert schedule.take_statistics() == PollStatistics()


@given(st.text())
def test_a_phase_is_part_of_an_interval(name: str) -> None:
    assert 0 <= phase(name) < 1
    assert phase(name) == phase(name)


def test_phases_spread() -> None:
    tenths = [int(phase(f"school-7-sw-{number}") * 10) for number in range(1000)]
    assert all(60 < tenths.count(tenth) < 140 for tenth in range(10))
