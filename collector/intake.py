"""Turns messages into deliveries: reads, checks and stamps them."""

from __future__ import annotations

from dataclasses import replace

from campuswatch.inventory.models import Inventory
from campuswatch.wire import AgentAddress, Batch, WireError, parse_topic, read_batch
from collector.gathering import Delivery, Gathering, Key
from collector.quarantine import Refusal
from collector.stamping import Stamped, stamp
from collector.subscriber import Message


def declared_agents(inventory: Inventory) -> frozenset[AgentAddress]:
    """Return every agent of the inventory."""
    return frozenset(
        AgentAddress(inventory.district.id, school.id, agent.id)
        for school in inventory.schools
        for agent in school.agents
    )


class Intake:
    """Takes messages from the network thread, the only one that calls it.

    A message that is not to be stored at all becomes a delivery too, of
    nothing but a refusal: it is acknowledged once it is in the quarantine.
    That includes the batches of an agent the inventory does not have. The
    broker's ACL keeps strangers out, so this is an agent that the operator
    forgot to declare, and readings stored under a school that no target and no
    dashboard knows would be seen by nobody.
    """

    def __init__(self, agents: frozenset[AgentAddress], gathering: Gathering) -> None:
        self._agents = agents
        self._gathering = gathering
        self._last_time = 0

    def receive(self, message: Message) -> None:
        """Read a message and queue it for the store."""
        try:
            address = self._known(message.topic)
            batch = read_batch(message.payload, message.content_type, message.user_properties)
        except WireError as error:
            self._refuse(message, str(error))
            return
        if not (batch.stream and batch.seq):
            self._receive_unnumbered(message, address, batch)
            return
        key: Key = (message.topic, batch.stream, batch.seq)
        if not self._gathering.join(key, message.receipt):
            self._put(message, key, address, batch, _stamped(batch, address, message))

    def _receive_unnumbered(self, message: Message, address: AgentAddress, batch: Batch) -> None:
        stamped = _stamped(batch, address, message)
        # Lines that got the time of arrival are new points even if they look the same.
        key: Key = (message.topic, message.received if stamped.timeless else message.payload)
        if not self._gathering.join(key, message.receipt):
            self._put(message, key, address, batch, stamped)

    def _known(self, topic: str) -> AgentAddress:
        address, _ = parse_topic(topic)
        if address not in self._agents:
            raise WireError(
                f"agent {address.agent!r} of school {address.school!r}: expected one that the "
                "inventory declares"
            )
        return address

    def _put(
        self, message: Message, key: Key, address: AgentAddress, batch: Batch, stamped: Stamped
    ) -> None:
        self._gathering.put(
            Delivery(
                key=key,
                topic=message.topic,
                address=address,
                batch=replace(batch, lines=b""),
                lines=stamped.lines,
                count=stamped.count,
                refusals=[
                    Refusal(message.topic, message.received, rejected.reason, rejected.line)
                    for rejected in stamped.rejected
                ],
                time=self._unique_time(message.received),
                receipts=[message.receipt],
            )
        )

    def _refuse(self, message: Message, reason: str) -> None:
        key: Key = (message.topic, message.payload)
        if self._gathering.join(key, message.receipt):
            return
        self._gathering.put(
            Delivery(
                key=key,
                topic=message.topic,
                address=None,
                batch=None,
                lines=b"",
                count=0,
                refusals=[Refusal(message.topic, message.received, reason, message.payload)],
                time=self._unique_time(message.received),
                receipts=[message.receipt],
            )
        )

    def _unique_time(self, received: int) -> int:
        self._last_time = max(received, self._last_time + 1)
        return self._last_time


def _stamped(batch: Batch, address: AgentAddress, message: Message) -> Stamped:
    return stamp(batch.lines, address, batch.created or message.received)
