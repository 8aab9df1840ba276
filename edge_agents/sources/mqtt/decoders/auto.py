"""`decoder: auto`: whatever ecosystem the device's first messages are of.

It listens on the topics that the device would have in each of them, which is
a dozen filters a device; naming the decoder costs the broker less.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence

from campuswatch.inventory.models import Device, MqttAddress
from edge_agents.sources.mqtt.decoded import NOTHING, Decoded, Question, Site, Topic
from edge_agents.sources.mqtt.decoders.base import Decoder
from edge_agents.sources.mqtt.messages import Message

log = logging.getLogger(__name__)


class AutoDecoder(Decoder):
    """Becomes the first decoder that recognises a message of the device.

    Args:
        device: whose messages these are.
        address: with the topic that the device has in its ecosystem.
        site: what is common to the school.
        kinds: the decoders that may be chosen.
    """

    def __init__(
        self, device: Device, address: MqttAddress, site: Site, kinds: Iterable[type[Decoder]]
    ) -> None:
        super().__init__(device, address, site)
        self._candidates = [kind(device, address, site) for kind in kinds]
        self._chosen: Decoder | None = None

    @property
    def topics(self) -> Sequence[Topic]:
        wanted: dict[str, Topic] = {}
        for candidate in self._candidates:
            for topic in candidate.topics:
                if topic.retained or topic.filter not in wanted:
                    wanted[topic.filter] = topic
        return list(wanted.values())

    @property
    def questions(self) -> Sequence[Question]:  # type: ignore[override]
        return [question for each in self._candidates for question in each.questions]

    def decode(self, message: Message) -> Decoded:
        if self._chosen is None:
            self._chosen = self._recognised(message)
        return NOTHING if self._chosen is None else self._chosen.decode(message)

    def _recognised(self, message: Message) -> Decoder | None:
        for candidate in self._candidates:
            if candidate.recognise(message) == self.address.topic:
                name = type(candidate).__name__
                log.info("device recognised: device=%s decoder=%s", self.device.id, name)
                return candidate
        return None
