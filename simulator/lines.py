"""The schools' lines to the district, which a fault can cut."""

from __future__ import annotations

import asyncio
import contextlib
from typing import Final

from simulator.world import Trouble, World

_CHUNK: Final = 65536
_LOOK: Final = 0.5
"""Seconds between two looks whether a line is cut."""


class Line:
    """Hands bytes on between a TCP port of 127.0.0.1 and the district's broker."""

    def __init__(self, world: World, school: str, port: int, broker: tuple[str, int]) -> None:
        self._world = world
        self._school = school
        self._port = port
        self._broker = broker
        self._calls: set[asyncio.Task[None]] = set()

    async def run(self) -> None:
        """Serve until cancelled.

        Raises:
            OSError: the port is taken.
        """
        server = await asyncio.start_server(self._call, "127.0.0.1", self._port)
        try:
            while True:
                await asyncio.sleep(_LOOK)
                if self._is_cut():
                    self._hang_up()
        finally:
            server.close()
            self._hang_up()

    def _is_cut(self) -> bool:
        return self._world.has(Trouble.WAN_CUT, self._school)

    def _hang_up(self) -> None:
        for call in self._calls:
            call.cancel()

    async def _call(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._calls.add(task)
        try:
            if not self._is_cut():
                await self._connect(reader, writer)
        except (OSError, asyncio.CancelledError):
            # A broken line is what this simulates; the stream server would log it as an error.
            pass
        finally:
            self._calls.discard(task)
            writer.transport.abort()

    async def _connect(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        far_reader, far_writer = await asyncio.open_connection(*self._broker)
        directions = {
            asyncio.create_task(_pump(reader, far_writer)),
            asyncio.create_task(_pump(far_reader, writer)),
        }
        try:
            await asyncio.wait(directions, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for direction in directions:
                direction.cancel()
            far_writer.transport.abort()


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Copy until either side ends."""
    with contextlib.suppress(OSError):
        while data := await reader.read(_CHUNK):
            writer.write(data)
            await writer.drain()
