"""Listing the devices that a broker has and the inventory does not."""

from __future__ import annotations

import contextlib
import json
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from campuswatch.inventory.documents import read_document
from edge_agents.sources.mqtt.decoders.registry import installed
from edge_agents.sources.mqtt.routes import Routes
from edge_agents.sources.mqtt.seen import Seen
from tests.edge_agents.mqtt.listening import Publisher
from tests.edge_agents.mqtt.reading import decoder, message, site
from tests.programs import COMMAND
from tests.servers import Server, mosquitto, running

SCHOOL = """
id: north
name: North School
area: rural
students: 60
agents:
  - id: north-1
    broker: {{url: "mqtt://127.0.0.1:{port}"}}
devices:
  - {{id: plug-1, name: Plug, kind: sensor, mqtt: {{decoder: tasmota, topic: plug-1}}}}
"""


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Server]:
    with running(mosquitto(tmp_path)) as server:
        yield server


@pytest.fixture
def config(tmp_path: Path, broker: Server) -> Path:
    directory = tmp_path / "config"
    (directory / "schools").mkdir(parents=True)
    (directory / "district.yaml").write_text(
        "{id: demo, name: Demo, timezone: Asia/Shanghai, country: CN}\n"
    )
    (directory / "calendar.yaml").write_text("calendars: [{id: default}]\n")
    (directory / "schools" / "north.yaml").write_text(SCHOOL.format(port=broker.port))
    return directory


def run(config: Path, *more: str) -> subprocess.CompletedProcess[str]:
    command = [COMMAND, "mqtt", "seen", "--config", str(config), "--agent", "north-1", *more]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)


def test_unknown_devices_are_printed_as_they_would_be_declared(
    broker: Server, config: Path, tmp_path: Path
) -> None:
    with contextlib.closing(Publisher(broker.port)) as devices:
        for topic, payload in (
            ("tele/plug-1/STATE", {"Time": "x", "POWER": "ON"}),
            ("tele/plug-2/STATE", {"Time": "x", "POWER": "ON"}),
            ("zigbee2mqtt/hall: climate", {"temperature": 20, "linkquality": 90}),
            ("something/else", {"x": 1}),
        ):
            devices.publish(topic, payload, retain=True)
    printed = run(config, "--seconds", "1")
    assert printed.returncode == 0
    assert '#   "something/else": \'{"x": 1}\'' in printed.stdout
    assert "plug-1" not in printed.stdout
    yaml = tmp_path / "found.yaml"
    yaml.write_text("devices:\n" + printed.stdout.replace("room: ?, ", ""))
    data = read_document(yaml).data
    assert isinstance(data, dict)
    assert [device["mqtt"] for device in data["devices"]] == [
        {"decoder": "tasmota", "topic": "plug-2"},
        {"decoder": "zigbee2mqtt", "topic": "zigbee2mqtt/hall: climate"},
    ]
    found = json.loads(run(config, "--seconds", "1", "--json").stdout)
    assert [device["fields"] for device in found["devices"]] == [
        ["power.relay"],
        ["device_health.link_quality", "environment.temperature"],
    ]


def test_a_broker_that_is_away(broker: Server, config: Path) -> None:
    broker.kill()
    failed = run(config, "--seconds", "1")
    assert failed.returncode == 2
    assert "Connection refused" in failed.stderr
    assert "Traceback" not in failed.stderr


def test_what_belongs_to_a_device_is_not_listed_again() -> None:
    declared = Routes()
    plug = decoder("tasmota", topic="plug-1")
    for topic in plug.topics:
        declared.add(topic, plug)
    seen = Seen(installed(), declared, site())
    config = {"stat_t": "bed/t", "dev_cla": "temperature", "unit_of_meas": "°C"}
    for where, payload in (
        ("stat/plug-1/RESULT", {"POWER": "ON"}),
        ("bed/t", "20"),
        ("homeassistant/sensor/bedroom/t/config", config),
        ("bed/t", "21"),
        ("other", "1"),
    ):
        seen.take(message(where, payload))
    assert [topic.topic for topic in seen.unknown_topics()] == ["other"]
    (device,) = seen.devices.values()
    assert (device.decoder, device.id, device.fields) == (
        "homeassistant",
        "bedroom",
        {"environment.temperature"},
    )


def test_ids_are_made_of_topics() -> None:
    seen = Seen(installed(), Routes(), site())
    for name in ("a/计算机", "b/Plug 1", "c/Plug 1"):
        seen.take(message(f"tele/{name}/STATE", {"Time": "x"}))
    assert [device.id for device in seen.devices.values()] == ["device", "plug-1", "c-plug-1"]
