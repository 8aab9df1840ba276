"""Waiting for a condition without holding up the event loop."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from tests.servers import wait_until


async def until(condition: Callable[[], bool], what: str) -> None:
    """Return once `condition()` holds; it is asked in another thread.

    Raises:
        TimeoutError: it still does not after a while; names `what`.
    """
    await asyncio.to_thread(wait_until, condition, what)
