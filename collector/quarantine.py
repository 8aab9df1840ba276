"""What can't be stored is kept for inspection, with the reason, in bounded files.

One JSON object a line (https://jsonlines.org), newest file first:
`<collector>.jsonl`, `<collector>.1.jsonl`, ... Nothing reads these files but
people and their tools, and only the collector's own user may.
"""

from __future__ import annotations

import datetime as dt
import json
import logging
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from typing import Final

from campuswatch.wire import WireError, parse_topic

log = logging.getLogger(__name__)

MAX_CONTENT: Final = 64 * 1024
"""Bytes of a refused line or message that are kept; the rest is cut off."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """Something that was not stored.

    Attributes:
        topic: where it arrived.
        time: when it arrived, nanoseconds since 1970-01-01 UTC.
        reason: what is wrong and what was expected.
        content: the line, or the whole payload if no line of it can be told apart.
    """

    topic: str
    time: int
    reason: str
    content: bytes

    def as_json(self) -> str:
        """Return the JSON object; a byte that is not UTF-8 is written as an escape."""
        school, agent = _sender(self.topic)
        record: dict[str, str | int] = {
            "time": dt.datetime.fromtimestamp(self.time / 1e9, dt.UTC).isoformat(),
            "school": school,
            "agent": agent,
            "topic": self.topic,
            "reason": self.reason,
        }
        content = self.content[:MAX_CONTENT]
        if len(self.content) > len(content):
            record["size"] = len(self.content)
        record["line"] = content.decode(errors="backslashreplace")
        return json.dumps(record, ensure_ascii=False)


def _sender(topic: str) -> tuple[str, str]:
    try:
        address, _ = parse_topic(topic)
    except WireError:
        return "", ""
    return address.school, address.agent


class Quarantine:
    """Appends refusals to files of at most `max_bytes`, of which it keeps `max_files`."""

    def __init__(self, directory: Path, name: str, max_bytes: int, max_files: int) -> None:
        self._directory = directory
        self._name = name
        self._max_bytes = max_bytes
        self._max_files = max_files
        self._lock = Lock()

    def keep(self, refusals: Sequence[Refusal]) -> None:
        """Write refusals to disk before returning.

        A disk that can't take them is reported and no more: bad lines never
        keep good ones from being acknowledged.
        """
        if not refusals:
            return
        text = "".join(refusal.as_json() + "\n" for refusal in refusals).encode()
        try:
            with self._lock:
                self._append(text)
        except OSError as error:
            log.error(
                "%d refusals are lost because %s can't be written: %s; the first: %s",
                len(refusals),
                self._path(0),
                error.strerror,
                refusals[0].as_json(),
            )

    def _append(self, text: bytes) -> None:
        self._directory.mkdir(parents=True, exist_ok=True)
        path = self._path(0)
        if path.exists() and path.stat().st_size + len(text) > self._max_bytes:
            self._rotate()
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        with os.fdopen(descriptor, "ab") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())

    def _rotate(self) -> None:
        for number in reversed(range(self._max_files - 1)):
            if self._path(number).exists():
                self._path(number).replace(self._path(number + 1))

    def _path(self, number: int) -> Path:
        suffix = f".{number}" if number else ""
        return self._directory / f"{self._name}{suffix}.jsonl"
