"""Where the demo's district and its parts are."""

from __future__ import annotations

import socket
from contextlib import ExitStack
from importlib.resources import files
from pathlib import Path

import campuswatch

_SCRIPT = "demo-faults.yaml"


def example_district() -> Path:
    """Return the directory of the example district: packaged, or beside a checkout's code."""
    package = Path(campuswatch.__file__).parent
    packaged = package / "example_district"
    return packaged if packaged.is_dir() else package.parent / "config"


def demo_script() -> Path:
    """Return the fault script that fits the example district."""
    return Path(str(files("simulator") / _SCRIPT))


def free_ports(count: int, kind: socket.SocketKind) -> list[int]:
    """Return different ports of 127.0.0.1 that nobody uses now.

    Raises:
        OSError: there are not so many.
    """
    with ExitStack() as stack:
        ports = []
        for _ in range(count):
            probe = stack.enter_context(socket.socket(socket.AF_INET, kind))
            probe.bind(("127.0.0.1", 0))
            ports.append(probe.getsockname()[1])
        return ports


def is_free(port: int) -> bool:
    """Return whether a TCP port of 127.0.0.1 can be listened on now."""
    try:
        socket.create_server(("127.0.0.1", port)).close()
    except OSError:
        return False
    return True
