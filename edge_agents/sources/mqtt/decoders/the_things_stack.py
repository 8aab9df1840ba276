"""The Things Stack v3 (The Things Network, The Things Industries): LoRaWAN sensors.

Topics: `v3/<application>@<tenant>/devices/<device>/up` with one JSON object an
uplink. `topic` in the inventory is all before `/up`.

The values are those of the payload formatter: `normalized_payload` where the
formatter makes one, else `decoded_payload`, whose names are recognised by their
words; the entry's `fields` name the others. An uplink without either is
rejected: the application lacks a formatter. The stack omits fields that are 0
or false, so that "not occupied" may never be said.

Sources: https://www.thethingsindustries.com/docs/integrations/other-integrations/mqtt/,
https://www.thethingsindustries.com/docs/the-things-stack/concepts/data-formats/
and https://www.thethingsindustries.com/docs/integrations/payload-formatters/javascript/uplink/.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from edge_agents.sources.mqtt import quantities as q
from edge_agents.sources.mqtt.decoded import Decoded, Topic
from edge_agents.sources.mqtt.decoders.base import Decoder
from edge_agents.sources.mqtt.findings import Findings, network_time
from edge_agents.sources.mqtt.lorawan import take_decoded, take_link
from edge_agents.sources.mqtt.messages import Message, PayloadError, mapping, member

_MAX_MEASUREMENTS: Final = 32

_NORMALISED: Final[Mapping[tuple[str, ...], q.Quantity]] = {
    ("air", "temperature"): q.TEMPERATURE,
    ("air", "relativeHumidity"): q.HUMIDITY,
    ("air", "pressure"): q.PRESSURE_HPA,
    ("air", "co2"): q.CO2,
    ("air", "lightIntensity"): q.ILLUMINANCE,
    ("action", "motion", "detected"): q.OCCUPANCY,
    ("action", "contactState"): q.DOOR,
    ("battery",): q.BATTERY_VOLTS,
}


class TheThingsStackDecoder(Decoder):
    """Reads one LoRaWAN device."""

    @property
    def topics(self) -> Sequence[Topic]:
        return [Topic(f"{self.address.topic}/up")]

    def decode(self, message: Message) -> Decoded:
        document = mapping(message.document)
        uplink = mapping(member(document, "uplink_message"))
        found = self.findings(network_time(document.get("received_at"), message.received))
        normalised, decoded = uplink.get("normalized_payload"), uplink.get("decoded_payload")
        if normalised:
            _take_normalised(found, normalised)
        elif isinstance(decoded, dict):
            take_decoded(found, decoded)
        elif "frm_payload" in uplink:
            raise PayloadError("no decoded_payload: the application has no payload formatter")
        battery = member(uplink, "last_battery_percentage", "value")
        found.take("last_battery_percentage", q.BATTERY, battery)
        take_link(found, uplink.get("rx_metadata"))
        return found.decoded()

    @classmethod
    def recognise(cls, message: Message) -> str | None:
        topic, _, kind = message.topic.rpartition("/")
        levels = topic.split("/")
        known = kind == "up" and levels[0] == "v3" and len(levels) == 4 and levels[2] == "devices"
        return topic if known and "uplink_message" in mapping(message.document) else None


def _take_normalised(found: Findings, normalised: object) -> None:
    measurements = normalised if isinstance(normalised, list) else [normalised]
    if len(measurements) > _MAX_MEASUREMENTS:
        raise PayloadError(f"expected at most {_MAX_MEASUREMENTS} normalised measurements")
    for number, measured in enumerate(measurements, start=1):
        for path, quantity in _NORMALISED.items():
            found.take(path[-1], quantity, member(measured, *path), str(number))
