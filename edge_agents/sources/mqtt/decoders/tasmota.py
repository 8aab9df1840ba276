"""Tasmota: plugs and sensor boards on Wi-Fi.

Topics: `tele/<topic>/SENSOR` with an object for each sensor (`ENERGY` is the
meter), `tele/<topic>/STATE` with relays and Wi-Fi, every TelePeriod (300 s);
`tele/<topic>/LWT`, retained, `Online` or `Offline`. `topic` in the inventory is
Tasmota's own, such as `classroom-204`; with a FullTopic other than
`%prefix%/%topic%/` it is the whole of that, `floor-2/classroom-204/%prefix%`.

A switch without a meaning becomes a reading when the entry gives it one:
`fields: {Switch1: presence.occupancy}`.

Sources: https://tasmota.github.io/docs/MQTT/,
https://tasmota.github.io/docs/JSON-Status-Responses/ and the sensors' pages,
such as https://tasmota.github.io/docs/MH-Z19B/. In `Wifi`, `Signal` is dBm and
`RSSI` a percentage, 2 · (dBm + 100).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from edge_agents.sources.mqtt import quantities as q
from edge_agents.sources.mqtt.decoded import Decoded, Topic
from edge_agents.sources.mqtt.decoders.base import Decoder
from edge_agents.sources.mqtt.findings import Findings
from edge_agents.sources.mqtt.messages import Message, PayloadError, mapping, member
from edge_agents.sources.mqtt.wills import will

_PREFIX: Final = "%prefix%"
_SENSOR, _STATE, _LWT = "SENSOR", "STATE", "LWT"
_CHIPS: Final = frozenset({"ESP32"})
"""Sections that tell of the board and not of the room."""

_SENSOR_NAMES: Final[Mapping[str, q.Quantity]] = {
    "Humidity": q.HUMIDITY,
    "CarbonDioxide": q.CO2,
    "PM2.5": q.PM2_5,
    "PM10": q.PM10,
    "Illuminance": q.ILLUMINANCE,
    "Noise": q.NOISE,
}
_METER_NAMES: Final[Mapping[str, q.Quantity]] = {
    "Power": q.WATTS,
    "Voltage": q.VOLTS,
    "Current": q.AMPERES,
    "Total": q.KILOWATT_HOURS,
}


class TasmotaDecoder(Decoder):
    """Reads one Tasmota board."""

    @property
    def topics(self) -> Sequence[Topic]:
        return [
            Topic(self._topic(_SENSOR)),
            Topic(self._topic(_STATE)),
            Topic(self._topic(_LWT), retained=True),
        ]

    def _topic(self, kind: str) -> str:
        own = self.address.topic
        full = own if _PREFIX in own else f"{_PREFIX}/{own}"
        return f"{full.replace(_PREFIX, 'tele')}/{kind}"

    def decode(self, message: Message) -> Decoded:
        kind = message.topic.rpartition("/")[2]
        if kind == _LWT:
            return will(message.document)
        values = mapping(message.document)
        found = self.findings(message.received)
        if kind == _STATE:
            _take_state(found, values)
        else:
            _take_sensors(found, values)
        return found.decoded()

    @classmethod
    def recognise(cls, message: Message) -> str | None:
        prefix, _, rest = message.topic.partition("/")
        own, _, kind = rest.rpartition("/")
        if prefix != "tele" or not own:
            return None
        if kind == _LWT:
            return own if message.payload in (b"Online", b"Offline") else None
        known = kind in (_SENSOR, _STATE) and member(message.document, "Time") is not None
        return own if known else None


def _take_state(found: Findings, values: Mapping[str, object]) -> None:
    for name, value in values.items():
        channel = name.removeprefix("POWER")
        if name.startswith("POWER") and (not channel or channel.isdigit()):
            found.take(name, q.RELAY, value, channel, apart=channel not in ("", "1"))
        elif name != "Wifi":
            found.take(name, None, value)
    wifi = values.get("Wifi")
    if wifi is not None:
        found.signal(
            _dbm(mapping(wifi)),
            bssid=member(wifi, "BSSId"),
            ssid=member(wifi, "SSId"),
            channel=member(wifi, "Channel"),
        )


def _dbm(wifi: Mapping[str, object]) -> object:
    """Return the signal in dBm; firmware before 6.6 gives the percentage alone."""
    if "Signal" in wifi or "RSSI" not in wifi:
        return wifi.get("Signal")
    return q.as_number(wifi["RSSI"]) / 2 - 100


def _take_sensors(found: Findings, values: Mapping[str, object]) -> None:
    names = dict(_SENSOR_NAMES)
    names["Temperature"] = q.TEMPERATURE.in_unit(str(values.get("TempUnit", "C"))[:10])
    names["Pressure"] = q.PRESSURE_HPA.in_unit(str(values.get("PressureUnit", "hPa"))[:10])
    for section, content in values.items():
        if section == "ENERGY":
            _take_meter(found, mapping(content))
        elif isinstance(content, dict) and section not in _CHIPS:
            for name, value in content.items():
                found.take(name, names.get(name), value, section)
        elif not isinstance(content, dict):
            found.take(section, None, content)


def _take_meter(found: Findings, meter: Mapping[str, object]) -> None:
    """Take a meter's values; one with several channels lists one for each."""
    for name, quantity in _METER_NAMES.items():
        value = meter.get(name)
        channels = value if isinstance(value, list) else [value]
        if len(channels) > 8:
            raise PayloadError(f"{name}: expected at most 8 channels")
        for number, each in enumerate(channels, start=1):
            found.take(name, quantity, each, str(number), apart=number > 1)
