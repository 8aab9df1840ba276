"""Messages on their way through the broker, and where they wait."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

from mqtt5 import PubAckReasonCode, PublishPacket, QoS

Settle = Callable[[PubAckReasonCode], None]
"""Answers a publisher; a publisher that has gone is simply not told."""


def granted(*levels: QoS) -> QoS:
    """Return the lowest of some QoS levels, of which this broker has 0 and 1."""
    return QoS.AT_MOST_ONCE if QoS.AT_MOST_ONCE in levels else QoS.AT_LEAST_ONCE


class Publication:
    """One PUBLISH and the answer owed for it."""

    __slots__ = ("_settle", "_waiting", "packet")

    def __init__(self, packet: PublishPacket, settle: Settle) -> None:
        self.packet = packet
        self._settle = settle
        self._waiting = 0

    def expect(self) -> None:
        """Count one more subscriber that has to acknowledge."""
        self._waiting += 1

    def acknowledged(self) -> None:
        """Count one acknowledgement; the last one answers the publisher."""
        self._waiting -= 1
        if self._waiting == 0:
            self._settle(PubAckReasonCode.SUCCESS)

    def routed(self) -> None:
        """Answer at once if nobody has to acknowledge.

        The reason code tells the publisher that nobody took the message
        (MQTT 5, 3.4.2.1), so that it can keep it.
        """
        if self._waiting == 0:
            self._settle(PubAckReasonCode.NO_MATCHING_SUBSCRIBERS)


@dataclass(slots=True)
class Delivery:
    """A publication for one subscriber (or one group of them).

    Attributes:
        publication: what is delivered.
        qos: the lower of the publication's and the subscription's.
        retained: whether it is delivered because it was retained.
        duplicate: whether it may have been delivered before.
    """

    publication: Publication
    qos: QoS
    retained: bool = False
    duplicate: bool = False


@dataclass(slots=True)
class Mailbox:
    """Deliveries that wait for a subscriber with room for them."""

    waiting: deque[Delivery] = field(default_factory=deque)

    def put(self, delivery: Delivery) -> None:
        if delivery.qos != QoS.AT_MOST_ONCE:
            delivery.publication.expect()
        self.waiting.append(delivery)

    def put_back(self, delivery: Delivery) -> None:
        """Return a delivery that was sent and not acknowledged."""
        delivery.duplicate = True
        self.waiting.appendleft(delivery)

    def discard(self) -> None:
        """Give up on everything, as when a session expires."""
        while self.waiting:
            delivery = self.waiting.popleft()
            if delivery.qos != QoS.AT_MOST_ONCE:
                delivery.publication.acknowledged()
