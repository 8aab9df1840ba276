"""The targets service: keeps daily results up to date, and says how schools stand."""

from __future__ import annotations

import asyncio
import itertools
import logging
import math
import threading
import time
from collections import deque
from collections.abc import Iterable
from typing import Final

from campuswatch.inventory.models import Inventory, School
from campuswatch.lineprotocol import encode
from campuswatch.measurements import CATALOGUE
from campuswatch.readings import Reading, now_ns
from campuswatch.services import ServiceContext
from campuswatch.stores.base import Store, StoreError, StoreUnavailableError
from targets import status
from targets.check import batches, check_schools
from targets.late import SchoolDay, accounted_until, days_of, late_batches
from targets.recent import Recent
from targets.rollup import SETTLED, Summaries, whole_days

log = logging.getLogger(__name__)

INTERVAL: Final = 60.0
"""From one round to the next, seconds."""

_SHARE: Final = 0.4
"""Of a round's time, for each of what may wait: old days, and the schools' standing."""


async def serve(context: ServiceContext) -> None:
    """Summarise days as they end or change, and tell every minute how schools stand."""
    assert context.store is not None
    rounds = Rounds(context.inventory, context.store)
    loop = asyncio.get_running_loop()
    try:
        while True:
            started = loop.time()
            try:
                await asyncio.to_thread(rounds.run, now_ns())
            except (StoreUnavailableError, StoreError) as error:
                log.error("daily results can't be kept, trying again: %s", error)
            await asyncio.sleep(max(0.0, started + INTERVAL - loop.time()))
    finally:
        rounds.stop()


class Rounds:
    """Does in each round what is due, and of what may wait as much as there is time for."""

    def __init__(self, inventory: Inventory, store: Store) -> None:
        self._inventory = inventory
        self._store = store
        self._summaries = Summaries(inventory, store)
        self._schools = {school.id: school for school in inventory.schools}
        self._seen: int | None = None
        self._settled: dict[str, int] = {}
        self._unknown = deque(inventory.schools)
        self._waiting: set[SchoolDay] = set()
        self._groups = list(batches(inventory.schools))
        self._turns = itertools.cycle(self._groups)
        self._recent = Recent()
        self._stopping = threading.Event()

    def stop(self) -> None:
        """Let the round that is under way end soon."""
        self._stopping.set()

    def run(self, now: int) -> None:
        """Do one round at a moment, ns UTC.

        Raises:
            StoreUnavailableError: the store can't be reached; the next round
                does what this one has not.
            StoreError: it refuses the results.
        """
        started = time.monotonic()
        if self._seen is None:
            self._seen = accounted_until(self._store) or now
        late: dict[str, set[int]] = {}
        for schools in self._groups:
            late |= late_batches(self._store, [school.id for school in schools], self._seen)
        self._recent.forget(late)
        done = self._summarise(self._changed(late, now))
        if self._stopping.is_set():
            return
        self._seen = now
        self._write([_health(now, seen=now / 1e9)])
        self._note_days_over(now, started + _SHARE * INTERVAL)
        done += self._summarise(self._waiting, started + _SHARE * INTERVAL)
        self._tell(now, started + 2 * _SHARE * INTERVAL)
        duration = time.monotonic() - started
        self._write([_health(now, days=done, waiting=len(self._waiting), duration=duration)])

    def _changed(self, late: dict[str, set[int]], now: int) -> set[SchoolDay]:
        """Return the days that are over and that batches which came late may have changed."""
        return {
            (school, day)
            for school, made in late.items()
            for day in days_of(self._schools[school], self._summaries.promises[school], made)
            if self._is_over(school, day, now)
        }

    def _is_over(self, school: str, day: int, now: int) -> bool:
        calendar = self._summaries.promises[school].calendar
        return calendar.span(calendar.day(day))[1] <= now - SETTLED

    def _note_days_over(self, now: int, deadline: float) -> None:
        """Let the days wait that nobody has summarised yet."""
        while self._unknown and not self._is_late(deadline):
            school = self._unknown.popleft()
            missing = self._summaries.missing(school, now)
            self._waiting |= {(school.id, day) for day in missing}
            self._settled[school.id] = now - SETTLED
        for school_id, settled in self._settled.items():
            promise = self._summaries.promises[school_id]
            self._waiting |= {
                (school_id, since)
                for since, until in whole_days(promise, settled, now - SETTLED)
                if until > settled
            }
            self._settled[school_id] = now - SETTLED

    def _summarise(self, days: Iterable[SchoolDay], deadline: float = math.inf) -> int:
        """Summarise days, the newest first, until a deadline, and return how many."""
        done = 0
        for batch in self._summaries.batches(days):
            if self._is_late(deadline):
                break
            self._summaries.summarise(batch)
            self._waiting -= set(batch)
            done += len(batch)
        return done

    def _tell(self, now: int, deadline: float) -> None:
        """Write how schools stand, in turns where there are too many for one round."""
        for schools in itertools.islice(self._turns, len(self._groups)):
            self._write(self._standing(schools, now))
            if self._is_late(deadline):
                break

    def _is_late(self, deadline: float) -> bool:
        return self._stopping.is_set() or time.monotonic() > deadline

    def _standing(self, schools: list[School], now: int) -> list[Reading]:
        verdicts = check_schools(
            self._inventory, schools, self._store, now, read_raw=self._recent.read
        )
        return [reading for verdict in verdicts for reading in status.readings(verdict, now)]

    def _write(self, readings: list[Reading]) -> None:
        if refused := self._store.write(encode(readings)):
            raise StoreError(f"a result is refused: {refused[0].reason}")


def _health(now: int, **fields: float) -> Reading:
    return CATALOGUE["targets"].reading({}, fields, now)
