"""From `campuswatch push` through a real Mosquitto into a real agent, and what it says of it."""

from __future__ import annotations

import contextlib
import json
import os
import re
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from paho.mqtt.client import Client, MQTTv5
from paho.mqtt.enums import CallbackAPIVersion

from campuswatch.configuration.document import read_signed
from campuswatch.configuration.keys import create_keys, public_key
from campuswatch.lineprotocol import parse
from campuswatch.readings import Reading
from campuswatch.wire import Channel
from tests.edge_agents.district import ADDRESS, District, district
from tests.programs import COMMAND, Program
from tests.servers import Server, free_port, mosquitto, running, snmpd, wait_until

DISTRICT = """
id: demo
name: Demo district
timezone: Asia/Shanghai
country: CN
credentials:
  ours: {version: 2c, community: "env:TEST_COMMUNITY"}
  missing: {version: 2c, community: "env:TEST_NOT_SET"}
  theirs: {version: 2c, community: "file:secrets/south"}
"""
MAPPINGS = """
mappings:
  - {id: monitor, measurement: environment, time: $.time, fields: {noise: {path: $.db}}}
"""
NORTH = """
id: north
name: North School
area: rural
students: 60
agents: [{{id: north-1, broker: {{url: "mqtt://127.0.0.1:{local}"}}}}]
devices:
  - {{id: sw-1, name: Switch, kind: switch, address: 127.0.0.1, port: {port}, snmp: {credential},
     ping: false, interval: 500ms, timeout: 200ms, retries: 0}}
  - {{id: monitor-1, name: Monitor, kind: sensor, mqtt: [{{topic: monitor/one, mapping: monitor}}]}}
"""
SOUTH = """
id: south
name: South School
area: urban
students: 600
agents: [{id: south-1}]
devices:
  - {id: sw-2, name: Far switch, kind: switch, address: 192.0.2.1, snmp: theirs}
"""


@dataclass
class Office:
    """The district's office: the inventory, the key and `campuswatch push`."""

    directory: Path
    broker: int
    local: int
    device: int

    def describe(self, *, port: int | None = None, credential: str = "ours") -> None:
        """Write the inventory, with the switch at `port`."""
        config = self.directory / "config"
        (config / "schools").mkdir(parents=True, exist_ok=True)
        (config / "district.yaml").write_text(DISTRICT)
        (config / "calendar.yaml").write_text("calendars: [{id: default}, {id: other}]\n")
        (config / "mappings.yaml").write_text(MAPPINGS)
        (config / "schools" / "south.yaml").write_text(SOUTH)
        (config / "schools" / "north.yaml").write_text(
            NORTH.format(local=self.local, port=port or self.device, credential=credential)
        )
        (config / "settings.yaml").write_text(f"broker: {{url: 'mqtt://127.0.0.1:{self.broker}'}}")

    def run(self, *arguments: str, key: str = "keys") -> subprocess.CompletedProcess[str]:
        place = self.directory / key / "configuration.key"
        given = ["--config", str(self.directory / "config"), "--key", f"file:{place}", "--json"]
        return subprocess.run(
            [COMMAND, "push", *given, *arguments],
            capture_output=True,
            text=True,
            check=False,
        )

    def push(self, key: str = "keys") -> int:
        """Push to north-1 and return the version."""
        done = self.run("--agent", "north-1", key=key)
        assert done.returncode == 0, done.stderr
        (pushed,) = json.loads(done.stdout)
        version: int = pushed["version"]
        return version


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Server]:
    (tmp_path / "broker").mkdir()
    with running(mosquitto(tmp_path / "broker")) as server:
        yield server


@pytest.fixture
def local(tmp_path: Path) -> Iterator[Server]:
    (tmp_path / "local").mkdir()
    with running(mosquitto(tmp_path / "local")) as server:
        yield server


@pytest.fixture
def office(tmp_path: Path, broker: Server, local: Server) -> Iterator[Office]:
    create_keys(tmp_path / "keys")
    with running(snmpd(tmp_path)) as device:
        office = Office(tmp_path, broker.port, local.port, device.port)
        office.describe()
        yield office


@pytest.fixture
def collector(broker: Server) -> Iterator[District]:
    with district(broker.port) as there:
        yield there


@pytest.fixture
def agent(tmp_path: Path, broker: Server, monkeypatch: pytest.MonkeyPatch) -> Iterator[Program]:
    monkeypatch.setenv("TEST_COMMUNITY", "public")
    monkeypatch.delenv("TEST_NOT_SET", raising=False)
    config = tmp_path / "agent"
    config.mkdir()
    (config / "settings.yaml").write_text(
        f"data_dir: {tmp_path / 'data'}\n"
        f"broker: {{url: 'mqtt://127.0.0.1:{broker.port}'}}\n"
        "agent_configuration:\n"
        f"  public_key: file:{tmp_path / 'keys' / 'configuration.pub'}\n"
        "  trial: 3s\n  district: demo\n  school: north\n"
    )
    program = Program(
        *("agent", "--config", str(config), "--agent", "north-1"),
        log=tmp_path / "agent.log",
        ready="uplink up",
    )
    with running(program):
        yield program


def told(collector: District) -> dict[str, Any]:
    statuses = [each for each in collector.statuses if each.get("configuration")]
    return statuses[-1]["configuration"] if statuses else {}


def await_told(collector: District, condition: Callable[[dict[str, Any]], bool], what: str) -> None:
    wait_until(lambda: condition(told(collector)), f"{what}; it says {told(collector)}")


def await_version(collector: District, version: int) -> None:
    await_told(
        collector,
        lambda said: said.get("version") == version and said["trial"] is None,
        f"version {version} in force",
    )


def await_refusal(collector: District, pattern: str) -> dict[str, Any]:
    def refused(said: dict[str, Any]) -> bool:
        return bool(said.get("refused")) and bool(re.search(pattern, said["refused"]["reason"]))

    await_told(collector, refused, f"a refusal such as {pattern!r}")
    refusal: dict[str, Any] = told(collector)["refused"]
    return refusal


def readings(collector: District) -> list[Reading]:
    return [
        reading
        for line in collector.lines()
        for reading in parse(line)
        if isinstance(reading, Reading)
    ]


def ups(collector: District) -> int:
    return sum(
        reading.fields["up"] == 1
        for reading in readings(collector)
        if reading.measurement == "availability" and reading.tags["device"] == "sw-1"
    )


def await_more(collector: District) -> None:
    before = ups(collector)
    wait_until(lambda: ups(collector) > before, "the switch to be polled")


@contextlib.contextmanager
def publisher(port: int) -> Iterator[Callable[[str, bytes], None]]:
    """Publish retained messages as whoever has the operator's password could."""
    client = Client(CallbackAPIVersion.VERSION2, "", protocol=MQTTv5)
    client.connect("127.0.0.1", port)
    client.loop_start()

    def publish(topic: str, payload: bytes) -> None:
        client.publish(topic, payload, qos=1, retain=True).wait_for_publish(10)

    try:
        yield publish
    finally:
        client.disconnect()
        client.loop_stop()


def test_an_agent_without_an_inventory_is_configured_from_afar_and_starts_again_with_it(
    office: Office, agent: Program, collector: District, tmp_path: Path
) -> None:
    version = office.push()
    await_version(collector, version)
    await_more(collector)
    agent.kill()
    agent.start()
    await_version(collector, version)
    await_more(collector)
    kept = tmp_path / "data" / "agents" / "north-1" / "configuration"
    (signed,) = kept.glob("*.signed")
    reference = f"file:{tmp_path / 'keys' / 'configuration.pub'}"
    configuration = read_signed(signed.read_bytes(), public_key(reference))
    assert configuration.version == version
    everything = signed.read_text()
    assert "env:TEST_COMMUNITY" in everything
    for foreign in ("south", "sw-2", "192.0.2.1", "theirs", "other"):
        assert foreign not in everything
    assert "Traceback" not in agent.log.read_text()


def test_what_may_not_be_used_is_refused_and_the_work_goes_on(
    office: Office, agent: Program, collector: District, broker: Server, tmp_path: Path
) -> None:
    topic = ADDRESS.topic(Channel.COMMAND)
    kept = tmp_path / "data" / "agents" / "north-1" / "configuration"
    first = office.push()
    await_version(collector, first)
    old = (kept / f"{first}.signed").read_bytes()
    second = office.push()
    await_version(collector, second)
    with publisher(broker.port) as publish:
        publish(topic, old)
        await_refusal(collector, f"{first} is not newer than {second}")
        create_keys(tmp_path / "stranger")
        office.push(key="stranger")
        await_refusal(collector, "signature is not the district's")
        publish(topic, os.urandom(1000))
        await_refusal(collector, "no signature")
    office.describe(credential="missing")
    refused = office.push()
    said = await_refusal(collector, "TEST_NOT_SET")
    assert said["version"] == refused
    assert not said["rolled_back"]
    assert told(collector)["version"] == second
    await_more(collector)
    assert "Traceback" not in agent.log.read_text()


def test_an_agent_goes_back_when_nothing_answers_any_more_and_loses_no_reading(
    office: Office, agent: Program, collector: District, local: Server
) -> None:
    good = office.push()
    await_version(collector, good)
    wait_until(lambda: "local broker up" in agent.printed(), "the agent's subscription")
    await_more(collector)
    office.describe(port=free_port())
    with publisher(local.port) as publish:
        count = 0

        def speak() -> None:
            nonlocal count
            count += 1
            publish("monitor/one", json.dumps({"db": count}).encode())

        def speaks_until_it_goes_back() -> bool:
            speak()
            return "rolled back" in agent.printed()

        bad = office.push()
        wait_until(speaks_until_it_goes_back, "the agent to go back")
        speak()
    said = await_refusal(collector, "1 of 1 devices|no device answers")
    assert said["version"] == bad
    assert said["rolled_back"]
    assert told(collector)["version"] == good
    await_more(collector)

    def heard() -> set[int]:
        return {
            int(reading.fields["noise"])
            for reading in readings(collector)
            if reading.measurement == "environment"
        }

    wait_until(lambda: heard() == set(range(1, count + 1)), "every number of the monitor")
    seqs = collector.seqs()
    assert set(seqs) == set(range(1, max(seqs) + 1))
    # The broker still holds it, and hands it over at each connection.
    agent.stop()
    agent.start()
    await_version(collector, good)
    await_more(collector)
    assert "on trial" not in agent.printed()


def test_a_trial_that_was_cut_short_is_gone_through_again(
    office: Office, agent: Program, collector: District
) -> None:
    good = office.push()
    await_version(collector, good)
    await_more(collector)
    office.describe(port=free_port())
    bad = office.push()
    agent.await_print(f"on trial: version={bad}")
    agent.kill()
    agent.start()
    said = await_refusal(collector, "no device answers|devices that answered")
    assert said["rolled_back"]
    await_version(collector, good)
    await_more(collector)


def test_push_names_what_is_wrong(office: Office, broker: Server) -> None:
    assert "expected either --agent ID or --all" in office.run().stderr
    unknown = office.run("--agent", "west-1")
    assert unknown.returncode == 2
    assert "expected one of north-1, south-1" in unknown.stderr
    no_key = office.run("--all", key="nowhere")
    assert no_key.returncode == 2
    assert "No such file" in no_key.stderr
    broker.stop()
    away = office.run("--all")
    assert away.returncode == 2
    assert "Connection refused" in away.stderr
    assert "Traceback" not in away.stderr


def test_push_says_when_the_broker_refuses(office: Office, tmp_path: Path) -> None:
    (tmp_path / "closed").mkdir()
    (tmp_path / "closed" / "acl").write_text("topic read #\n")
    config = f"allow_anonymous true\nacl_file {tmp_path / 'closed' / 'acl'}\n"
    with running(mosquitto(tmp_path / "closed", config)) as closed:
        office.broker = closed.port
        office.describe()
        done = office.run("--all")
    assert done.returncode == 2
    assert "refused: Not authorized" in done.stderr
