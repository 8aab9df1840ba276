"""How every long-running command logs: one line an event, in UTC."""

from __future__ import annotations

import logging
import time
from pathlib import Path

from campuswatch.options import LogLevel


def log_to_stderr(level: LogLevel) -> None:
    """Send logs of `level` and above to standard error."""
    _log_to(logging.StreamHandler(), level)


def log_to_file(path: Path, level: LogLevel) -> None:
    """Append logs of `level` and above to a file, for a command whose terminal shows more."""
    _log_to(logging.FileHandler(path, encoding="utf-8"), level)


def _log_to(handler: logging.Handler, level: LogLevel) -> None:
    formatter = logging.Formatter(
        "%(asctime)s.%(msecs)03dZ %(levelname)s %(name)s: %(message)s", "%Y-%m-%dT%H:%M:%S"
    )
    formatter.converter = time.gmtime
    handler.setFormatter(formatter)
    logging.basicConfig(level=level.upper(), handlers=[handler], force=True)
    # Libraries that report every request at INFO would drown what an operator looks for.
    for chatty in ("httpx", "uvicorn.access"):
        logging.getLogger(chatty).setLevel(logging.WARNING)
