"""Payloads that no mapping could read, kept for a person to look at."""

from __future__ import annotations

import datetime as dt
import json
import logging
import os
from pathlib import Path
from typing import Final

log = logging.getLogger(__name__)

KEPT_BYTES: Final = 4096
"""How much of a payload is kept."""

_FILE_BYTES: Final = 1024 * 1024


class RejectedPayloads:
    """Counts bad payloads, and keeps the latest as lines of JSON.

    Two files, `rejected.jsonl` and the older `rejected.1.jsonl`, of 1 MiB each
    at most; only the agent's own user may read them.

    Args:
        directory: made when missing.
        file_bytes: bound of each file's size.
    """

    def __init__(self, directory: Path, *, file_bytes: int = _FILE_BYTES) -> None:
        self._current = directory / "rejected.jsonl"
        self._older = directory / "rejected.1.jsonl"
        self._file_bytes = file_bytes
        self._count = 0

    def take_count(self) -> int:
        """Return how many came since the last call."""
        taken, self._count = self._count, 0
        return taken

    def keep(self, topic: str, payload: bytes, reason: str) -> None:
        """Count a payload and keep its beginning; a disk that takes nothing is no error."""
        self._count += 1
        log.warning("payload rejected: topic=%s reason=%r", topic, reason)
        entry = {
            "time": dt.datetime.now(dt.UTC).isoformat(timespec="milliseconds"),
            "topic": topic,
            "reason": reason,
            "bytes": len(payload),
            "payload": payload[:KEPT_BYTES].decode("utf-8", "backslashreplace"),
        }
        try:
            self._append(json.dumps(entry, ensure_ascii=False).encode() + b"\n")
        except OSError as error:
            log.error("payload not kept: file=%s reason=%r", self._current, str(error))

    def _append(self, line: bytes) -> None:
        self._current.parent.mkdir(parents=True, exist_ok=True)
        if self._current.exists() and self._current.stat().st_size + len(line) > self._file_bytes:
            self._current.replace(self._older)
        descriptor = os.open(self._current, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        with os.fdopen(descriptor, "ab") as file:
            file.write(line)
