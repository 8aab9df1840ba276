"""Serving a web application beside other services in one event loop."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import Iterator
from typing import Any, Final

import uvicorn

from campuswatch.errors import UserError

_GRACE: Final = 2
"""Seconds that requests under way have when the application stops."""


class _Server(uvicorn.Server):
    """Leaves signals to whoever runs the services."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


def listen(name: str, host: str, port: int) -> socket.socket:
    """Return a socket that listens.

    Args:
        name: of the service, for the error.
        host: IPv4 or IPv6 address, or a host name.
        port: 0 for any free one.

    Raises:
        UserError: the address can't be listened on.
    """
    try:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        return socket.create_server((host, port), family=family)
    except OSError as error:
        raise UserError(f"{name} {host}:{port}: {error.strerror or error}") from None


async def serve_app(app: Any, listener: socket.socket) -> None:
    """Serve an ASGI application until cancelled."""
    config = uvicorn.Config(
        app, log_config=None, access_log=False, lifespan="off", timeout_graceful_shutdown=_GRACE
    )
    server = _Server(config)
    serving = asyncio.create_task(server.serve([listener]))
    try:
        await asyncio.shield(serving)
    finally:
        server.should_exit = True
        await serving
