"""What the console shows, asked from the store at most every few seconds."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from functools import partial
from typing import Final, Generic, TypeVar

from campuswatch.inventory.models import Inventory
from campuswatch.readings import now_ns
from campuswatch.stores.base import Store
from console.devices import SchoolDevices, read_devices
from targets.check import check
from targets.verdicts import CheckReport

FRESH: Final = 5.0
"""Seconds for which an answer is given again without asking the store."""

Answer = TypeVar("Answer")


class Judgements:
    """The verdicts and device states of one district.

    The store is asked on a thread, by one request at a time however many wait.
    """

    def __init__(self, inventory: Inventory, store: Store) -> None:
        self._inventory = inventory
        self._store = store
        self._report = _Cached(self._check)
        self._devices = {
            school.id: _Cached(partial(read_devices, inventory, school, store))
            for school in inventory.schools
        }

    async def report(self) -> CheckReport:
        """Return every school's verdicts.

        Raises:
            StoreUnavailableError: the store can't be reached.
        """
        return await self._report.get()

    async def devices(self, school_id: str) -> SchoolDevices:
        """Return the devices of a school.

        Raises:
            KeyError: there is no such school.
            StoreUnavailableError: the store can't be reached.
        """
        return await self._devices[school_id].get()

    def _check(self) -> CheckReport:
        now = now_ns()
        return CheckReport(generated=now, schools=tuple(check(self._inventory, self._store, now)))


class _Cached(Generic[Answer]):
    """An answer that is kept for a while."""

    def __init__(self, ask: Callable[[], Answer]) -> None:
        self._ask = ask
        self._lock = asyncio.Lock()
        self._kept: tuple[float, Answer] | None = None

    async def get(self) -> Answer:
        async with self._lock:
            if self._kept is None or time.monotonic() - self._kept[0] > FRESH:
                answer = await asyncio.to_thread(self._ask)
                self._kept = time.monotonic(), answer
            return self._kept[1]
