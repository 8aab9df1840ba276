"""How every long-running command logs: one line an event, to standard error."""

from __future__ import annotations

import logging
import time

from campuswatch.options import LogLevel


def log_to_stderr(level: LogLevel) -> None:
    """Send logs of `level` and above to standard error, one line each, in UTC.

    Args:
        level: the least severe level that is logged.
    """
    formatter = logging.Formatter(
        "%(asctime)s.%(msecs)03dZ %(levelname)s %(name)s: %(message)s", "%Y-%m-%dT%H:%M:%S"
    )
    formatter.converter = time.gmtime
    handler = logging.StreamHandler()
    handler.setFormatter(formatter)
    logging.basicConfig(level=level.upper(), handlers=[handler], force=True)
    # Libraries that report every request at INFO would drown what an operator looks for.
    for chatty in ("httpx", "uvicorn.access"):
        logging.getLogger(chatty).setLevel(logging.WARNING)
