"""Which devices a local broker has that the inventory does not."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

from edge_agents.sources.mqtt.decoders.base import Decoder
from edge_agents.sources.mqtt.messages import Message, PayloadError

MAX_SEEN: Final = 2000
"""Devices and topics that are listed at most."""

_SAMPLE: Final = 60


@dataclass
class SeenDevice:
    """A device of a known ecosystem.

    Attributes:
        decoder: which ecosystem.
        topic: with which it would be declared.
        messages: how many it sent.
    """

    decoder: str
    topic: str
    messages: int = 0

    @property
    def id(self) -> str:
        """An id for it, made from its topic."""
        words = re.sub("[^a-z0-9]+", "-", self.topic.lower()).strip("-")
        return words[-63:].strip("-") or "device"


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


@dataclass
class Seen:
    """Collects what is heard.

    Args:
        kinds: the installed decoders by name.
        declared: topics of devices that the inventory has, by decoder.
    """

    kinds: Mapping[str, type[Decoder]]
    declared: set[tuple[str, str]] = field(default_factory=set)
    devices: dict[tuple[str, str], SeenDevice] = field(default_factory=dict)
    topics: dict[str, SeenTopic] = field(default_factory=dict)

    def take(self, message: Message) -> None:
        """Take a message that no device of the inventory reads."""
        found = self._recognised(message)
        if found in self.declared or len(self.devices) + len(self.topics) >= MAX_SEEN:
            return
        if found is not None:
            self.devices.setdefault(found, SeenDevice(*found)).messages += 1
            return
        seen = self.topics.setdefault(message.topic, SeenTopic(message.topic))
        seen.sample = message.payload[:_SAMPLE].decode("utf-8", "backslashreplace")
        seen.messages += 1

    def unknown_topics(self) -> list[SeenTopic]:
        """Return topics that belong to no device that was found."""
        bases = [device.topic for device in self.devices.values()]
        bases += [topic for _, topic in self.declared]
        return [seen for seen in self.topics.values() if not _below(seen.topic, bases)]

    def _recognised(self, message: Message) -> tuple[str, str] | None:
        for name, kind in self.kinds.items():
            try:
                topic = kind.recognise(message)
            except PayloadError:
                continue
            if topic is not None:
                return name, topic
        return None


def _below(topic: str, bases: Iterable[str]) -> bool:
    return any(f"/{base}/" in f"/{topic}/" for base in bases)
