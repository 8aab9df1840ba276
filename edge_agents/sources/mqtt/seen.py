"""Which devices a local broker has that the inventory does not."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from campuswatch.inventory.models import Device, DeviceKind, MqttAddress
from campuswatch.inventory.slugs import slug
from edge_agents.sources.mqtt.decoded import Site
from edge_agents.sources.mqtt.decoders.base import Decoder
from edge_agents.sources.mqtt.messages import Message, PayloadError
from edge_agents.sources.mqtt.routes import Routes

MAX_SEEN: Final = 2000
"""Devices and topics that are listed at most."""

_SAMPLE: Final = 60
_LONGEST_ID: Final = 63


@dataclass
class SeenDevice:
    """A device of a known ecosystem.

    Attributes:
        id: an id for it, made from its topic.
        decoder: which ecosystem.
        topic: with which it would be declared.
        messages: how many it sent.
        fields: what it reports, as measurement.field of the catalogue.
    """

    id: str
    decoder: str
    topic: str
    messages: int = 0
    fields: set[str] = field(default_factory=set)


@dataclass
class SeenTopic:
    """A topic of no known ecosystem.

    Attributes:
        topic: the topic.
        sample: the beginning of its last payload.
        messages: how many came.
    """

    topic: str
    sample: str = ""
    messages: int = 0


class Seen:
    """Collects what is heard.

    Args:
        kinds: the installed decoders by name.
        declared: what reads the devices that the inventory has.
        site: of the school.
    """

    def __init__(self, kinds: Mapping[str, type[Decoder]], declared: Routes, site: Site) -> None:
        self.devices: dict[tuple[str, str], SeenDevice] = {}
        self.topics: dict[str, SeenTopic] = {}
        self._kinds = kinds
        self._declared = declared
        self._site = site
        self._found = Routes()
        self._of: dict[Decoder, SeenDevice] = {}

    def take(self, message: Message) -> None:
        """Take a message, unless a device of the inventory is known to send it."""
        if self._declared.readers(message.topic):
            return
        found = self._recognised(message)
        if found is not None and found not in self.devices and not self._is_full():
            self._add(*found)
        readers = self._found.readers(message.topic)
        for _, decoder in readers:
            self._read(decoder, message)
        if not readers and found is None and not self._is_full():
            seen = self.topics.setdefault(message.topic, SeenTopic(message.topic))
            seen.sample = message.payload[:_SAMPLE].decode("utf-8", "backslashreplace")
            seen.messages += 1

    def unknown_topics(self) -> list[SeenTopic]:
        """Return topics that belong to no device, declared or found."""
        owned = [decoder.address.topic for decoder in self._declared.decoders()]
        owned += [device.topic for device in self.devices.values()]
        return [
            seen
            for seen in self.topics.values()
            if not self._found.readers(seen.topic)
            and not any(f"/{topic}/" in f"/{seen.topic}/" for topic in owned)
        ]

    def _is_full(self) -> bool:
        return len(self.devices) + len(self.topics) >= MAX_SEEN

    def _recognised(self, message: Message) -> tuple[str, str] | None:
        for name, kind in self._kinds.items():
            try:
                topic = kind.recognise(message)
            except PayloadError:
                continue
            if topic is not None:
                return name, topic
        return None

    def _add(self, name: str, topic: str) -> None:
        last = slug(topic.rpartition("/")[2])[:_LONGEST_ID].strip("-") or "device"
        taken = {device.id for device in self.devices.values()}
        whole = slug(topic)[-_LONGEST_ID:].strip("-") or "device"
        seen = SeenDevice(whole if last in taken else last, name, topic)
        address = MqttAddress.model_construct(topic=topic, decoder=name)
        device = Device.model_construct(
            id=seen.id, name=seen.id, kind=DeviceKind.SENSOR, mqtt=[address]
        )
        decoder = self._kinds[name](device, address, self._site)
        self.devices[name, topic] = self._of[decoder] = seen
        for wanted in decoder.topics:
            self._found.add(wanted, decoder)

    def _read(self, decoder: Decoder, message: Message) -> None:
        seen = self._of[decoder]
        seen.messages += 1
        try:
            decoded = decoder.decode(message)
        except PayloadError:
            return
        for topic in decoded.follow:
            self._found.add(topic, decoder)
        for reading in decoded.readings:
            seen.fields |= {f"{reading.measurement}.{name}" for name in reading.fields}
