"""Which decoder hears which topics."""

from __future__ import annotations

from collections.abc import Iterator

from paho.mqtt.matcher import MQTTMatcher

from edge_agents.sources.mqtt.decoded import Topic
from edge_agents.sources.mqtt.decoders.base import Decoder
from edge_agents.sources.mqtt.messages import Message


class Routes:
    """Topics, and who hears them."""

    def __init__(self) -> None:
        self._listeners: dict[str, list[tuple[Topic, Decoder]]] = {}
        self._matcher = MQTTMatcher()  # type: ignore[no-untyped-call]

    def __len__(self) -> int:
        return len(self._listeners)

    def add(self, topic: Topic, decoder: Decoder) -> bool:
        """Let a decoder hear topics; return whether that was not so before."""
        there = self._listeners.setdefault(topic.filter, [])
        if any(before == topic and other is decoder for before, other in there):
            return False
        there.append((topic, decoder))
        self._matcher[topic.filter] = there
        return True

    def topics(self) -> list[Topic]:
        """Return what to subscribe to."""
        return [
            Topic(topic_filter, any(topic.retained for topic, _ in there))
            for topic_filter, there in self._listeners.items()
        ]

    def decoders(self) -> list[Decoder]:
        """Return who hears anything."""
        return list({decoder for there in self._listeners.values() for _, decoder in there})

    def readers(self, topic: str) -> list[tuple[Topic, Decoder]]:
        """Return who hears a topic, with the filter that matches."""
        matches: list[list[tuple[Topic, Decoder]]]
        matches = list(self._matcher.iter_match(topic))  # type: ignore[no-untyped-call]
        return [pair for there in matches for pair in there]

    def listeners(self, message: Message) -> Iterator[Decoder]:
        """Yield the decoders that hear a message, each once."""
        heard: list[Decoder] = []
        for topic, decoder in self.readers(message.topic):
            if (topic.retained or not message.retained) and decoder not in heard:
                heard.append(decoder)
                yield decoder
