"""Listens to a school's own broker."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import AsyncIterator, Iterable
from typing import Final

from paho.mqtt.client import Client, MQTTMessage
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode
from paho.mqtt.subscribeoptions import SubscribeOptions

from campuswatch.inventory.models import Device, LocalBroker
from campuswatch.mqtt import broker_address, new_client
from campuswatch.readings import Reading, now_ns
from campuswatch.settings import BrokerSettings
from edge_agents.link import Link, LinkError
from edge_agents.pacing import delays
from edge_agents.schedule import phase
from edge_agents.sources.base import Emit
from edge_agents.sources.mqtt.decoded import Decoded, Question, Topic
from edge_agents.sources.mqtt.decoders.base import Decoder
from edge_agents.sources.mqtt.messages import Message, PayloadError
from edge_agents.sources.mqtt.presence import Availability, Presence
from edge_agents.sources.mqtt.rejected import RejectedPayloads
from edge_agents.sources.mqtt.routes import Routes

log = logging.getLogger(__name__)

_SESSION: Final = 3600
"""Seconds for which the broker keeps messages of QoS 1 for an agent that is away."""

_LONGEST_DELAY: Final = 60.0

_FILTERS_A_PACKET: Final = 100


def local_settings(broker: LocalBroker) -> BrokerSettings:
    """Return how to connect to a school's broker."""
    return BrokerSettings(url=broker.url, username=broker.username, password=broker.password)


class LocalBrokerSource:
    """A `StreamSource` of the readings that devices publish.

    A message of QoS 1 is acknowledged when its readings are on the disk, and
    the session outlives the connection, so that an agent that is killed finds
    what it had not stored. Retained measurements are not asked for: they say
    what was the case once, and not when.

    Args:
        broker: the school's broker.
        client_id: of the session; unique at that broker.
        decoders: what reads the messages.
        rejected: takes what can't be read.
    """

    def __init__(
        self,
        broker: LocalBroker,
        client_id: str,
        decoders: Iterable[Decoder],
        rejected: RejectedPayloads,
    ) -> None:
        self.name = "mqtt"
        self._broker = local_settings(broker)
        self._client_id = client_id
        self._decoders = list(decoders)
        self._rejected = rejected
        self._presences = {each.device.id: _presence(each.device) for each in self._decoders}
        self._routes = Routes()
        for decoder in self._decoders:
            for topic in decoder.topics:
                self._routes.add(topic, decoder)
        self._subscribing: dict[int, list[str]] = {}
        self._listening_since: float | None = None

    def availability(self, device: Device) -> Availability:
        """Return the source of the availability of one of the devices."""
        return Availability(device, self.presence(device), self.listening_since)

    def presence(self, device: Device) -> Presence:
        """Return what is known of one of the devices."""
        return self._presences[device.id]

    def listening_since(self) -> float | None:
        """Return when the subscription began, on the monotonic clock; None while there is none."""
        return self._listening_since

    async def run(self, emit: Emit) -> None:
        """Emit readings until cancelled."""
        waits = delays(_LONGEST_DELAY)
        while True:
            try:
                async with self._connected(emit) as link:
                    waits = delays(_LONGEST_DELAY)
                    reason = await asyncio.shield(link.closed)
                    raise LinkError(f"connection lost: {reason}")
            except OSError as error:
                log.warning("local broker lost: broker=%s reason=%r", self._broker.url, str(error))
            await asyncio.sleep(next(waits))

    @contextlib.asynccontextmanager
    async def _connected(self, emit: Emit) -> AsyncIterator[Link]:
        client = new_client(self._broker, self._client_id, manual_ack=True, reconnect=False)
        link = Link(
            client,
            on_message=lambda message: self._take(message, client, emit),
            on_subscribed=self._on_subscribed,
        )
        properties = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]
        properties.SessionExpiryInterval = _SESSION
        questions: list[asyncio.Task[None]] = []
        try:
            await link.open(
                broker_address(self._broker.url), clean_start=False, properties=properties
            )
            self._subscribe(client, self._routes.topics())
            questions += [
                asyncio.create_task(_keep_asking(client, question))
                for decoder in self._decoders
                for question in decoder.questions
            ]
            yield link
        finally:
            self._listening_since = None
            self._subscribing.clear()
            for asking in questions:
                asking.cancel()
            await link.close()

    def _subscribe(self, client: Client, topics: list[Topic]) -> None:
        for start in range(0, len(topics), _FILTERS_A_PACKET):
            some = topics[start : start + _FILTERS_A_PACKET]
            _, packet = client.subscribe([(topic.filter, _options(topic)) for topic in some])
            if packet is not None:
                self._subscribing[packet] = [topic.filter for topic in some]

    def _on_subscribed(self, packet: int, codes: list[ReasonCode]) -> None:
        filters = self._subscribing.pop(packet, [])
        for topic_filter, code in zip(filters, codes, strict=False):
            if code.is_failure:
                log.error("subscription refused: topic=%s reason=%r", topic_filter, str(code))
        if self._subscribing or self._listening_since is not None:
            return
        self._listening_since = time.monotonic()
        log.info("local broker up: broker=%s topics=%d", self._broker.url, len(self._routes))

    def _take(self, received: MQTTMessage, client: Client, emit: Emit) -> None:
        message = Message(received.topic, bytes(received.payload), now_ns(), received.retain)
        stored = emit(self._readings(message, client))
        if received.qos:
            stored.add_done_callback(lambda _: client.ack(received.mid, received.qos))

    def _readings(self, message: Message, client: Client) -> list[Reading]:
        readings: list[Reading] = []
        problems: dict[str, None] = {}  # each once, in order
        known: list[bool] = []
        for decoder in self._routes.listeners(message):
            decoded = _decode(decoder, message)
            readings += decoded.readings
            problems |= dict.fromkeys(decoded.problems)
            known.append(decoded.known)
            self._note(decoder, decoded, message)
            self._answer(decoder, decoded, client)
        if known and not any(known) and not problems:
            problems["has none of the fields that its mappings name"] = None
        if problems:
            self._rejected.keep(message.topic, message.payload, "; ".join(problems)[:1000])
        return readings

    def _note(self, decoder: Decoder, decoded: Decoded, message: Message) -> None:
        presence = self._presences[decoder.device.id]
        if decoded.alive is False:
            presence.end(decoded.reason)
        elif decoded.alive and not message.retained:
            presence.hear(time.monotonic())

    def _answer(self, decoder: Decoder, decoded: Decoded, client: Client) -> None:
        for request in decoded.requests:
            client.publish(request.topic, request.payload)
        new = [topic for topic in decoded.follow if self._routes.add(topic, decoder)]
        if new:
            self._subscribe(client, new)


def _presence(device: Device) -> Presence:
    declared = device.declared_interval
    return Presence(None if declared is None else declared.total_seconds())


def _decode(decoder: Decoder, message: Message) -> Decoded:
    try:
        return decoder.decode(message)
    except PayloadError as error:
        return Decoded(problems=(str(error),))
    except Exception as error:  # one payload must not stop the others
        log.exception("decoder failed: decoder=%s topic=%s", type(decoder).__name__, message.topic)
        return Decoded(problems=(f"the decoder failed: {type(error).__name__}",))


def _options(topic: Topic) -> SubscribeOptions:
    handling = (
        SubscribeOptions.RETAIN_SEND_ON_SUBSCRIBE
        if topic.retained
        else SubscribeOptions.RETAIN_DO_NOT_SEND
    )
    return SubscribeOptions(qos=1, retainHandling=handling)


async def _keep_asking(client: Client, question: Question) -> None:
    """Ask again and again; the first time at a moment that is the device's own."""
    await asyncio.sleep(phase(question.request.topic) * question.interval)
    while True:
        client.publish(question.request.topic, question.request.payload)
        await asyncio.sleep(question.interval)
