"""Asking no faster than a network likes."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence

from edge_agents.sources.snmp.session import Page, SnmpSession, Value


class Throttle:
    """Lets so many packets go in a second.

    Args:
        rate: packets a second, all of a sweep taken together.
    """

    def __init__(self, rate: float) -> None:
        self._apart = 1 / rate
        self._next = 0.0

    async def take(self) -> None:
        """Return when one more may go."""
        now = asyncio.get_running_loop().time()
        turn = max(now, self._next)
        self._next = turn + self._apart
        await asyncio.sleep(turn - now)


class ThrottledSession:
    """An `SnmpSession` whose requests wait for their turn; what it repeats does not.

    A subtree is asked for once: several columns of a profile may read the same.
    """

    def __init__(self, session: SnmpSession, throttle: Throttle) -> None:
        self._session = session
        self._throttle = throttle
        self._walked: dict[str, list[Page]] = {}

    async def get(self, oids: Sequence[str]) -> dict[str, Value]:
        """See `SnmpSession.get`."""
        await self._throttle.take()
        return await self._session.get(oids)

    async def walk(self, root: str, rows: int | None = None) -> AsyncIterator[Page]:
        """See `SnmpSession.walk`."""
        if root in self._walked:
            for page in self._walked[root]:
                yield page
            return
        pages: list[Page] = []
        await self._throttle.take()
        async for page in self._session.walk(root, rows):
            pages.append(page)
            yield page
            await self._throttle.take()
        self._walked[root] = pages

    def close(self) -> None:
        """See `SnmpSession.close`."""
        self._session.close()
