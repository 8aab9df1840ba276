"""Devices of several ecosystems on a real broker."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from paho.mqtt.client import Client, MQTTMessage, MQTTv5
from paho.mqtt.enums import CallbackAPIVersion

from campuswatch.inventory.models import Device, LocalBroker
from edge_agents.sources.mqtt.decoded import Decoded, Topic
from edge_agents.sources.mqtt.decoders.base import Decoder
from edge_agents.sources.mqtt.decoders.registry import decoders_of
from edge_agents.sources.mqtt.decoders.sparkplug_b import Payload
from edge_agents.sources.mqtt.messages import Message
from edge_agents.sources.mqtt.rejected import RejectedPayloads
from edge_agents.sources.mqtt.source import LocalBrokerSource
from tests.edge_agents.mqtt.listening import Publisher, Taker, listening
from tests.edge_agents.mqtt.reading import site
from tests.edge_agents.mqtt.test_sparkplug import ddata
from tests.edge_agents.waiting import until
from tests.servers import Server, mosquitto, running


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Server]:
    with running(mosquitto(tmp_path)) as server:
        yield server


@pytest.fixture
def devices(broker: Server) -> Iterator[Publisher]:
    with contextlib.closing(Publisher(broker.port)) as publisher:
        yield publisher


def device(**address: Any) -> Device:
    return Device.model_validate(
        {"id": "dev-1", "name": "Device", "kind": "sensor", "room": "r-1", "mqtt": address}
    )


def source_of(broker: Server, tmp_path: Path, *decoders: Decoder) -> LocalBrokerSource:
    url = f"mqtt://127.0.0.1:{broker.port}"
    rejected = RejectedPayloads(tmp_path / "rejected")
    return LocalBrokerSource(LocalBroker(url=url), "agent", decoders, rejected)


async def test_a_will_that_the_broker_kept_is_heard_and_data_takes_it_back(
    broker: Server, devices: Publisher, tmp_path: Path
) -> None:
    plug = device(decoder="tasmota", topic="plug")
    devices.publish("tele/plug/LWT", b"Offline", retain=True)
    devices.publish("tele/plug/STATE", {"Time": "x", "POWER": "ON"}, retain=True)
    source, taker = source_of(broker, tmp_path, *decoders_of(plug, site(), {})), Taker()
    availability = source.availability(plug)
    async with listening(source, taker):
        devices.publish("tele/other/STATE", {"Time": "x"})
        await until(lambda: source.presence(plug).ended, "the last will")
        (down,) = await availability.poll()
        assert (down.fields["up"], down.fields["reason"]) == (0, "last will: Offline")
        assert taker.readings == []
        devices.publish("tele/plug/STATE", {"Time": "x", "POWER": "OFF"})
        await until(lambda: taker.values("relay") == [0], "the plug")
        (up,) = await availability.poll()
        assert (up.fields["up"], up.tags) == (1, {"device": "dev-1", "room": "r-1"})


async def test_a_real_last_will(broker: Server, tmp_path: Path) -> None:
    plug = device(decoder="tasmota", topic="plug")
    source = source_of(broker, tmp_path, *decoders_of(plug, site(), {}))
    dying = Client(CallbackAPIVersion.VERSION2, "plug")
    dying.will_set("tele/plug/LWT", "Offline", qos=1, retain=True)
    async with listening(source, Taker()):
        dying.connect("127.0.0.1", broker.port)
        dying.loop_start()
        dying.publish("tele/plug/LWT", "Online", qos=1, retain=True).wait_for_publish(10)
        sock: Any = dying.socket()
        sock.close()  # without a DISCONNECT
        await until(lambda: source.presence(plug).ended, "the last will")
    dying.loop_stop()


async def test_a_device_that_describes_itself_is_followed(
    broker: Server, devices: Publisher, tmp_path: Path
) -> None:
    air = device(decoder="homeassistant", topic="air")
    config = {"stat_t": "air/now", "dev_cla": "temperature", "unit_of_meas": "°C"}
    devices.publish("homeassistant/sensor/air/t/config", config, retain=True)
    source, taker = source_of(broker, tmp_path, *decoders_of(air, site(), {})), Taker()
    async with listening(source, taker):

        def published() -> bool:
            devices.publish("air/now", b"21.5")
            return bool(taker.values("temperature"))

        await until(published, "the temperature")
    async with listening(source, taker):  # a new connection, and the topics are still known
        devices.publish("air/now", b"22.5")
        await until(lambda: 22.5 in taker.values("temperature"), "the temperature again")


async def test_an_edge_node_is_asked_for_its_birth(
    broker: Server, devices: Publisher, tmp_path: Path
) -> None:
    meter = device(decoder="sparkplug", topic="school/gateway/dev")
    source = source_of(broker, tmp_path, *decoders_of(meter, site(), {}))
    asked: list[str] = []
    node = Client(CallbackAPIVersion.VERSION2, "gateway", protocol=MQTTv5)
    node.on_message = lambda _c, _u, given: asked.extend(
        metric.name for metric in Payload.FromString(given.payload).metrics
    )
    node.connect("127.0.0.1", broker.port)
    node.subscribe("spBv1.0/school/NCMD/gateway", qos=1)
    node.loop_start()
    async with listening(source, Taker()):
        stray = ddata(5, 20.0)
        devices.publish(stray.topic, stray.payload)
        await until(lambda: asked == ["Node Control/Rebirth"], "the request")
    node.loop_stop()


async def test_a_shelly_is_asked_to_scan(
    broker: Server, devices: Publisher, tmp_path: Path
) -> None:
    plug = device(decoder="shelly", topic="shelly-1", scan="100ms")
    source, taker = source_of(broker, tmp_path, *decoders_of(plug, site(), {})), Taker()
    shelly = Client(CallbackAPIVersion.VERSION2, "shelly", protocol=MQTTv5)
    heard = [{"ssid": "campus", "bssid": "DE:AD:BE:EF:00:01", "channel": 36, "rssi": -60}]
    answer = json.dumps({"id": 1, "src": "shelly-1", "result": {"results": heard}})

    def scan(client: Client, _data: object, _request: MQTTMessage) -> None:
        client.publish("campuswatch/dev-1/rpc", answer)

    shelly.on_message = scan
    shelly.connect("127.0.0.1", broker.port)
    shelly.subscribe("shelly-1/rpc", qos=1)
    shelly.loop_start()
    async with listening(source, taker):
        await until(lambda: bool(taker.values("rssi")), "the answer")
    shelly.loop_stop()
    assert taker.readings[0].tags["ap"] == "ap-1"


class Broken(Decoder):
    """A decoder with a fault of its own."""

    @property
    def topics(self) -> list[Topic]:
        return [Topic("dev")]

    def decode(self, message: Message) -> Decoded:
        raise ZeroDivisionError


async def test_a_faulty_decoder_does_not_stop_the_others(
    broker: Server, devices: Publisher, tmp_path: Path
) -> None:
    sensor = device(decoder="zigbee2mqtt", topic="dev")
    good = list(decoders_of(sensor, site(), {}))
    broken = Broken(sensor, sensor.mqtt[0], site())
    taker = Taker()
    rejected = RejectedPayloads(tmp_path / "rejected")
    source = LocalBrokerSource(
        LocalBroker(url=f"mqtt://127.0.0.1:{broker.port}"), "agent", [broken, *good], rejected
    )
    async with listening(source, taker):
        devices.publish("dev", {"temperature": 20})
        await until(lambda: taker.values("temperature") == [20.0], "the reading")
    assert rejected.take_count() == 1


async def test_topics_that_nobody_reads_any_more_are_no_rejected_payloads(
    broker: Server, devices: Publisher, tmp_path: Path
) -> None:
    old, new = device(decoder="tasmota", topic="old"), device(decoder="tasmota", topic="new")
    async with listening(source_of(broker, tmp_path, *decoders_of(old, site(), {})), Taker()):
        pass
    taker = Taker()  # the session still subscribes to the old device
    source = source_of(broker, tmp_path, *decoders_of(new, site(), {}))
    async with listening(source, taker):
        devices.publish("tele/old/STATE", {"Time": "x", "POWER": "ON"})
        devices.publish("tele/new/STATE", {"Time": "x", "POWER": "ON"})
        await until(lambda: taker.values("relay") == [1], "the new plug")
    assert not (tmp_path / "rejected").exists()
