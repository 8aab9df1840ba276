"""Payloads that no mapping could read, kept for a person to look at."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Final

from edge_agents.journal import Journal

log = logging.getLogger(__name__)

KEPT_BYTES: Final = 4096
"""How much of a payload is kept."""


class RejectedPayloads:
    """Counts bad payloads, and keeps the latest in `rejected.jsonl`.

    Args:
        directory: of the journal.
    """

    def __init__(self, directory: Path) -> None:
        self._journal = Journal(directory, "rejected")
        self._count = 0

    def take_count(self) -> int:
        """Return how many came since the last call."""
        taken, self._count = self._count, 0
        return taken

    def keep(self, topic: str, payload: bytes, reason: str) -> None:
        """Count a payload and keep its beginning; a disk that takes nothing is no error."""
        self._count += 1
        log.warning("payload rejected: topic=%s reason=%r", topic, reason)
        self._journal.keep(
            {
                "topic": topic,
                "reason": reason,
                "bytes": len(payload),
                "payload": payload[:KEPT_BYTES].decode("utf-8", "backslashreplace"),
            }
        )
