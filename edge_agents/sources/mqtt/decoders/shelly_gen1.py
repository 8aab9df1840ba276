"""Shelly of the first generation (1PM, Plug S, H&T, Door/Window, EM, Motion).

One value a topic below `shellies/<device id>`: `relay/0` (`on`, `off`),
`relay/0/power` (W), `relay/0/energy` (watt-minutes), `emeter/0/…`,
`sensor/temperature`, `sensor/humidity`, `sensor/battery`, `sensor/lux`,
`sensor/state` (`open`, `close`); `info` and `status` are JSON; `online`,
retained, is `true` or `false`. `topic` in the inventory is
`shellies/shellyplug-s-C18B12`.

`sensor/temperature` is in the unit that the device is set to; with Fahrenheit
say so: `fields: {temperature: {field: environment.temperature, unit: °F}}`.

Source: https://shelly-api-docs.shelly.cloud/gen1/#mqtt-support and the
sections of the devices.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from edge_agents.sources.mqtt import quantities as q
from edge_agents.sources.mqtt.decoded import NOTHING, Decoded, Topic
from edge_agents.sources.mqtt.decoders.base import Decoder
from edge_agents.sources.mqtt.findings import Findings
from edge_agents.sources.mqtt.messages import Message, member
from edge_agents.sources.mqtt.wills import will

_CHANNELS: Final[Mapping[tuple[str, str], q.Quantity]] = {
    ("relay", ""): q.RELAY,
    ("relay", "power"): q.WATTS,
    ("relay", "energy"): q.Quantity(q.POWER, "energy", "Wmin"),
    ("emeter", "power"): q.WATTS,
    ("emeter", "voltage"): q.VOLTS,
    ("emeter", "current"): q.AMPERES,
    ("emeter", "total"): q.WATT_HOURS,
}
_SENSORS: Final[Mapping[str, q.Quantity]] = {
    "temperature": q.TEMPERATURE,
    "humidity": q.HUMIDITY,
    "battery": q.BATTERY,
    "lux": q.ILLUMINANCE,
    "state": q.DOOR,
    "motion": q.OCCUPANCY,
}


class ShellyGen1Decoder(Decoder):
    """Reads one Shelly of the first generation."""

    @property
    def topics(self) -> Sequence[Topic]:
        own = self.address.topic
        below = ("relay/#", "emeter/#", "sensor/#", "info", "status")
        return [*(Topic(f"{own}/{part}") for part in below), Topic(f"{own}/online", retained=True)]

    def decode(self, message: Message) -> Decoded:
        kind, *rest = message.topic.removeprefix(f"{self.address.topic}/").split("/")
        if kind == "online":
            return will(message.document)
        found = self.findings(message.received)
        if kind in ("info", "status"):
            _take_status(found, message.document)
        elif kind == "sensor" and rest:
            found.take(rest[0], _SENSORS.get(rest[0]), message.document)
        elif kind in ("relay", "emeter") and rest:
            _take_channel(found, kind, rest, message.document)
        else:
            return NOTHING
        return found.decoded()

    @classmethod
    def recognise(cls, message: Message) -> str | None:
        levels = message.topic.split("/")
        if levels[0] != "shellies" or len(levels) < 3:
            return None
        kinds = {"relay", "emeter", "sensor", "info"}
        return "/".join(levels[:2]) if levels[2] in kinds else None


def _take_channel(found: Findings, kind: str, rest: Sequence[str], value: object) -> None:
    number, name = rest[0], rest[1] if len(rest) == 2 else ""
    if not name:
        value = "off" if value == "overpower" else value
    found.take(
        name or kind, _CHANNELS.get((kind, name)), value, f"{kind}:{number}", apart=number != "0"
    )


def _take_status(found: Findings, status: object) -> None:
    """Take what a device says of itself as JSON; a Motion says all of it there."""
    wifi = member(status, "wifi_sta")
    found.signal(member(wifi, "rssi"), ssid=member(wifi, "ssid"))
    found.take("motion", q.OCCUPANCY, member(status, "motion"))
    lux = member(status, "lux")
    found.take("lux", q.ILLUMINANCE, member(lux, "value") if isinstance(lux, dict) else lux)
    battery = member(status, "bat")
    level = member(battery, "value") if isinstance(battery, dict) else battery
    found.take("bat", q.BATTERY, level)
