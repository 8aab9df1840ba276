"""A client's session: its subscriptions, and what it has been sent."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from mqtt5 import PublishPacket, QoS, TopicFilter

from campuswatch.broker.mailbox import Delivery, Mailbox

Send = Callable[[bytes], None]

_MAX_PACKET_ID = 65_535


@dataclass(slots=True)
class Subscription:
    """One topic filter of a session.

    Attributes:
        filter: the filter, without a `$share` prefix.
        options: QoS and flags as the client asked for them.
        group: name of the shared subscription, or None.
        mailbox: where its messages wait: the session's, or the group's.
    """

    filter: str
    options: TopicFilter
    group: str | None
    mailbox: Mailbox


@dataclass(slots=True)
class Session:
    """State that outlives a connection (MQTT 5, 4.1).

    Attributes:
        client_id: the client's id.
        expiry: seconds it is kept after the connection has ended.
        subscriptions: by the filter as the client wrote it.
        mailbox: messages of its own subscriptions.
        receive_maximum: deliveries it takes without acknowledging.
        send: writes to the connection; None while there is none.
    """

    client_id: str
    expiry: int = 0
    subscriptions: dict[str, Subscription] = field(default_factory=dict)
    mailbox: Mailbox = field(default_factory=Mailbox)
    receive_maximum: int = _MAX_PACKET_ID
    send: Send | None = None
    _in_flight: dict[int, tuple[Delivery, Mailbox]] = field(default_factory=dict)
    _packet_id: int = 0

    def pump(self) -> None:
        """Send what waits, as far as the client has room."""
        boxes = {id(self.mailbox): self.mailbox}
        boxes |= {id(each.mailbox): each.mailbox for each in self.subscriptions.values()}
        for box in boxes.values():
            while self.has_room and box.waiting:
                self._deliver(box.waiting.popleft(), box)

    @property
    def has_room(self) -> bool:
        """Whether the client is connected and below its receive maximum."""
        return self.send is not None and len(self._in_flight) < self.receive_maximum

    def acknowledge(self, packet_id: int) -> None:
        """Take the client's PUBACK; an unknown id is a repeat and changes nothing."""
        entry = self._in_flight.pop(packet_id, None)
        if entry is not None:
            entry[0].publication.acknowledged()
            self.pump()

    def disconnected(self) -> set[int]:
        """Return what was not acknowledged to where it waited.

        Returns:
            Identities of the mailboxes that others may share.
        """
        self.send = None
        boxes = set()
        for delivery, box in reversed(self._in_flight.values()):
            box.put_back(delivery)
            boxes.add(id(box))
        self._in_flight.clear()
        return boxes

    def _deliver(self, delivery: Delivery, box: Mailbox) -> None:
        assert self.send is not None
        packet_id = None
        if delivery.qos != QoS.AT_MOST_ONCE:
            packet_id = self._next_packet_id()
            self._in_flight[packet_id] = (delivery, box)
        self.send(_outgoing(delivery, packet_id).write())

    def _next_packet_id(self) -> int:
        while True:
            self._packet_id = self._packet_id % _MAX_PACKET_ID + 1
            if self._packet_id not in self._in_flight:
                return self._packet_id


def _outgoing(delivery: Delivery, packet_id: int | None) -> PublishPacket:
    packet = delivery.publication.packet
    return PublishPacket(
        packet.topic,
        packet.payload,
        qos=delivery.qos,
        retain=delivery.retained,
        packet_id=packet_id,
        duplicate=delivery.duplicate and packet_id is not None,
        payload_format_indicator=packet.payload_format_indicator,
        message_expiry_interval=packet.message_expiry_interval,
        content_type=packet.content_type,
        response_topic=packet.response_topic,
        correlation_data=packet.correlation_data,
        user_properties=packet.user_properties,
    )
