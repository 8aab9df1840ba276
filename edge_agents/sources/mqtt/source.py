"""Listens to a school's own broker."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import AsyncIterator, Iterable, Iterator
from typing import Final

from paho.mqtt.client import Client, MQTTMessage
from paho.mqtt.matcher import MQTTMatcher
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode
from paho.mqtt.subscribeoptions import SubscribeOptions

from campuswatch.inventory.models import LocalBroker
from campuswatch.mqtt import broker_address, new_client
from campuswatch.readings import Reading, now_ns
from campuswatch.settings import BrokerSettings
from edge_agents.link import Link, LinkError
from edge_agents.pacing import delays
from edge_agents.sources.base import Emit
from edge_agents.sources.mqtt.decoding import Decoded, Decoder, PayloadError, parse
from edge_agents.sources.mqtt.rejected import RejectedPayloads

log = logging.getLogger(__name__)

_SESSION: Final = 3600
"""Seconds for which the broker keeps messages of QoS 1 for an agent that is away."""

_LONGEST_DELAY: Final = 60.0


class LocalBrokerSource:
    """A `StreamSource` of the readings that devices publish.

    A message of QoS 1 is acknowledged when its readings are on the disk, and
    the session outlives the connection, so that an agent that is killed finds
    what it had not stored. Retained messages are not asked for: they say what
    was the case once, and not when.

    Args:
        broker: the school's broker.
        client_id: of the session; unique at that broker.
        decoders: with the topic filter each one reads.
        rejected: takes what can't be read.
    """

    def __init__(
        self,
        broker: LocalBroker,
        client_id: str,
        decoders: Iterable[tuple[str, Decoder]],
        rejected: RejectedPayloads,
    ) -> None:
        self.name = "mqtt"
        self._broker = BrokerSettings(
            url=broker.url, username=broker.username, password=broker.password
        )
        self._client_id = client_id
        self._decoders: dict[str, list[Decoder]] = {}
        for topic_filter, decoder in decoders:
            self._decoders.setdefault(topic_filter, []).append(decoder)
        self._matcher = MQTTMatcher()  # type: ignore[no-untyped-call]
        for topic_filter, there in self._decoders.items():
            self._matcher[topic_filter] = there
        self._rejected = rejected
        self._heard: dict[str, float] = {}
        self._listening_since: float | None = None

    @property
    def listening_since(self) -> float | None:
        """When the subscription began, on the monotonic clock; None while there is none."""
        return self._listening_since

    def last_heard(self, device: str) -> float | None:
        """Return when a device last sent something readable, on the monotonic clock."""
        return self._heard.get(device)

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
        try:
            await link.open(
                broker_address(self._broker.url), clean_start=False, properties=properties
            )
            options = SubscribeOptions(qos=1, retainHandling=SubscribeOptions.RETAIN_DO_NOT_SEND)
            client.subscribe([(topic_filter, options) for topic_filter in self._decoders])
            yield link
        finally:
            self._listening_since = None
            await link.close()

    def _on_subscribed(self, _packet: int, codes: list[ReasonCode]) -> None:
        self._listening_since = time.monotonic()
        for topic_filter, code in zip(self._decoders, codes, strict=True):
            if code.is_failure:
                log.error("subscription refused: topic=%s reason=%r", topic_filter, str(code))
        log.info("local broker up: broker=%s topics=%d", self._broker.url, len(codes))

    def _take(self, message: MQTTMessage, client: Client, emit: Emit) -> None:
        stored = emit(self._readings(message.topic, bytes(message.payload)))
        if message.qos:
            stored.add_done_callback(lambda _: client.ack(message.mid, message.qos))

    def _readings(self, topic: str, payload: bytes) -> list[Reading]:
        readings: list[Reading] = []
        problems: list[str] = []
        try:
            document = parse(payload)
        except PayloadError as error:
            problems.append(str(error))
        else:
            for decoded in self._decode(topic, document):
                problems += decoded.problems
                if decoded.reading is not None:
                    readings.append(decoded.reading)
            if not readings and not problems:
                problems.append("has none of the fields that its mappings name")
        if problems:
            self._rejected.keep(topic, payload, "; ".join(problems))
        return readings

    def _decode(self, topic: str, document: object) -> Iterator[Decoded]:
        received = now_ns()
        there: list[Decoder]
        for there in self._matcher.iter_match(topic):  # type: ignore[no-untyped-call]
            for decoder in there:
                decoded = decoder.decode(topic, document, received)
                if decoded.reading is not None:
                    self._heard[decoder.device] = time.monotonic()
                yield decoded
