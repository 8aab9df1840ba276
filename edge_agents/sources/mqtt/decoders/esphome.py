"""ESPHome: boards on Wi-Fi whose sensors their owner has named.

Topics: `<prefix>/sensor/<object id>/state` and `<prefix>/binary_sensor/…`,
`<prefix>/switch/…`, `<prefix>/text_sensor/…`, one plain value each;
`<prefix>/status`, retained, `online` or `offline`. `topic` in the inventory is
the prefix, which is the node's name unless `topic_prefix` says otherwise.

The object id is the sensor's name: `classroom_co2`, `wifi_signal`. What it
measures is recognised from its words, in ESPHome's default units; the entry's
`fields` name the others. `connected_bssid` and `connected_ssid` of the
`wifi_info` text sensor say whose signal it is.

Sources: https://esphome.io/components/mqtt.html,
https://esphome.io/components/sensor/wifi_signal.html and
https://esphome.io/components/text_sensor/wifi_info.html.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from campuswatch.inventory.models import Device, MqttAddress
from edge_agents.sources.mqtt import quantities as q
from edge_agents.sources.mqtt.decoded import NOTHING, Decoded, Site, Topic
from edge_agents.sources.mqtt.decoders.base import Decoder
from edge_agents.sources.mqtt.messages import Message
from edge_agents.sources.mqtt.wills import will

_SIGNALS: Final = ("wifi_signal", "wifi_signal_db", "wifi_signal_strength", "wifi_rssi", "rssi")
_NO_VALUE: Final = ("nan", "unknown", "")
"""How ESPHome says that a sensor has no value."""

_KINDS: Final = ("sensor", "binary_sensor", "switch")


class EspHomeDecoder(Decoder):
    """Reads one ESPHome node."""

    def __init__(self, device: Device, address: MqttAddress, site: Site) -> None:
        super().__init__(device, address, site)
        self._joined: dict[str, str] = {}

    @property
    def topics(self) -> Sequence[Topic]:
        prefix = self.address.topic
        return [
            *(Topic(f"{prefix}/{kind}/+/state") for kind in _KINDS),
            Topic(f"{prefix}/text_sensor/+/state", retained=True),
            Topic(f"{prefix}/status", retained=True),
        ]

    def decode(self, message: Message) -> Decoded:
        if message.topic == f"{self.address.topic}/status":
            return will(message.document)
        kind, name = message.topic.removeprefix(f"{self.address.topic}/").split("/")[:2]
        value = message.document
        if kind == "text_sensor":
            return self._note(name, value)
        found = self.findings(message.received)
        if isinstance(value, str) and value.lower() in _NO_VALUE:
            return found.decoded()
        if kind == "sensor" and name.endswith(_SIGNALS):
            found.signal(value, bssid=self._joined.get("bssid"), ssid=self._joined.get("ssid"))
        else:
            quantity = q.quantity_of(name)
            found.take(name, q.RELAY if kind == "switch" and quantity is None else quantity, value)
        return found.decoded()

    def _note(self, name: str, value: object) -> Decoded:
        """Remember which access point the node is joined to."""
        for what in ("bssid", "ssid"):
            if name.endswith(f"_{what}") or name == what:
                if isinstance(value, str):
                    self._joined[what] = value
                break
        return NOTHING

    @classmethod
    def recognise(cls, message: Message) -> str | None:
        levels = message.topic.rsplit("/", 3)
        known = len(levels) == 4 and levels[1] in _KINDS and levels[3] == "state"
        return levels[0] if known and not isinstance(message.document, dict | list) else None
