"""Gathers readings for a moment and puts them into the spool, one batch at a time."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final

from campuswatch.lineprotocol import LineProtocolError, encode
from campuswatch.readings import Reading
from campuswatch.wire import Batch
from edge_agents.spool import Spool, SpoolUnavailableError

log = logging.getLogger(__name__)

PERIOD: Final = 1.0
"""Longest wait of a reading for its batch, seconds: what `kill -9` may take."""

_BATCH_BYTES: Final = 256 * 1024  # of lines; below every broker's packet limit

# Emissions that may wait for one batch. A local broker commonly lets 20
# messages be in flight, and waits when they are (Mosquitto's max_inflight_messages).
_BATCH_EMISSIONS: Final = 10

_MEMORY_BYTES: Final = 32 * 1024 * 1024  # of lines that wait for the disk
_RETRY: Final = 5.0  # seconds between tries while the disk takes nothing


@dataclass(slots=True)
class GathererStatistics:
    """What happened since the statistics were last taken.

    Attributes:
        readings: readings taken in.
        dropped: readings given up because the disk took nothing for too long.
    """

    readings: int = 0
    dropped: int = 0


class Gatherer:
    """Turns readings into batches: one commit and one fsync for all of a moment.

    While the disk takes nothing, readings wait in memory up to a bound; beyond
    it the oldest are dropped and counted.

    Args:
        spool: takes the batches.
        on_batch: called on the loop after each.
        memory: bound of the lines that wait in memory, bytes.
        retry: seconds between tries while the disk takes nothing.
    """

    def __init__(
        self,
        spool: Spool,
        on_batch: Callable[[], None],
        *,
        memory: int = _MEMORY_BYTES,
        retry: float = _RETRY,
    ) -> None:
        self._spool = spool
        self._on_batch = on_batch
        self._memory = memory
        self._retry = retry
        self._lines: deque[bytes] = deque()
        self._size = 0
        self._taken = 0
        self._settled = 0
        self._waiters: deque[tuple[int, asyncio.Future[None]]] = deque()
        self._enough = asyncio.Event()
        self._statistics = GathererStatistics()

    def take_statistics(self) -> GathererStatistics:
        """Return the statistics since the last call, and begin anew."""
        taken, self._statistics = self._statistics, GathererStatistics()
        return taken

    def emit(self, readings: Iterable[Reading]) -> asyncio.Future[None]:
        """Take readings.

        Returns:
            A future that is done once they are on the disk, or given up.
        """
        for reading in readings:
            try:
                self._take(encode((reading,)))
            except LineProtocolError as error:
                log.error("reading can't be written: reason=%r", str(error))
        self._trim()
        stored = asyncio.get_running_loop().create_future()
        self._waiters.append((self._taken, stored))
        if self._size >= _BATCH_BYTES or len(self._waiters) >= _BATCH_EMISSIONS:
            self._enough.set()
        return stored

    async def run(self) -> None:
        """Store batches until cancelled; `flush` stores the last."""
        while True:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(PERIOD):
                    await self._enough.wait()
            self._enough.clear()
            try:
                await self.flush()
            except SpoolUnavailableError as error:
                log.error("readings wait in memory: bytes=%d reason=%r", self._size, str(error))
                await asyncio.sleep(self._retry)

    async def flush(self) -> None:
        """Store what has been gathered.

        Raises:
            SpoolUnavailableError: the disk takes nothing; the readings are kept.
        """
        while self._lines:
            batch = self._next_batch()
            storing = asyncio.ensure_future(asyncio.to_thread(self._spool.append, b"".join(batch)))
            try:
                # Shielded: once begun, the thread ends whatever becomes of this task.
                await asyncio.shield(storing)
            except SpoolUnavailableError:
                self._put_back(batch)
                raise
            except asyncio.CancelledError:
                await self._finish(storing, batch)
                raise
            self._settle(len(batch))
            self._on_batch()
        self._settle(0)

    async def _finish(self, storing: asyncio.Future[Batch], batch: list[bytes]) -> None:
        try:
            await storing
        except SpoolUnavailableError:
            self._put_back(batch)
        else:
            self._settle(len(batch))

    def _take(self, line: bytes) -> None:
        self._lines.append(line)
        self._size += len(line)
        self._taken += 1
        self._statistics.readings += 1

    def _trim(self) -> None:
        dropped = 0
        while self._size > self._memory:
            self._size -= len(self._lines.popleft())
            dropped += 1
        if dropped:
            self._statistics.dropped += dropped
            self._settle(dropped)

    def _next_batch(self) -> list[bytes]:
        batch: list[bytes] = []
        size = 0
        while self._lines and (not batch or size + len(self._lines[0]) <= _BATCH_BYTES):
            batch.append(self._lines.popleft())
            size += len(batch[-1])
        self._size -= size
        return batch

    def _put_back(self, batch: list[bytes]) -> None:
        self._lines.extendleft(reversed(batch))
        self._size += sum(map(len, batch))
        self._trim()

    def _settle(self, count: int) -> None:
        """Note that the oldest `count` readings wait no more."""
        self._settled += count
        while self._waiters and self._waiters[0][0] <= self._settled:
            stored = self._waiters.popleft()[1]
            if not stored.done():
                stored.set_result(None)
