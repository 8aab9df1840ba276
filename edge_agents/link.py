"""One MQTT connection as an event loop sees it.

paho runs its own thread; everything it reports is handed to the loop, and
nothing else of an agent runs in that thread. A lost connection is over: the
next one gets a new client, so that no queue of paho's outlives it.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import Callable
from typing import Any, Final

from paho.mqtt.client import Client, DisconnectFlags, MQTTMessage
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from campuswatch.mqtt import KEEPALIVE, BrokerAddress

_CONNECT_TIMEOUT: Final = 10.0
_CLOSE_TIMEOUT: Final = 1.0
_DISCONNECT_WITH_WILL: Final = 0x04  # MQTT 5, 3.14.2.1


class LinkError(ConnectionError):
    """A connection could not be made, or was lost; the message says why."""


class Link:
    """A connection, from `open` to `close`; used once.

    Args:
        client: a client that has not been connected and does not reconnect.
        on_published: called on the loop with packet id and reason code of each
            PUBACK.
        on_message: called on the loop with each message.
        on_subscribed: called on the loop with packet id and reason codes of
            each SUBACK.
    """

    def __init__(
        self,
        client: Client,
        *,
        on_published: Callable[[int, ReasonCode], None] | None = None,
        on_message: Callable[[MQTTMessage], None] | None = None,
        on_subscribed: Callable[[int, list[ReasonCode]], None] | None = None,
    ) -> None:
        self.client = client
        self._loop = asyncio.get_running_loop()
        self._opened: asyncio.Future[Properties] = self._loop.create_future()
        self._closed: asyncio.Future[str] = self._loop.create_future()
        self._hand_over(on_published, on_message, on_subscribed)

    @property
    def closed(self) -> asyncio.Future[str]:
        """Done, with the reason, once the connection is lost."""
        return self._closed

    async def open(
        self, broker: BrokerAddress, *, clean_start: bool, properties: Properties | None = None
    ) -> Properties:
        """Connect.

        Returns:
            The properties of the CONNACK.

        Raises:
            LinkError: no connection, or the broker refuses it.
        """
        try:
            await asyncio.to_thread(
                self.client.connect,
                broker.host,
                broker.port,
                KEEPALIVE,
                clean_start=clean_start,
                properties=properties,
            )
            self.client.loop_start()
            async with asyncio.timeout(_CONNECT_TIMEOUT):
                return await self._opened
        except TimeoutError:
            raise LinkError(f"no CONNACK within {_CONNECT_TIMEOUT:g} s") from None
        except OSError as error:
            raise LinkError(str(error)) from None

    async def close(self) -> None:
        """Disconnect; the broker publishes the last will, if there is one."""
        reason = ReasonCode(PacketTypes.DISCONNECT, identifier=_DISCONNECT_WITH_WILL)
        sock = self.client.socket()
        self.client.disconnect(reason)
        if sock is not None:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_CLOSE_TIMEOUT):
                    await asyncio.shield(self._closed)
        # A frozen broker never closes its end, and paho's thread would wait for it.
        if isinstance(sock, socket.socket):
            with contextlib.suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)
        await asyncio.to_thread(self.client.loop_stop)

    def _hand_over(
        self,
        on_published: Callable[[int, ReasonCode], None] | None,
        on_message: Callable[[MQTTMessage], None] | None,
        on_subscribed: Callable[[int, list[ReasonCode]], None] | None,
    ) -> None:
        def on_loop(function: Callable[..., None], *arguments: object) -> None:
            # The loop may have ended while paho's thread still reports.
            with contextlib.suppress(RuntimeError):
                self._loop.call_soon_threadsafe(function, *arguments)

        def connected(
            _c: Client, _u: Any, _f: Any, code: ReasonCode, found: Properties | None
        ) -> None:
            on_loop(self._connected, code, found or _no_properties())

        def disconnected(
            _c: Client, _u: Any, flags: DisconnectFlags, code: ReasonCode, _p: Any
        ) -> None:
            told = flags.is_disconnect_packet_from_server
            on_loop(self._lost, str(code) if told else "closed without a word")

        def published(_c: Client, _u: Any, mid: int, code: ReasonCode, _p: Any) -> None:
            if on_published is not None:
                on_loop(on_published, mid, code)

        def received(_c: Client, _u: Any, message: MQTTMessage) -> None:
            if on_message is not None:
                on_loop(on_message, message)

        def subscribed(_c: Client, _u: Any, mid: int, codes: list[ReasonCode], _p: Any) -> None:
            if on_subscribed is not None:
                on_loop(on_subscribed, mid, codes)

        self.client.on_connect = connected
        self.client.on_disconnect = disconnected
        self.client.on_publish = published
        self.client.on_message = received
        self.client.on_subscribe = subscribed

    def _connected(self, code: ReasonCode, properties: Properties) -> None:
        if self._opened.done():
            return
        if code.is_failure:
            self._opened.set_exception(LinkError(f"the broker refuses the connection: {code}"))
        else:
            self._opened.set_result(properties)

    def _lost(self, reason: str) -> None:
        if not self._closed.done():
            self._closed.set_result(reason)
        if not self._opened.done():
            self._opened.set_exception(LinkError(f"connection lost: {reason}"))


def _no_properties() -> Properties:
    return Properties(PacketTypes.CONNACK)  # type: ignore[no-untyped-call]
