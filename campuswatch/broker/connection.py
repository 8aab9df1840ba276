"""One client's connection: packets in, packets out (MQTT 5, chapter 3)."""

from __future__ import annotations

import asyncio
import hmac
import logging
import secrets
from collections.abc import AsyncGenerator
from dataclasses import dataclass
from typing import Final

import mqtt5
from mqtt5 import (
    ConnAckPacket,
    ConnAckReasonCode,
    ConnectPacket,
    DisconnectPacket,
    DisconnectReasonCode,
    PubAckPacket,
    PubAckReasonCode,
    PublishPacket,
    QoS,
    SubAckPacket,
    SubAckReasonCode,
    SubscribePacket,
    UnsubAckPacket,
    UnsubAckReasonCode,
    UnsubscribePacket,
    Will,
)

from campuswatch.broker.mailbox import granted
from campuswatch.broker.router import Router
from campuswatch.broker.session import Session

MAX_PACKET: Final = 20 * 1024 * 1024
"""Largest packet taken, bytes; a batch of the wire format is at most 16 MiB."""

MAX_SESSION_EXPIRY: Final = 3600
"""Longest time a session is kept, seconds: what a client that has gone did not
acknowledge keeps its publishers waiting for as long."""

_MAX_UNSENT = 64 * 1024 * 1024
_CONNECT_TIMEOUT = 10.0
_READ_SIZE = 256 * 1024

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Login:
    """What every client has to say to be let in."""

    username: str
    password: str

    def admits(self, packet: ConnectPacket) -> bool:
        """Return whether a CONNECT carries it, taking the same time either way."""
        name = hmac.compare_digest((packet.username or "").encode(), self.username.encode())
        word = hmac.compare_digest(packet.password or b"", self.password.encode())
        return name and word


class _Ended(Exception):  # noqa: N818 - how a connection ends, not always an error
    """The connection is over; `reason` is told to the client if it is not None."""

    def __init__(self, reason: DisconnectReasonCode | None, *, publish_will: bool = True) -> None:
        super().__init__(reason)
        self.reason = reason
        self.publish_will = publish_will


class Connection:
    """Serves one client from CONNECT to the end."""

    def __init__(
        self,
        router: Router,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        login: Login | None,
    ) -> None:
        self._router = router
        self._reader = reader
        self._writer = writer
        self._login = login

    async def serve(self) -> None:
        """Run until the client leaves, misbehaves or falls silent."""
        packets = self._packets()
        try:
            async with asyncio.timeout(_CONNECT_TIMEOUT):
                first = await anext(packets)
            if isinstance(first, ConnectPacket) and self._admitted(first):
                await self._serve_session(first, packets)
        except (_Ended, TimeoutError, StopAsyncIteration, OSError) as end:
            log.debug("connection closed before CONNECT: %s", end)
        finally:
            await packets.aclose()
            self._writer.close()

    def _admitted(self, packet: ConnectPacket) -> bool:
        if self._login is None or self._login.admits(packet):
            return True
        log.warning("client %r refused: bad user name or password", packet.client_id)
        self._send(ConnAckPacket(reason_code=ConnAckReasonCode.BAD_USER_NAME_OR_PASSWORD).write())
        return False

    async def _serve_session(
        self, connect: ConnectPacket, packets: AsyncGenerator[mqtt5.Packet, None]
    ) -> None:
        client_id = connect.client_id or f"auto-{secrets.token_hex(8)}"
        session, present = self._router.connect(client_id, clean_start=connect.clean_start)
        if session.send is not None:
            self._router.disconnect(session)
        session.expiry = min(connect.session_expiry_interval, MAX_SESSION_EXPIRY)
        session.receive_maximum = connect.receive_max
        self._send(
            ConnAckPacket(
                session_present=present,
                session_expiry_interval=session.expiry,
                assigned_client_id=None if connect.client_id else client_id,
                max_qos=QoS.AT_LEAST_ONCE,
                max_packet_size=MAX_PACKET,
                subscription_id_available=False,
            ).write()
        )
        session.send = send = self._send
        session.pump()
        will = connect.will
        try:
            await self._handle_all(session, packets, connect.keep_alive)
        except _Ended as end:
            will = will if end.publish_will else None
            if end.reason is not None and not self._writer.is_closing():
                self._send(DisconnectPacket(reason_code=end.reason).write())
        except OSError as error:
            log.debug("client %r: %s", client_id, error)
        finally:
            # A client that took the session over has set its own `send` by now.
            if session.send == send:
                self._router.disconnect(session)
            if will is not None:
                self._publish_will(will, client_id)

    async def _handle_all(
        self, session: Session, packets: AsyncGenerator[mqtt5.Packet, None], keep_alive: int
    ) -> None:
        # Half as long again as promised, MQTT 5, 3.1.2.10; 0 turns it off.
        patience = keep_alive * 1.5 or None
        while True:
            try:
                async with asyncio.timeout(patience):
                    packet = await anext(packets)
            except TimeoutError:
                raise _Ended(DisconnectReasonCode.KEEP_ALIVE_TIMEOUT) from None
            except StopAsyncIteration:
                raise _Ended(None) from None
            if session.send != self._send:
                raise _Ended(DisconnectReasonCode.SESSION_TAKEN_OVER)
            self._handle(session, packet)
            await self._writer.drain()

    def _handle(self, session: Session, packet: mqtt5.Packet) -> None:
        match packet:
            case PublishPacket():
                self._publish(session, packet)
            case PubAckPacket():
                session.acknowledge(packet.packet_id)
            case SubscribePacket():
                self._subscribe(session, packet)
            case UnsubscribePacket():
                self._unsubscribe(session, packet)
            case mqtt5.PingReqPacket():
                self._send(mqtt5.PingRespPacket().write())
            case DisconnectPacket():
                if packet.session_expiry_interval is not None:
                    session.expiry = min(packet.session_expiry_interval, MAX_SESSION_EXPIRY)
                normal = packet.reason_code == DisconnectReasonCode.NORMAL_DISCONNECTION
                raise _Ended(None, publish_will=not normal)
            case _:
                raise _Ended(DisconnectReasonCode.PROTOCOL_ERROR)

    def _publish(self, session: Session, packet: PublishPacket) -> None:
        if packet.qos == QoS.EXACTLY_ONCE:
            raise _Ended(DisconnectReasonCode.QOS_NOT_SUPPORTED)

        def settle(reason: PubAckReasonCode) -> None:
            if packet.packet_id is not None and not self._writer.is_closing():
                self._send(PubAckPacket(packet.packet_id, reason_code=reason).write())

        self._router.publish(packet, session.client_id, settle)

    def _subscribe(self, session: Session, packet: SubscribePacket) -> None:
        codes = []
        for wanted in packet.topic_filters:
            try:
                self._router.subscribe(session, wanted)
            except ValueError:
                codes.append(SubAckReasonCode.TOPIC_FILTER_INVALID)
            else:
                codes.append(_granted_code(wanted.max_qos))
        self._send(SubAckPacket(packet.packet_id, codes).write())

    def _unsubscribe(self, session: Session, packet: UnsubscribePacket) -> None:
        codes = [
            UnsubAckReasonCode.SUCCESS
            if self._router.unsubscribe(session, pattern)
            else UnsubAckReasonCode.NO_SUBSCRIPTION_EXISTED
            for pattern in packet.patterns
        ]
        self._send(UnsubAckPacket(packet.packet_id, codes).write())

    def _publish_will(self, will: Will, client_id: str) -> None:
        packet = PublishPacket(
            will.topic,
            will.payload or b"",
            qos=granted(will.qos),
            packet_id=None if will.qos == QoS.AT_MOST_ONCE else 1,
            retain=will.retain,
            content_type=will.content_type,
            user_properties=will.user_properties,
        )
        self._router.publish(packet, client_id, lambda _reason: None)

    def _send(self, data: bytes) -> None:
        self._writer.write(data)
        if self._writer.transport.get_write_buffer_size() > _MAX_UNSENT:
            log.warning("client reads too slowly; closing its connection")
            self._writer.transport.abort()

    async def _packets(self) -> AsyncGenerator[mqtt5.Packet, None]:
        buffer = bytearray()
        while chunk := await self._reader.read(_READ_SIZE):
            buffer += chunk
            used = 0
            with memoryview(bytes(buffer)) as view:
                while used < len(view):
                    try:
                        packet, length = mqtt5.read(view[used:])
                    except IndexError:
                        break
                    except ValueError as error:
                        log.warning("malformed packet: %s", error)
                        raise _Ended(DisconnectReasonCode.MALFORMED_PACKET) from None
                    used += length
                    yield packet
            del buffer[:used]
            if len(buffer) > MAX_PACKET:
                raise _Ended(DisconnectReasonCode.PACKET_TOO_LARGE)


def _granted_code(wanted: QoS) -> SubAckReasonCode:
    if granted(wanted) == QoS.AT_MOST_ONCE:
        return SubAckReasonCode.GRANTED_QOS_AT_MOST_ONCE
    return SubAckReasonCode.GRANTED_QOS_AT_LEAST_ONCE
