"""Serving the console beside other services in one event loop."""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
import logging
import socket
from collections.abc import Iterator
from typing import Final

import uvicorn

from campuswatch.errors import UserError
from campuswatch.services import ServiceContext
from campuswatch.settings import ConsoleSettings
from console.app import create_app

log = logging.getLogger(__name__)

_GRACE: Final = 2
"""Seconds that requests under way have when the console stops."""


class _Server(uvicorn.Server):
    """Leaves signals to whoever runs the services."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


async def serve(context: ServiceContext) -> None:
    """Serve the console at `settings.console` until cancelled.

    Raises:
        UserError: the address can't be listened on, or there is no store.
    """
    if context.store is None:
        raise UserError("the console needs the store; expected it to run in the district")
    settings = context.settings.console
    listener = _listen(settings)
    config = uvicorn.Config(
        create_app(context.inventory, context.settings, context.store),
        log_config=None,
        access_log=False,
        lifespan="off",
        timeout_graceful_shutdown=_GRACE,
    )
    server = _Server(config)
    host, port = listener.getsockname()[:2]
    log.info("console at http://%s:%s/", host, port)
    serving = asyncio.create_task(server.serve([listener]))
    try:
        await asyncio.shield(serving)
    finally:
        server.should_exit = True
        await serving


def _listen(settings: ConsoleSettings) -> socket.socket:
    place = f"console {settings.host}:{settings.port}"
    try:
        family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
        listener = socket.create_server((settings.host, settings.port), family=family)
    except OSError as error:
        raise UserError(f"{place}: {error.strerror or error}") from None
    if not ipaddress.ip_address(listener.getsockname()[0]).is_loopback:
        log.warning("%s: there is no sign-in; everybody who reaches it sees the district", place)
    return listener
