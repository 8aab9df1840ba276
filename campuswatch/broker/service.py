"""Running the embedded broker."""

from __future__ import annotations

import asyncio
import logging
from urllib.parse import urlsplit

from campuswatch.broker.connection import Connection, Login
from campuswatch.broker.router import Router
from campuswatch.errors import UserError
from campuswatch.secrets import resolve
from campuswatch.services import ServiceContext
from campuswatch.settings import BrokerSettings

log = logging.getLogger(__name__)


class Broker:
    """An MQTT 5 broker on one TCP address.

    QoS 0 and 1, retained messages, wills, sessions and shared subscriptions;
    no QoS 2. A PUBLISH of QoS 1 is acknowledged when its subscribers have
    acknowledged it, and with "no matching subscribers" when there is none.
    """

    def __init__(self, host: str, port: int, login: Login | None = None) -> None:
        self._host = host
        self._port = port
        self._login = login
        self._router = Router()
        self._server: asyncio.Server | None = None
        self._connections: set[asyncio.Task[None]] = set()

    @property
    def port(self) -> int:
        """The port it listens on, once started."""
        assert self._server is not None
        port: int = self._server.sockets[0].getsockname()[1]
        return port

    async def start(self) -> None:
        """Listen.

        Raises:
            OSError: the address is taken or not ours.
        """
        self._server = await asyncio.start_server(self._accept, self._host, self._port)

    async def stop(self) -> None:
        """Close every connection and the listener."""
        if self._server is None:
            return
        self._server.close()
        for task in self._connections:
            task.cancel()
        await asyncio.gather(*self._connections, return_exceptions=True)
        await self._server.wait_closed()

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._connections.add(task)
        try:
            await Connection(self._router, reader, writer, self._login).serve()
        except asyncio.CancelledError:
            # The stream server would log a cancelled handler as an error.
            log.debug("connection closed: the broker stops")
        finally:
            self._connections.discard(task)


def _login(settings: BrokerSettings) -> Login | None:
    if settings.username is None or settings.password is None:
        return None
    return Login(settings.username, resolve(settings.password))


async def serve(context: ServiceContext) -> None:
    """Run the broker at `settings.broker.url` until cancelled.

    Raises:
        UserError: the address can't be listened on, or wants TLS.
    """
    settings = context.settings.broker
    url = urlsplit(settings.url)
    if url.scheme == "mqtts":
        raise UserError(
            f"broker.url {settings.url}: the embedded broker has no TLS; expected mqtt://host:port"
        )
    broker = Broker(url.hostname or "127.0.0.1", url.port or 1883, _login(settings))
    try:
        await broker.start()
    except OSError as error:
        raise UserError(f"broker.url {settings.url}: {error.strerror or error}") from None
    log.info("embedded broker listens on %s", settings.url)
    try:
        await asyncio.get_running_loop().create_future()
    finally:
        await broker.stop()
