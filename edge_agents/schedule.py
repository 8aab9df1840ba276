"""Polls every source at its own cadence, without one holding up another."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from edge_agents.sources.base import Emit, PolledSource

log = logging.getLogger(__name__)

_HASH_SPAN: Final = 2**32
_TOLERANCE: Final = 0.1  # share of an interval by which a poll may start late


@dataclass(slots=True)
class PollStatistics:
    """What happened since the statistics were last taken.

    Attributes:
        polls: polls that ended with an answer.
        failed: polls that raised an error or ran out of time.
        skipped: polls left out because the one before still ran or waited.
        lateness: worst delay of a poll's start behind its schedule, seconds.
    """

    polls: int = 0
    failed: int = 0
    skipped: int = 0
    lateness: float = 0.0


def phase(name: str) -> float:
    """Return where in its interval a source is polled, from 0 to 1.

    It depends on the name alone, so that a restart keeps each device's rhythm
    and the polls of many devices spread evenly.
    """
    return zlib.crc32(name.encode()) / _HASH_SPAN


class Schedule:
    """Polls sources for as long as it runs.

    A source's polls are due at `start + (phase + k) * interval` on the
    monotonic clock, whatever the polls before took. A poll is cut short after
    one interval, and one that is due while the one before still runs, or waits
    for a free place, is skipped: polls never pile up. (A poll that ends within
    a tenth of an interval after the next was due still lets that one run.)
    `poll_now` adds a poll, and moves none.

    Args:
        emit: takes the readings.
        concurrency: polls under way at the same time.
    """

    def __init__(self, emit: Emit, *, concurrency: int) -> None:
        self._emit = emit
        self._places = asyncio.Semaphore(concurrency)
        self._statistics = PollStatistics()
        self._calls: dict[str, asyncio.Event] = {}

    def poll_now(self, name: str) -> bool:
        """Poll a source as soon as a place is free; several calls before then are one.

        Returns:
            Whether there is a source of that name.
        """
        call = self._calls.get(name)
        if call is None:
            return False
        call.set()
        return True

    def take_statistics(self) -> PollStatistics:
        """Return the statistics since the last call, and begin anew."""
        taken, self._statistics = self._statistics, PollStatistics()
        return taken

    async def run(self, sources: Sequence[PolledSource]) -> None:
        """Poll sources, whose names are unique, until cancelled; then close them."""
        start = time.monotonic()
        self._calls = {source.name: asyncio.Event() for source in sources}
        try:
            async with asyncio.TaskGroup() as group:
                for source in sources:
                    group.create_task(self._keep_polling(source, start), name=source.name)
        finally:
            for source in sources:
                await _close(source)

    async def _keep_polling(self, source: PolledSource, start: float) -> None:
        turn = 0
        call = self._calls[source.name]
        while True:
            due = start + (phase(source.name) + turn) * source.interval
            while await _called_before(due, call):
                async with self._places:
                    await self._poll(source)
            async with self._places:
                self._note_lateness(time.monotonic() - due)
                await self._poll(source)
            elapsed = (time.monotonic() - due) / source.interval
            missed = max(0, int(elapsed - _TOLERANCE))
            self._statistics.skipped += missed
            turn += 1 + missed

    def _note_lateness(self, lateness: float) -> None:
        self._statistics.lateness = max(self._statistics.lateness, lateness)

    async def _poll(self, source: PolledSource) -> None:
        limit = asyncio.timeout(source.interval)
        try:
            async with limit:
                self._emit(await source.poll())
            self._statistics.polls += 1
        except Exception:  # a source's fault must not end the others
            self._statistics.failed += 1
            if limit.expired():
                log.warning("poll cut short: source=%s after=%gs", source.name, source.interval)
            else:
                log.exception("poll failed: source=%s", source.name)


async def _called_before(due: float, call: asyncio.Event) -> bool:
    """Return at `due` on the monotonic clock, or when called; whether it was a call."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(due - time.monotonic()):
            await call.wait()
        call.clear()
        return True
    return False


async def _close(source: PolledSource) -> None:
    try:
        await source.close()
    except Exception:  # a source's fault must not keep the others open
        log.exception("source not closed: source=%s", source.name)
