"""A store that is asked again until it answers."""

from __future__ import annotations

import logging
import random
import threading
from typing import Final

from campuswatch.stores.base import RejectedLine, Store, StoreError, StoreUnavailableError

log = logging.getLogger(__name__)

FIRST_PAUSE: Final = 0.5
LONGEST_PAUSE: Final = 15.0
"""Seconds before the second try of a write, and the most between two."""


class StoppedError(Exception):
    """The collector stops before the store took a write."""


class PatientStore:
    """Writes to a store that may be down; safe to call from several threads."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._failures = 0
        self._lock = threading.Lock()
        self._stopping = threading.Event()

    def take_failures(self) -> int:
        """Return how many writes had to be repeated since the last call."""
        with self._lock:
            failures, self._failures = self._failures, 0
            return failures

    def write(self, lines: bytes) -> list[RejectedLine]:
        """Write until the store has taken the lines; return those it never will.

        Raises:
            StoppedError: nothing can be said of the lines.
        """
        pause = FIRST_PAUSE
        while lines:
            try:
                return self._store.write(lines)
            except StoreUnavailableError as error:
                pause = max(pause, error.retry_after or 0)
                log.warning("the store takes no write, trying again in %.1f s: %s", pause, error)
            except StoreError as error:
                # Not about a line, so an operator must mend it; until then nothing is lost.
                log.error("THE STORE REFUSES TO WORK, trying again in %.1f s: %s", pause, error)
            with self._lock:
                self._failures += 1
            if self._stopping.wait(pause * random.uniform(0.8, 1.2)):  # noqa: S311 - only jitter
                raise StoppedError
            pause = min(2 * pause, LONGEST_PAUSE)
        return []

    def stop(self) -> None:
        """Give up on a store that is down; writes that are under way still finish."""
        self._stopping.set()
