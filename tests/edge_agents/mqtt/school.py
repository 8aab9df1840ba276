"""A school of many devices of all ecosystems, whose every value says which device sent it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from edge_agents.sources.mqtt.decoders.sparkplug_b import Payload

Message = tuple[str, bytes]
Fields = Mapping[str, float | int | str]
Expected = list[tuple[str, Fields]]

_NODE_DEVICES: Final = 10
_FLOAT: Final = 9
_BSSID: Final = "DE:AD:BE:EF:00:01"


@dataclass(frozen=True)
class SimulatedDevice:
    """One device.

    Attributes:
        number: its place among all.
        decoder: its ecosystem.
        topic: as the inventory has it.
    """

    number: int
    decoder: str
    topic: str

    @property
    def id(self) -> str:
        return f"dev-{self.number}"


class SimulatedSchool:
    """Devices of every ecosystem in turn."""

    def __init__(self, count: int) -> None:
        topics = list(_TOPICS.items())
        self.devices = []
        for number in range(count):
            decoder, topic = topics[number % len(topics)]
            place = topic.format(number=number, node=number // (len(topics) * _NODE_DEVICES))
            self.devices.append(SimulatedDevice(number, decoder, place))
        self._sequences: dict[str, int] = {}

    def write(self, directory: Path, *, local: int, district: int) -> None:
        """Write the configuration of a district with this school.

        Args:
            directory: where to; data goes to its sibling `data`.
            local: port of the school's broker.
            district: port of the district's broker.
        """
        (directory / "schools").mkdir(parents=True)
        school = {
            "id": "north",
            "name": "North School",
            "area": "rural",
            "students": 60,
            "agents": [{"id": "north-1", "broker": {"url": f"mqtt://127.0.0.1:{local}"}}],
            "devices": [
                {
                    "id": device.id,
                    "name": device.id,
                    "kind": "sensor",
                    "mqtt": {"decoder": device.decoder, "topic": device.topic},
                }
                for device in self.devices
            ],
        }
        settings = {
            "data_dir": str(directory.parent / "data"),
            "broker": {"url": f"mqtt://127.0.0.1:{district}"},
        }
        files: dict[str, Any] = {
            "district": {
                "id": "demo",
                "name": "Demo",
                "timezone": "Asia/Shanghai",
                "country": "CN",
            },
            "calendar": {"calendars": [{"id": "default"}]},
            "settings": settings,
            "schools/north": school,
        }
        for name, content in files.items():
            (directory / f"{name}.yaml").write_text(json.dumps(content))

    def births(self) -> Iterator[Message]:
        """Yield what devices send once: Home Assistant's discovery, then Sparkplug's births."""
        for device in self.of("homeassistant"):
            config = {"stat_t": f"{device.topic}/state", "dev_cla": "temperature"}
            topic = f"homeassistant/sensor/{device.topic}/t/config"
            yield topic, json.dumps(config).encode()
        for device in self.of("sparkplug"):
            group, node, own = device.topic.split("/")
            if node not in self._sequences:
                yield f"spBv1.0/{group}/NBIRTH/{node}", self._sparkplug(node, None, named=True)
            birth = self._sparkplug(node, 0.0, named=True)
            yield f"spBv1.0/{group}/DBIRTH/{node}/{own}", birth

    def of(self, decoder: str) -> list[SimulatedDevice]:
        """Return the devices of one ecosystem."""
        return [device for device in self.devices if device.decoder == decoder]

    def round(self, turn: int) -> Iterator[Message]:
        """Yield what every device sends in one interval; each turn has other values."""
        for device in self.devices:
            value = self.value(device, turn)
            if device.decoder == "sparkplug":
                group, node, own = device.topic.split("/")
                data = self._sparkplug(node, value, named=False)
                yield f"spBv1.0/{group}/DDATA/{node}/{own}", data
            else:
                for topic, payload in _MAKERS[device.decoder](device.topic, value):
                    yield (
                        topic,
                        payload if isinstance(payload, bytes) else json.dumps(payload).encode(),
                    )

    def expected(self, turn: int) -> set[tuple[str, str, str, float | int | str]]:
        """Return device, measurement, field and value of all that a turn must become."""
        return {
            (device.id, measurement, name, value)
            for device in self.devices
            for measurement, fields in _EXPECTED[device.decoder](self.value(device, turn))
            for name, value in fields.items()
        }

    def value(self, device: SimulatedDevice, turn: int) -> float:
        """Return a number between 0 and 64, exact in binary."""
        return (device.number + 31 * turn) % 256 / 4

    def _sparkplug(self, node: str, value: float | None, *, named: bool) -> bytes:
        seq = self._sequences.get(node, 0)
        self._sequences[node] = (seq + 1) % 256
        payload = Payload(timestamp=0, seq=seq)
        if value is not None:
            metric = payload.metrics.add(alias=1, datatype=_FLOAT, float_value=value)
            if named:
                metric.name = "Environment/Temperature"
        data: bytes = payload.SerializeToString()
        return data


_TOPICS: Final = {
    "zigbee2mqtt": "zigbee2mqtt/dev-{number}",
    "tasmota": "dev-{number}",
    "shelly": "shelly-{number}",
    "shelly-gen1": "shellies/dev-{number}",
    "esphome": "esp-{number}",
    "homeassistant": "ha-{number}",
    "the-things-stack": "v3/app@tenant/devices/dev-{number}",
    "chirpstack": "application/app/device/{number:016x}",
    "sparkplug": "school/node-{node}/dev-{number}",
}


def _tasmota(topic: str, value: float) -> Iterator[tuple[str, object]]:
    wifi = {"SSId": "campus", "BSSId": _BSSID, "Channel": 6, "RSSI": 80, "Signal": -60}
    yield f"tele/{topic}/STATE", {"Time": "x", "POWER": "ON", "Wifi": wifi}
    yield f"tele/{topic}/SENSOR", {"Time": "x", "ENERGY": {"Power": value, "Total": value}}


def _shelly(topic: str, value: float) -> Iterator[tuple[str, object]]:
    params = {"switch:0": {"apower": value, "output": True}, "wifi": {"rssi": -61}}
    yield f"{topic}/events/rpc", {"method": "NotifyFullStatus", "params": params}


_MAKERS: Final[Mapping[str, Callable[[str, float], Iterator[tuple[str, object]]]]] = {
    "zigbee2mqtt": lambda topic, value: iter([(topic, {"temperature": value, "linkquality": 51})]),
    "tasmota": _tasmota,
    "shelly": _shelly,
    "shelly-gen1": lambda topic, value: iter([(f"{topic}/sensor/temperature", value)]),
    "esphome": lambda topic, value: iter([(f"{topic}/sensor/room_co2/state", value)]),
    "homeassistant": lambda topic, value: iter([(f"{topic}/state", value)]),
    "the-things-stack": lambda topic, value: iter(
        [(f"{topic}/up", {"uplink_message": {"decoded_payload": {"co2": value}}})]
    ),
    "chirpstack": lambda topic, value: iter(
        [(f"{topic}/event/up", {"object": {"co2": value, "occupancy": "vacant"}})]
    ),
}

_EXPECTED: Final[Mapping[str, Callable[[float], Expected]]] = {
    "zigbee2mqtt": lambda value: [
        ("environment", {"temperature": value}),
        ("device_health", {"link_quality": 20.0}),
    ],
    "tasmota": lambda value: [
        ("power", {"relay": 1, "power": value, "energy": value * 3.6e6}),
        ("wifi_signal", {"rssi": -60.0, "channel": 6, "ssid": "campus"}),
    ],
    "shelly": lambda value: [
        ("power", {"relay": 1, "power": value}),
        ("wifi_signal", {"rssi": -61.0}),
    ],
    "shelly-gen1": lambda value: [("environment", {"temperature": value})],
    "esphome": lambda value: [("environment", {"co2": value})],
    "homeassistant": lambda value: [("environment", {"temperature": value})],
    "the-things-stack": lambda value: [("environment", {"co2": value})],
    "chirpstack": lambda value: [("environment", {"co2": value}), ("presence", {"occupancy": 0})],
    "sparkplug": lambda value: [("environment", {"temperature": value})],
}
