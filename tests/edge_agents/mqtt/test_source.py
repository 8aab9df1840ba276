"""Listening to a real local broker."""

from __future__ import annotations

import asyncio
import contextlib
import re
from collections.abc import Iterator
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from campuswatch.inventory.models import Device, LocalBroker, Mapping, MqttAddress
from edge_agents.sources.mqtt.decoded import Site
from edge_agents.sources.mqtt.decoders.mapping import MappingDecoder
from edge_agents.sources.mqtt.rejected import RejectedPayloads
from edge_agents.sources.mqtt.source import LocalBrokerSource
from tests.edge_agents.mqtt.listening import Publisher, Taker, listening
from tests.edge_agents.waiting import until
from tests.servers import Server, mosquitto, running

CLIMATE = Mapping.model_validate(
    {
        "id": "climate",
        "measurement": "environment",
        "fields": {"temperature": {"path": "$.temperature"}},
    }
)
BATTERY = Mapping.model_validate(
    {"id": "battery", "measurement": "device_health", "fields": {"battery": {"path": "$.battery"}}}
)


def device(name: str, interval: str = "60s") -> Device:
    return Device.model_validate(
        {
            "id": name,
            "name": name,
            "kind": "sensor",
            "interval": interval,
            "mqtt": [{"topic": f"zigbee2mqtt/{name}", "mapping": "climate"}],
        }
    )


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Server]:
    with running(mosquitto(tmp_path)) as server:
        yield server


@pytest.fixture
def devices(broker: Server) -> Iterator[Publisher]:
    with contextlib.closing(Publisher(broker.port)) as publisher:
        yield publisher


@pytest.fixture
def rejected(tmp_path: Path) -> RejectedPayloads:
    return RejectedPayloads(tmp_path / "rejected")


def new_source(
    broker: Server, rejected: RejectedPayloads, *filters: str, interval: str = "60s"
) -> LocalBrokerSource:
    site = Site(ZoneInfo("Asia/Shanghai"))
    return LocalBrokerSource(
        LocalBroker(url=f"mqtt://127.0.0.1:{broker.port}"),
        "agent",
        [
            MappingDecoder(
                device("climate-1", interval), MqttAddress(topic=topic, mapping="m"), site, mapping
            )
            for topic in filters
            for mapping in (CLIMATE, BATTERY)
        ],
        rejected,
    )


async def test_one_payload_feeds_several_mappings(
    broker: Server, devices: Publisher, rejected: RejectedPayloads
) -> None:
    taker = Taker()
    async with listening(new_source(broker, rejected, "zigbee2mqtt/+"), taker):
        devices.publish("zigbee2mqtt/climate-1", {"temperature": 21.5, "battery": 88})
        devices.publish("zigbee2mqtt/climate-1", {"temperature": 22})
        await until(lambda: taker.values("temperature") == [21.5, 22.0], "the readings")
    assert taker.values("battery") == [88.0]
    assert rejected.take_count() == 0


async def test_bad_payloads_are_kept_and_harm_nothing(
    broker: Server, devices: Publisher, rejected: RejectedPayloads, tmp_path: Path
) -> None:
    taker = Taker()
    bad = [b"{", b"", b"\xff", b"[" * 50_000, {"other": 1}, {"temperature": "warm"}, b"x" * 300_000]
    async with listening(new_source(broker, rejected, "zigbee2mqtt/#"), taker):
        for payload in bad:
            devices.publish("zigbee2mqtt/climate-1", payload)
        devices.publish("zigbee2mqtt/climate-1", {"temperature": 20})
        await until(lambda: taker.values("temperature") == [20.0], "the good payload")
    assert rejected.take_count() == len(bad)
    kept = (tmp_path / "rejected" / "rejected.jsonl").read_text().splitlines()
    assert len(kept) == len(bad)


async def test_messages_that_were_not_stored_come_again(
    broker: Server, devices: Publisher, rejected: RejectedPayloads
) -> None:
    taker = Taker()
    async with listening(new_source(broker, rejected, "zigbee2mqtt/+"), taker):
        devices.publish("zigbee2mqtt/climate-1", {"temperature": 1})
        await until(lambda: taker.values("temperature") == [1.0], "the first reading")
        taker.store()
        devices.publish("zigbee2mqtt/climate-1", {"temperature": 2})
        await until(lambda: taker.values("temperature") == [1.0, 2.0], "the second reading")
    devices.publish("zigbee2mqtt/climate-1", {"temperature": 3})
    successor = Taker()
    async with listening(new_source(broker, rejected, "zigbee2mqtt/+"), successor):
        await until(lambda: successor.values("temperature") == [2.0, 3.0], "what was not stored")


async def test_retained_messages_are_not_taken_for_news(
    broker: Server, devices: Publisher, rejected: RejectedPayloads
) -> None:
    devices.publish("zigbee2mqtt/climate-1", {"temperature": 1}, retain=True)
    taker = Taker()
    async with listening(new_source(broker, rejected, "zigbee2mqtt/+"), taker):
        devices.publish("zigbee2mqtt/climate-1", {"temperature": 2}, retain=True)
        await until(lambda: bool(taker.readings), "a reading")
    assert taker.values("temperature") == [2.0]


async def test_a_broker_that_comes_back_is_listened_to_again(
    broker: Server, rejected: RejectedPayloads
) -> None:
    taker = Taker()
    source = new_source(broker, rejected, "zigbee2mqtt/+")
    async with listening(source, taker):
        broker.kill()
        await until(lambda: source.listening_since() is None, "the loss")
        broker.start()
        await until(lambda: source.listening_since() is not None, "the subscription")
        with contextlib.closing(Publisher(broker.port)) as devices:
            devices.publish("zigbee2mqtt/climate-1", {"temperature": 4})
            await until(lambda: taker.values("temperature") == [4.0], "a reading")


async def test_nothing_is_said_of_a_device_before_it_could_be_heard(
    broker: Server, devices: Publisher, rejected: RejectedPayloads
) -> None:
    source = new_source(broker, rejected, "zigbee2mqtt/+")
    silence = source.availability(device("climate-1"))
    assert await silence.poll() == []
    taker = Taker()
    async with listening(source, taker):
        assert await silence.poll() == []
        devices.publish("zigbee2mqtt/climate-1", {"temperature": 2})
        await until(lambda: bool(taker.readings), "a reading")
        (reading,) = await silence.poll()
        assert reading.fields["up"] == 1
    assert await silence.poll() == []


async def test_silence_is_down_with_a_reason(
    broker: Server, devices: Publisher, rejected: RejectedPayloads
) -> None:
    source = new_source(broker, rejected, "zigbee2mqtt/+", interval="50ms")
    silence = source.availability(device("climate-1", "50ms"))
    async with listening(source, Taker()):
        await asyncio.sleep(0.2)  # the patience itself
        (reading,) = await silence.poll()
    assert reading.fields["up"] == 0
    assert re.fullmatch(
        r"silent for 0\.\d+ s, expected every 0\.05 s", str(reading.fields["reason"])
    )
