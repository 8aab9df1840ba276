"""ChirpStack v4: LoRaWAN sensors behind a school's own network server.

Topics: `application/<application id>/device/<DevEUI>/event/<type>` with one
JSON object an event: `up` carries what the device profile's codec made of the
payload in `object`, `status` the battery. `topic` in the inventory is all before
`/event`.

Names in `object` are recognised by their words; the entry's `fields` name the
others. An uplink without `object` is rejected: the device profile lacks a codec.

Sources: https://www.chirpstack.io/docs/chirpstack/integrations/mqtt.html and
https://www.chirpstack.io/docs/chirpstack/integrations/events.html.
"""

from __future__ import annotations

from collections.abc import Sequence

from edge_agents.sources.mqtt import quantities as q
from edge_agents.sources.mqtt.decoded import Decoded, Topic
from edge_agents.sources.mqtt.decoders.base import Decoder
from edge_agents.sources.mqtt.findings import network_time
from edge_agents.sources.mqtt.lorawan import take_decoded, take_link
from edge_agents.sources.mqtt.messages import Message, PayloadError, mapping, member


class ChirpStackDecoder(Decoder):
    """Reads one LoRaWAN device."""

    @property
    def topics(self) -> Sequence[Topic]:
        return [Topic(f"{self.address.topic}/event/{kind}") for kind in ("up", "status", "join")]

    def decode(self, message: Message) -> Decoded:
        event = mapping(message.document)
        kind = message.topic.rpartition("/")[2]
        found = self.findings(network_time(event.get("time"), message.received))
        if kind == "status" and event.get("batteryLevelUnavailable") is not True:
            found.take("batteryLevel", q.BATTERY, event.get("batteryLevel"))
        elif kind == "up":
            decoded = event.get("object")
            if isinstance(decoded, dict):
                take_decoded(found, decoded)
            elif event.get("data"):
                raise PayloadError("no object: the device profile has no codec")
            take_link(found, event.get("rxInfo"))
        return found.decoded()

    @classmethod
    def recognise(cls, message: Message) -> str | None:
        levels = message.topic.split("/")
        shape = levels[:1] + levels[2:3] + levels[4:5]
        known = len(levels) == 6 and shape == ["application", "device", "event"]
        return "/".join(levels[:4]) if known and member(message.document, "deviceInfo") else None
