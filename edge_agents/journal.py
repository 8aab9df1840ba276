"""Things kept for a person to look at, within bounds."""

from __future__ import annotations

import datetime as dt
import json
import logging
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Final

log = logging.getLogger(__name__)

_FILE_BYTES: Final = 1024 * 1024


class Journal:
    """Keeps the latest entries as lines of JSON.

    Two files, `NAME.jsonl` and the older `NAME.1.jsonl`, of 1 MiB each at most;
    only the agent's own user may read them.

    Args:
        directory: made when missing.
        name: of the files.
        file_bytes: bound of each file's size.
    """

    def __init__(self, directory: Path, name: str, *, file_bytes: int = _FILE_BYTES) -> None:
        self._current = directory / f"{name}.jsonl"
        self._older = directory / f"{name}.1.jsonl"
        self._file_bytes = file_bytes

    def keep(self, entry: Mapping[str, object]) -> None:
        """Add an entry, and the time; a disk that takes nothing is no error."""
        time = dt.datetime.now(dt.UTC).isoformat(timespec="milliseconds")
        try:
            line = json.dumps({"time": time, **entry}, ensure_ascii=False)
            self._append(line.encode("utf-8", "backslashreplace") + b"\n")
        except OSError as error:
            log.error("entry not kept: file=%s reason=%r", self._current, str(error))

    def _append(self, line: bytes) -> None:
        self._current.parent.mkdir(parents=True, exist_ok=True)
        if self._current.exists() and self._current.stat().st_size + len(line) > self._file_bytes:
            self._current.replace(self._older)
        descriptor = os.open(self._current, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        with os.fdopen(descriptor, "ab") as file:
            file.write(line)
