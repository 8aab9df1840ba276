"""Zigbee2MQTT: Zigbee sensors and plugs behind a coordinator.

Topics: `zigbee2mqtt/<friendly name>` with one flat JSON object, retained or
not as the device is configured; `zigbee2mqtt/<friendly name>/availability`,
`online` or `offline`, plain or as `{"state": …}`; `zigbee2mqtt/bridge/state`
for the bridge as a whole, its last will. A friendly name may have slashes.
`topic` in the inventory is all of it: `zigbee2mqtt/floor-2/climate-204`.

Sources: https://www.zigbee2mqtt.io/guide/usage/mqtt_topics_and_messages.html,
https://www.zigbee2mqtt.io/guide/configuration/device-availability.html and
https://www.zigbee2mqtt.io/guide/usage/exposes.html for names and units.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from edge_agents.sources.mqtt import quantities as q
from edge_agents.sources.mqtt.decoded import NOTHING, Decoded, Topic
from edge_agents.sources.mqtt.decoders.base import Decoder
from edge_agents.sources.mqtt.messages import Message, mapping, member
from edge_agents.sources.mqtt.wills import will

_BASE: Final = "zigbee2mqtt"

_NAMES: Final[Mapping[str, q.Quantity]] = {
    "temperature": q.TEMPERATURE,
    "humidity": q.HUMIDITY,
    "co2": q.CO2,
    "pm25": q.PM2_5,
    "pm10": q.PM10,
    "illuminance_lux": q.ILLUMINANCE,  # before 2.0; `illuminance` was a raw value then
    "noise": q.NOISE,
    "pressure": q.PRESSURE_HPA,
    "occupancy": q.OCCUPANCY,
    "presence": q.OCCUPANCY,
    "contact": q.CONTACT,  # true: the contact is made, so the door is closed
    "power": q.WATTS,
    "current": q.AMPERES,
    "energy": q.KILOWATT_HOURS,
    "battery": q.BATTERY,
    "linkquality": q.Quantity(q.HEALTH, "link_quality", "1/255"),
}

_RELAY_STATES: Final = ("ON", "OFF")
_MAINS: Final = frozenset({"power", "current", "energy"})


class Zigbee2MqttDecoder(Decoder):
    """Reads one Zigbee device."""

    @property
    def topics(self) -> Sequence[Topic]:
        topic = self.address.topic
        return [
            Topic(topic),
            Topic(f"{topic}/availability", retained=True),
            Topic(f"{_base_of(topic)}/bridge/state", retained=True),
        ]

    def decode(self, message: Message) -> Decoded:
        if message.topic.endswith("/bridge/state"):
            # A bridge that is back says nothing of the devices behind it.
            bridge = will(_state(message), "last will of Zigbee2MQTT")
            return bridge if bridge.alive is False else NOTHING
        if message.topic != self.address.topic:
            return will(_state(message), "Zigbee2MQTT")
        return self._values(message)

    def _values(self, message: Message) -> Decoded:
        values = mapping(message.document)
        found = self.findings(message.received)
        names = {**_NAMES, "voltage": _voltage(values)}
        if "illuminance_lux" not in values:
            names["illuminance"] = q.ILLUMINANCE
        for name, value in values.items():
            if name.partition("_")[0] == "state":
                gang = name.removeprefix("state").strip("_")
                relay = q.RELAY if value in _RELAY_STATES else None
                found.take(name, relay, value, gang, apart=bool(gang))
            else:
                found.take(name, names.get(name), value)
        return found.decoded()

    @classmethod
    def recognise(cls, message: Message) -> str | None:
        levels = message.topic.split("/")
        if len(levels) < 2 or levels[0] != _BASE or levels[1] == "bridge":
            return None
        known = isinstance(message.document, dict) and "linkquality" in message.document
        return message.topic if known else None


def _base_of(topic: str) -> str:
    """Return Zigbee2MQTT's base topic: all up to its usual name, or the first level."""
    levels = topic.split("/")
    end = levels.index(_BASE) + 1 if _BASE in levels else 1
    return "/".join(levels[:end])


def _state(message: Message) -> object:
    document = message.document
    return member(document, "state") if isinstance(document, dict) else document


def _voltage(values: Mapping[str, object]) -> q.Quantity:
    """Return what `voltage` is: mains in V beside a meter, else a battery's in mV."""
    return q.VOLTS if _MAINS & values.keys() else q.BATTERY_MILLIVOLTS
