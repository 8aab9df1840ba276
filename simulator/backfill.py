"""Writing the made-up past into the store while everything else runs."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Final

from campuswatch.services import ServiceContext
from simulator.history import History

_BREAK: Final = 1.0
"""Seconds of rest for each second of writing: the live readings go first."""


class Backfill:
    """Writes a history, the newest day first, and then waits to be cancelled.

    Args:
        history: what to write.
        start: ns UTC.
        end: ns UTC.
        progress: called with the share that is written, from 0 to 1.

    Attributes:
        written: set once all is.
    """

    def __init__(
        self, history: History, start: int, end: int, progress: Callable[[float], None]
    ) -> None:
        self._chunks = history.chunks(start, end)
        self._start = start
        self._end = end
        self._progress = progress
        self.written = asyncio.Event()

    async def serve(self, context: ServiceContext) -> None:
        """Write what is left, then wait until cancelled."""
        while (left := await asyncio.to_thread(self._write_one, context)) is not None:
            complete_from, seconds = left
            self._progress((self._end - complete_from) / (self._end - self._start))
            await asyncio.sleep(_BREAK * seconds)
        self.written.set()
        await asyncio.get_running_loop().create_future()

    def _write_one(self, context: ServiceContext) -> tuple[int, float] | None:
        """Write a chunk; return from when on the past is complete, and the seconds it took."""
        begun = time.monotonic()
        chunk = next(self._chunks, None)
        if chunk is None:
            return None
        complete_from, lines = chunk
        assert context.store is not None
        context.store.write(lines)
        return complete_from, time.monotonic() - begun
