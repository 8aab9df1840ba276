"""Serving the console beside other services in one event loop."""

from __future__ import annotations

import ipaddress
import logging

from campuswatch.errors import UserError
from campuswatch.services import ServiceContext
from campuswatch.web import listen, serve_app
from console.app import create_app

log = logging.getLogger(__name__)


async def serve(context: ServiceContext) -> None:
    """Serve the console at `settings.console` until cancelled.

    Raises:
        UserError: the address can't be listened on, or there is no store.
    """
    if context.store is None:
        raise UserError("the console needs the store; expected it to run in the district")
    settings = context.settings.console
    listener = listen("console", settings.host, settings.port)
    host, port = listener.getsockname()[:2]
    if not ipaddress.ip_address(host).is_loopback:
        log.warning(
            "console %s:%d: there is no sign-in; everybody who reaches it sees the district",
            settings.host,
            settings.port,
        )
    log.info("console at http://%s:%s/", host, port)
    await serve_app(create_app(context.inventory, context.settings, context.store), listener)
