"""What devices of the known ecosystems publish, in their own words and units.

One product stands for each ecosystem, so that the inventory need not say what
a simulated device measures: Zigbee2MQTT is a climate sensor (or a contact, if
its id ends in `-door`), Tasmota and Shelly are plugs, a first-generation Shelly
is an H&T, ESPHome and Home Assistant discovery are air monitors, The Things
Stack and ChirpStack are LoRaWAN sensors, Sparkplug is a building's meter.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from campuswatch.inventory.models import Device, MqttAddress
from edge_agents.sources.mqtt.decoders.sparkplug_b import Payload
from simulator.rooms import Rooms, Values

Message = tuple[str, bytes]

_JOULES_A_KWH: Final = 3.6e6
_JOULES_A_WH: Final = 3600.0
_PASCALS: Final = 100.0
_DOUBLE: Final = 10  # a data type of Sparkplug
_BIRTHS: Final = 60.0
"""Seconds between a simulated edge node's births; it takes no commands."""


class _Feelings:
    """What one device feels at one moment."""

    def __init__(self, rooms: Rooms, device: Device, now: float) -> None:
        self._rooms = rooms
        self._device = device
        self.now = now
        self.received = dt.datetime.fromtimestamp(now, dt.UTC).isoformat()

    def of(self, measurement: str) -> Values:
        """Return the values of a measurement; {} if the device can't know."""
        return next(iter(self._rooms.values(self._device, measurement, self.now)), {})

    def number(self, measurement: str, field: str, digits: int = 1) -> float:
        """Return one value, rounded as devices do."""
        return round(float(self.of(measurement)[field]), digits)


class Ecosystems:
    """Makes the messages of devices that name a decoder."""

    def __init__(self, rooms: Rooms) -> None:
        self._rooms = rooms
        self._sequences: dict[str, int] = {}
        self._born: dict[str, float] = {}
        self._makers: Mapping[str, Callable[[str, Device, _Feelings], Iterator[Message]]] = {
            "zigbee2mqtt": _zigbee2mqtt,
            "tasmota": _tasmota,
            "shelly": _shelly,
            "shelly-gen1": _shelly_gen1,
            "esphome": _esphome,
            "homeassistant": _homeassistant,
            "the-things-stack": _the_things_stack,
            "chirpstack": _chirpstack,
            "sparkplug": self._sparkplug,
        }

    def messages(self, device: Device, address: MqttAddress, now: float) -> Iterator[Message]:
        """Yield what a device sends at a time; nothing if its ecosystem is not simulated."""
        maker = self._makers.get(address.decoder or "")
        if maker is not None:
            yield from maker(address.topic, device, _Feelings(self._rooms, device, now))

    def _sparkplug(self, topic: str, _: Device, felt: _Feelings) -> Iterator[Message]:
        group, node, own = topic.split("/")
        power = felt.of("power")
        metrics = {
            "Meter/Power": (1, float(power["power"]), "W"),
            "Meter/Voltage": (2, float(power["voltage"]), "V"),
            "Meter/Energy": (3, float(power["energy"]) / _JOULES_A_KWH, "kWh"),
        }
        if felt.now - self._born.get(topic, 0.0) >= _BIRTHS:
            self._born[topic] = felt.now
            self._sequences[topic] = 0
            yield f"spBv1.0/{group}/NBIRTH/{node}", self._payload(topic, {}, felt.now)
            birth = self._payload(topic, metrics, felt.now, named=True)
            yield f"spBv1.0/{group}/DBIRTH/{node}/{own}", birth
        else:
            yield f"spBv1.0/{group}/DDATA/{node}/{own}", self._payload(topic, metrics, felt.now)

    def _payload(
        self,
        topic: str,
        metrics: Mapping[str, tuple[int, float, str]],
        now: float,
        *,
        named: bool = False,
    ) -> bytes:
        payload = Payload(timestamp=int(now * 1000), seq=self._sequences[topic])
        self._sequences[topic] = (self._sequences[topic] + 1) % 256
        for name, (alias, value, unit) in metrics.items():
            metric = payload.metrics.add(alias=alias, datatype=_DOUBLE, double_value=value)
            if named:
                metric.name = name
                metric.properties.keys.append("engUnit")
                metric.properties.values.add(string_value=unit)
        data: bytes = payload.SerializeToString()
        return data


def _json(topic: str, document: Mapping[str, Any]) -> Message:
    return topic, json.dumps(document).encode()


def _zigbee2mqtt(topic: str, device: Device, felt: _Feelings) -> Iterator[Message]:
    health = {
        "battery": felt.number("device_health", "battery", 0),
        "voltage": round(1000 * felt.number("device_health", "battery_voltage", 3)),
        "linkquality": round(2.55 * felt.number("device_health", "link_quality")),
    }
    if device.id.endswith("-door"):
        contact = felt.of("presence")["door"] == 0
        yield _json(topic, {"contact": contact, **health})
        return
    climate = {name: felt.number("environment", name) for name in ("temperature", "humidity")}
    co2 = felt.number("environment", "co2", 0)
    yield _json(topic, {**climate, "co2": co2, **health})


def _tasmota(topic: str, _: Device, felt: _Feelings) -> Iterator[Message]:
    time = {"Time": felt.received[:19]}
    meter = {
        "Power": felt.number("power", "power", 0),
        "Voltage": felt.number("power", "voltage", 0),
        "Current": felt.number("power", "current", 3),
        "Total": round(felt.number("power", "energy") / _JOULES_A_KWH, 5),
    }
    yield _json(f"tele/{topic}/SENSOR", {**time, "ENERGY": meter})
    state = {**time, "POWER": "ON" if felt.of("power")["relay"] else "OFF"}
    if signal := felt.of("wifi_signal"):
        rssi = int(signal["rssi"])
        state["Wifi"] = {  # type: ignore[assignment]
            "SSId": signal["ssid"],
            "BSSId": str(signal["bssid"]).upper(),
            "Channel": signal["channel"],
            "RSSI": min(100, max(0, 2 * (rssi + 100))),
            "Signal": rssi,
        }
    yield _json(f"tele/{topic}/STATE", state)


def _shelly(topic: str, device: Device, felt: _Feelings) -> Iterator[Message]:
    switch = {
        "id": 0,
        "output": bool(felt.of("power")["relay"]),
        "apower": felt.number("power", "power"),
        "voltage": felt.number("power", "voltage"),
        "current": felt.number("power", "current", 3),
        "aenergy": {"total": round(felt.number("power", "energy") / _JOULES_A_WH, 3)},
    }
    params: dict[str, Any] = {"ts": round(felt.now, 2), "switch:0": switch}
    if signal := felt.of("wifi_signal"):
        params["wifi"] = {"status": "got ip", "ssid": signal["ssid"], "rssi": signal["rssi"]}
    frame = {"src": topic, "dst": f"{topic}/events", "method": "NotifyFullStatus", "params": params}
    yield _json(f"{topic}/events/rpc", frame)


def _shelly_gen1(topic: str, _: Device, felt: _Feelings) -> Iterator[Message]:
    for name, measurement in (("temperature", "environment"), ("humidity", "environment")):
        yield f"{topic}/sensor/{name}", str(felt.number(measurement, name)).encode()
    battery = felt.number("device_health", "battery", 0)
    yield f"{topic}/sensor/battery", str(int(battery)).encode()
    if signal := felt.of("wifi_signal"):
        station = {"connected": True, "ssid": signal["ssid"], "rssi": signal["rssi"]}
        yield _json(f"{topic}/info", {"wifi_sta": station, "bat": {"value": battery}})


def _esphome(topic: str, _: Device, felt: _Feelings) -> Iterator[Message]:
    if signal := felt.of("wifi_signal"):
        bssid = str(signal["bssid"]).upper()
        yield f"{topic}/text_sensor/connected_bssid/state", bssid.encode()
        yield f"{topic}/text_sensor/connected_ssid/state", str(signal["ssid"]).encode()
        yield f"{topic}/sensor/wifi_signal/state", str(signal["rssi"]).encode()
    for name, field in (("co2", "co2"), ("pm_2_5", "pm2_5"), ("noise_level", "noise")):
        value = felt.number("environment", field)
        yield f"{topic}/sensor/classroom_{name}/state", str(value).encode()


def _homeassistant(topic: str, device: Device, felt: _Feelings) -> Iterator[Message]:
    state = f"{topic}/state"
    for name, device_class, unit in (
        ("temperature", "temperature", "°C"),
        ("illuminance", "illuminance", "lx"),
    ):
        config = {
            "name": name.capitalize(),
            "stat_t": state,
            "dev_cla": device_class,
            "unit_of_meas": unit,
            "val_tpl": f"{{{{ value_json.{name} }}}}",
            "dev": {"ids": [topic], "name": device.name, "mf": "Example", "mdl": "Air monitor"},
        }
        yield _json(f"homeassistant/sensor/{topic}/{name}/config", config)
    names = ("temperature", "illuminance")
    yield _json(state, {name: felt.number("environment", name) for name in names})


def _the_things_stack(topic: str, _: Device, felt: _Feelings) -> Iterator[Message]:
    application, own = topic.split("/")[1].partition("@")[0], topic.rpartition("/")[2]
    decoded = {
        "temperature": felt.number("environment", "temperature"),
        "humidity": felt.number("environment", "humidity"),
        "co2": felt.number("environment", "co2", 0),
        "pressure": round(felt.number("environment", "pressure") / _PASCALS, 1),
    }
    uplink = {
        "f_port": 2,
        "decoded_payload": decoded,
        "rx_metadata": [{"gateway_ids": {"gateway_id": "roof"}, "rssi": -97, "snr": 6.5}],
    }
    ids = {"device_id": own, "application_ids": {"application_id": application}}
    document = {"end_device_ids": ids, "received_at": felt.received, "uplink_message": uplink}
    yield _json(f"{topic}/up", document)


def _chirpstack(topic: str, _: Device, felt: _Feelings) -> Iterator[Message]:
    levels = topic.split("/")
    event = {
        "time": felt.received,
        "deviceInfo": {"applicationId": levels[1], "devEui": levels[3]},
        "fPort": 85,
        "object": {
            "occupancy": "occupied" if felt.of("presence")["occupancy"] else "vacant",
            "people_count": felt.of("presence")["people"],
            "battery": felt.number("device_health", "battery", 0),
        },
        "rxInfo": [{"gatewayId": "0016c001f153a14c", "rssi": -92, "snr": 4.0}],
    }
    yield _json(f"{topic}/event/up", event)
