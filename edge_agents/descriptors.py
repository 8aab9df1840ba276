"""How many sockets a process may have open."""

from __future__ import annotations

import contextlib
import resource


def raise_file_limit() -> None:
    """Let this process open as many files as the system allows it to.

    Every polled device keeps a socket open, and most systems begin with a soft
    limit of 1,024 for programs that use select(2), which asyncio does not.
    """
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    with contextlib.suppress(OSError, ValueError):  # "unlimited" is more than some kernels take
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
