"""Shelly Gen2 and later (Plus, Pro, Gen3, Gen4): plugs, meters, sensors on Wi-Fi.

Topics: `<prefix>/events/rpc` with JSON-RPC notifications (NotifyStatus with
what changed, NotifyFullStatus), `<prefix>/status/<component>` with the status
of one component such as `switch:0`, `<prefix>/online`, retained, `true` or
`false`. Which of them a device sends is set in its MQTT settings; both do.
`topic` in the inventory is the device's MQTT prefix, `shellyplus1pm-a8032abe54dc`.

With `scan: 15m` the device is asked for the access points it hears
(`Wifi.Scan` to `<prefix>/rpc`). Kept are those that the inventory declares,
and those of the network it is joined to itself: phones' hotspots are nobody's
business.

Sources: https://shelly-api-docs.shelly.cloud/gen2/ComponentsAndServices/Mqtt,
https://shelly-api-docs.shelly.cloud/gen2/General/Notifications and the pages
of the components, such as
https://shelly-api-docs.shelly.cloud/gen2/ComponentsAndServices/WiFi.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Final

from campuswatch.inventory.models import Device, MqttAddress
from campuswatch.wifi import normalise_bssid
from edge_agents.sources.mqtt import quantities as q
from edge_agents.sources.mqtt.decoded import NOTHING, Decoded, Question, Request, Site, Topic
from edge_agents.sources.mqtt.decoders.base import Decoder
from edge_agents.sources.mqtt.findings import Findings
from edge_agents.sources.mqtt.messages import Message, PayloadError, mapping, member
from edge_agents.sources.mqtt.wills import will

_MAX_HEARD: Final = 100
_WIFI: Final = "wifi"

_Members = Mapping[tuple[str, ...], q.Quantity]

_METER: Final[_Members] = {
    ("output",): q.RELAY,
    ("apower",): q.WATTS,
    ("act_power",): q.WATTS,
    ("voltage",): q.VOLTS,
    ("current",): q.AMPERES,
    ("aenergy", "total"): q.WATT_HOURS,
    ("total_act_energy",): q.WATT_HOURS,
}
_COMPONENTS: Final[Mapping[str, _Members]] = {
    "switch": _METER,
    "pm1": _METER,
    "em1": _METER,
    "em1data": _METER,
    "em": {("total_act_power",): q.WATTS, ("total_current",): q.AMPERES},
    "emdata": {("total_act",): q.WATT_HOURS},
    "temperature": {("tC",): q.TEMPERATURE},
    "humidity": {("rh",): q.HUMIDITY},
    "illuminance": {("lux",): q.ILLUMINANCE},
    "devicepower": {("battery", "percent"): q.BATTERY, ("battery", "V"): q.BATTERY_VOLTS},
}


class ShellyDecoder(Decoder):
    """Reads one Shelly of the second generation or later."""

    def __init__(self, device: Device, address: MqttAddress, site: Site) -> None:
        super().__init__(device, address, site)
        self._ssid: str | None = None
        self._client = f"campuswatch/{device.id}"
        if address.scan is not None:
            frame = {"id": 1, "src": self._client, "method": "Wifi.Scan"}
            request = Request(f"{address.topic}/rpc", json.dumps(frame).encode())
            self.questions = [Question(request, address.scan.total_seconds())]

    @property
    def topics(self) -> Sequence[Topic]:
        prefix = self.address.topic
        topics = [
            Topic(f"{prefix}/events/rpc"),
            Topic(f"{prefix}/status/+"),
            Topic(f"{prefix}/online", retained=True),
        ]
        return [*topics, Topic(f"{self._client}/rpc")] if self.questions else topics

    def decode(self, message: Message) -> Decoded:
        kind = message.topic.removeprefix(self.address.topic)
        if kind == "/online":
            return will(message.document)
        found = self.findings(message.received)
        if message.topic == f"{self._client}/rpc":
            self._take_scan(found, mapping(message.document))
        elif kind == "/events/rpc":
            if not str(member(message.document, "method")).startswith("Notify"):
                raise PayloadError("expected a notification")
            params = member(message.document, "params")
            for component, status in mapping(params).items():
                self._take(found, component, status)
        elif kind.startswith("/status/"):
            self._take(found, kind.removeprefix("/status/"), message.document)
        else:
            return NOTHING
        return found.decoded()

    def _take(self, found: Findings, component: str, status: object) -> None:
        kind, _, number = component.partition(":")
        if component == _WIFI:
            ssid = member(status, "ssid")
            self._ssid = ssid if isinstance(ssid, str) else self._ssid
            found.signal(
                member(status, "rssi"),
                bssid=member(status, "bssid"),
                ssid=ssid,
                channel=member(status, "channel"),
            )
        for path, quantity in _COMPONENTS.get(kind, {}).items():
            value = member(status, *path)
            found.take(path[0], quantity, value, component, apart=number not in ("", "0"))

    def _take_scan(self, found: Findings, answer: Mapping[str, object]) -> None:
        if "error" in answer:
            raise PayloadError("the device refuses to scan")
        heard = member(answer, "result", "results")
        if not isinstance(heard, list) or len(heard) > _MAX_HEARD:
            raise PayloadError(f"expected at most {_MAX_HEARD} results of Wifi.Scan")
        for each in heard:
            if self._is_ours(each):
                found.signal(
                    member(each, "rssi"),
                    bssid=member(each, "bssid"),
                    ssid=member(each, "ssid"),
                    channel=member(each, "channel"),
                )

    def _is_ours(self, heard: object) -> bool:
        ssid, bssid = member(heard, "ssid"), member(heard, "bssid")
        if ssid is not None and ssid == self._ssid:
            return True
        try:
            return isinstance(bssid, str) and normalise_bssid(bssid) in self.site.access_points
        except ValueError:
            return False

    @classmethod
    def recognise(cls, message: Message) -> str | None:
        prefix, _, kind = message.topic.rpartition("/")
        if kind == "rpc" and prefix.endswith("/events"):
            known = str(member(message.document, "method")).startswith("Notify")
            return prefix.removesuffix("/events") if known else None
        own = prefix.removesuffix("/status")
        known = own != prefix and kind.partition(":")[0] in {*_COMPONENTS, _WIFI}
        return own if known and isinstance(message.document, dict) else None
