"""The collector's connections to the broker, which acknowledge what they are told to.

**Data** comes through a member of a shared subscription. What a broker does
with the messages of a member that died decides how it connects (MQTT 5, 4.8.2
leaves the broker the choice): Mosquitto keeps them for that member's session,
gives them to nobody else, and drops them when the session ends. So the session
never expires, and its client id is the collector's own and the same over
restarts. A collector that goes for good is retired first: it leaves
the subscription, takes what is left, and ends the session.

**Status** comes through a subscription of our own without a session: what
counts is the present state, which the broker retains and sends anew at each
connection, and a queue of old ones would only mislead.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Final

from paho.mqtt.client import Client, ConnectFlags, DisconnectFlags, MQTTMessage
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode
from paho.mqtt.subscribeoptions import SubscribeOptions

from campuswatch.mqtt import KEEPALIVE, broker_address, new_client
from campuswatch.readings import now_ns
from campuswatch.settings import BrokerSettings

log = logging.getLogger(__name__)

NEVER: Final = 0xFFFFFFFF
"""The session expiry interval that means never (MQTT 5, 3.1.2.11.2)."""


@dataclass(frozen=True, slots=True)
class Receipt:
    """What acknowledges one message; worthless once its connection is gone.

    Attributes:
        connection: counts the connections of this process.
        packet: the packet identifier, which the broker uses again; 0 for a
            message of QoS 0, which wants no acknowledgement.
    """

    connection: int
    packet: int


@dataclass(frozen=True, slots=True)
class Message:
    """One message of a data topic, as it arrived.

    Attributes:
        received: nanoseconds since 1970-01-01 UTC.
    """

    topic: str
    payload: bytes
    content_type: str | None
    user_properties: tuple[tuple[str, str], ...]
    received: int
    receipt: Receipt


class Subscriber:
    """Hands every message on, and acknowledges those it is told to.

    Attributes:
        ready: whether the broker has granted what this connection asked for.
    """

    def __init__(
        self,
        broker: BrokerSettings,
        client_id: str,
        topic_filter: str,
        *,
        durable: bool,
        leaving: bool = False,
        receive_maximum: int,
        receive: Callable[[Message], None],
        fail: Callable[[Exception], None],
    ) -> None:
        """Prepare; `start` connects.

        Args:
            broker: where to connect, and as whom.
            client_id: names the session; no two processes may share it.
            topic_filter: what to subscribe to, at QoS 1.
            durable: whether the broker keeps the session while we are away.
            leaving: end the subscription; what the broker already holds for the
                session still comes, and nothing new.
            receive_maximum: messages the broker may send ahead of our
                acknowledgements (MQTT 5, 3.1.2.11.3).
            receive: called with each message, on the network thread.
            fail: called with what `receive` raised, which ends the collector.
        """
        self._broker = broker
        self._filter = topic_filter
        self._durable = durable
        self._leaving = leaving
        self._receive_maximum = receive_maximum
        self._receive = receive
        self._fail = fail
        self._lock = threading.Lock()
        self._connection = 0
        self.ready = False
        self._client = new_client(broker, client_id, manual_ack=True)
        self._client.on_connect = self._on_connect
        self._client.on_connect_fail = self._on_connect_fail
        self._client.on_disconnect = self._on_disconnect
        self._client.on_subscribe = self._on_subscribe
        self._client.on_unsubscribe = self._on_unsubscribe
        self._client.on_message = self._on_message

    def start(self) -> None:
        """Connect and keep connected, from a thread of its own."""
        properties = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]
        properties.ReceiveMaximum = self._receive_maximum
        properties.SessionExpiryInterval = NEVER if self._durable else 0
        address = broker_address(self._broker.url)
        self._client.connect_async(
            address.host,
            address.port,
            KEEPALIVE,
            clean_start=not self._durable,
            properties=properties,
        )
        self._client.loop_start()

    def stop(self, *, end_session: bool = False) -> None:
        """Send what acknowledgements are waiting, then disconnect.

        Args:
            end_session: end a durable session too, with all that the broker holds for it.
        """
        properties = Properties(PacketTypes.DISCONNECT)  # type: ignore[no-untyped-call]
        if end_session:
            properties.SessionExpiryInterval = 0
        self._client.disconnect(properties=properties)
        self._client.loop_stop()

    def acknowledge(self, receipts: Iterable[Receipt]) -> None:
        """Tell the broker that messages are safe.

        A receipt of an earlier connection is passed over: the broker sends
        that message again, and its packet identifier may by now be another's.
        """
        with self._lock:
            for receipt in receipts:
                if receipt.connection == self._connection and receipt.packet:
                    self._client.ack(receipt.packet, 1)

    def _on_connect(
        self,
        client: Client,
        _userdata: Any,
        flags: ConnectFlags,
        reason: ReasonCode,
        _properties: Properties | None,
    ) -> None:
        if reason.is_failure:
            log.error("the broker at %s refuses the connection: %s", self._broker.url, reason)
            return
        kept = "kept" if flags.session_present else "new"
        log.info("connected to %s (%s session)", self._broker.url, kept)
        if self._leaving:
            client.unsubscribe(self._filter)
        else:
            client.subscribe(self._filter, options=SubscribeOptions(qos=1))

    def _on_subscribe(
        self,
        _client: Client,
        _userdata: Any,
        _mid: int,
        reasons: list[ReasonCode],
        _properties: Properties | None,
    ) -> None:
        for reason in reasons:
            if reason.is_failure:
                log.error("the broker refuses the subscription to %s: %s", self._filter, reason)
            else:
                self.ready = True
                log.info("subscribed to %s", self._filter)

    def _on_unsubscribe(
        self,
        _client: Client,
        _userdata: Any,
        _mid: int,
        _reasons: list[ReasonCode],
        _properties: Properties | None,
    ) -> None:
        self.ready = True
        log.info("no longer subscribed to %s", self._filter)

    def _on_connect_fail(self, _client: Client, _userdata: Any) -> None:
        log.warning("can't reach the broker at %s; trying again", self._broker.url)

    def _on_disconnect(
        self,
        _client: Client,
        _userdata: Any,
        _flags: DisconnectFlags,
        reason: ReasonCode,
        _properties: Properties | None,
    ) -> None:
        # Before the next connection begins, so that no old receipt slips into it.
        with self._lock:
            self._connection += 1
        self.ready = False
        if reason.is_failure:
            log.warning("lost the broker at %s: %s", self._broker.url, reason)

    def _on_message(self, _client: Client, _userdata: Any, message: MQTTMessage) -> None:
        properties = message.properties
        try:
            self._receive(
                Message(
                    topic=message.topic,
                    payload=bytes(message.payload),
                    content_type=getattr(properties, "ContentType", None),
                    user_properties=tuple(getattr(properties, "UserProperty", ())),
                    received=now_ns(),
                    receipt=Receipt(self._connection, message.mid),
                )
            )
        except Exception as error:  # noqa: BLE001 - the network thread would end unheard
            self._fail(error)
