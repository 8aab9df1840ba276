"""A whole agent as its own process: real devices' protocols in, a real broker out."""

from __future__ import annotations

import contextlib
import json
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest
from paho.mqtt.client import Client, MQTTv5
from paho.mqtt.enums import CallbackAPIVersion

from campuswatch.lineprotocol import parse
from campuswatch.readings import Reading
from tests.edge_agents.district import District, district
from tests.servers import Server, mosquitto, running, snmpd, wait_until

DISTRICT = """
id: demo
name: Demo district
timezone: Asia/Shanghai
country: CN
credentials:
  legacy: {version: 2c, community: "env:TEST_COMMUNITY"}
"""
CALENDAR = "calendars: [{id: default}]\n"
MAPPINGS = """
mappings:
  - id: monitor
    measurement: environment
    time: $.time
    fields:
      noise: {path: $.db}
"""
SCHOOL = """
id: north
name: North School
area: rural
students: 60
agents:
  - id: north-1
    broker: {{url: "mqtt://127.0.0.1:{local}"}}
buildings:
  - id: main
    name: Main
    floors:
      - {{id: ground, name: Ground, level: 0, rooms: [{{id: r-1, name: One, seats: 20}}]}}
devices:
  - id: sw-1
    name: Switch
    kind: switch
    room: r-1
    address: 127.0.0.1
    port: {snmp}
    snmp: legacy
    interval: 500ms
  - id: monitor-1
    name: Monitor
    kind: sensor
    room: r-1
    interval: 1s
    mqtt: [{{topic: monitor/one, mapping: monitor}}]
"""


class AgentProcess:
    """`campuswatch agent`, started, killed and stopped at will."""

    def __init__(self, directory: Path) -> None:
        self._config = directory / "config"
        self.log = directory / "agent.log"
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                [
                    str(Path(sys.executable).with_name("campuswatch")),
                    *("agent", "--config", str(self._config), "--agent", "north-1"),
                ],
                stdout=log,
                stderr=log,
                env={"TEST_COMMUNITY": "public"},
            )

    def end(self, how: signal.Signals) -> int:
        assert self._process is not None
        self._process.send_signal(how)
        return self._process.wait(20)


@pytest.fixture
def local(tmp_path: Path) -> Iterator[Server]:
    (tmp_path / "local").mkdir()
    with running(mosquitto(tmp_path / "local")) as server:
        yield server


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Server]:
    (tmp_path / "broker").mkdir()
    # It writes its state to the disk when it is told to, and not before.
    config = "allow_anonymous true\nautosave_interval 0\nlog_type all\n"
    with running(mosquitto(tmp_path / "broker", config)) as server:
        yield server


@pytest.fixture
def collector(broker: Server) -> Iterator[District]:
    with district(broker.port) as there:
        yield there


@pytest.fixture
def agent(tmp_path: Path, local: Server, broker: Server) -> Iterator[AgentProcess]:
    with running(snmpd(tmp_path)) as device:
        config = tmp_path / "config"
        (config / "schools").mkdir(parents=True)
        (config / "district.yaml").write_text(DISTRICT)
        (config / "calendar.yaml").write_text(CALENDAR)
        (config / "mappings.yaml").write_text(MAPPINGS)
        (config / "schools" / "north.yaml").write_text(
            SCHOOL.format(local=local.port, snmp=device.port)
        )
        (config / "settings.yaml").write_text(
            f"data_dir: {tmp_path / 'data'}\nbroker: {{url: 'mqtt://127.0.0.1:{broker.port}'}}\n"
        )
        process = AgentProcess(tmp_path)
        process.start()
        try:
            yield process
        finally:
            process.end(signal.SIGKILL)


class Monitor:
    """A classroom device that numbers what it publishes, in the field `noise`."""

    def __init__(self, port: int) -> None:
        self._client = Client(CallbackAPIVersion.VERSION2, "monitor", protocol=MQTTv5)
        self._client.connect("127.0.0.1", port)
        self._client.loop_start()
        self.published = 0

    def publish(self, count: int) -> None:
        """Publish `count` messages and return once the local broker has them."""
        for _ in range(count):
            self.published += 1
            payload = json.dumps({"time": time.time(), "db": self.published})
            self._client.publish("monitor/one", payload, qos=1).wait_for_publish(10)

    def close(self) -> None:
        self._client.disconnect()
        self._client.loop_stop()


@pytest.fixture
def monitor(local: Server) -> Iterator[Monitor]:
    with contextlib.closing(Monitor(local.port)) as device:
        yield device


def readings(collector: District) -> list[Reading]:
    return [
        reading
        for line in collector.lines()
        for reading in parse(line)
        if isinstance(reading, Reading)
    ]


def heard(collector: District) -> dict[int, set[int]]:
    """Return the times with which each number of the monitor arrived."""
    found: dict[int, set[int]] = {}
    for reading in readings(collector):
        if reading.measurement == "environment":
            found.setdefault(int(reading.fields["noise"]), set()).add(reading.time)
    return found


def await_numbers(collector: District, monitor: Monitor) -> None:
    expected = set(range(1, monitor.published + 1))
    wait_until(lambda: heard(collector).keys() >= expected, "every number of the monitor")


def at_least(count: Callable[[], int], enough: int) -> bool:
    return count() >= enough


def await_listening(agent: AgentProcess) -> None:
    wait_until(lambda: "local broker up" in agent.log.read_text(), "the agent's subscription")


def test_kill_9_of_the_agent_loses_and_doubles_nothing(
    agent: AgentProcess, collector: District, monitor: Monitor
) -> None:
    await_listening(agent)
    for _ in range(3):
        monitor.publish(60)
        agent.end(signal.SIGKILL)
        monitor.publish(20)
        agent.start()
    monitor.publish(60)
    await_numbers(collector, monitor)
    assert monitor.published == 300
    assert all(len(times) == 1 for times in heard(collector).values())
    seqs = collector.seqs()
    assert set(seqs) == set(range(1, max(seqs) + 1))
    assert len({batch.stream for batch in collector.batches}) == 1


def test_kill_9_of_the_broker_loses_nothing_although_it_forgets(
    agent: AgentProcess, broker: Server, collector: District, monitor: Monitor
) -> None:
    def acknowledged() -> int:
        return len(
            re.findall(r"Sending PUBACK to agent-north-1 \(m\d+, rc0\)", broker.log.read_text())
        )

    await_listening(agent)
    monitor.publish(20)
    await_numbers(collector, monitor)
    for _ in range(3):
        # The collector is away: what the broker takes for it waits in its memory.
        collector.disconnect()
        enough = acknowledged() + 4
        monitor.publish(40)
        wait_until(partial(at_least, acknowledged, enough), "acknowledgements")
        broker.kill()
        broker.start()
        monitor.publish(20)
        collector.connect()
    await_numbers(collector, monitor)
    assert "sending them again" in agent.log.read_text()
    assert monitor.published == 200
    assert all(len(times) == 1 for times in heard(collector).values())
    seqs = collector.seqs()
    assert set(seqs) == set(range(1, max(seqs) + 1))


def test_polled_devices_and_the_agent_itself_report(
    agent: AgentProcess, collector: District
) -> None:
    def found() -> set[str]:
        return {reading.measurement for reading in readings(collector)}

    wait_until(lambda: found() >= {"availability", "device_info", "interface"}, "an SNMP poll")
    up = next(r for r in readings(collector) if r.measurement == "availability")
    assert up.tags == {"device": "sw-1", "room": "r-1"}
    assert up.fields["up"] == 1


def test_a_silent_device_is_down_and_up_again_when_it_speaks(
    agent: AgentProcess, collector: District, monitor: Monitor
) -> None:
    def states() -> list[object]:
        return [
            reading.fields["up"]
            for reading in readings(collector)
            if reading.measurement == "availability" and reading.tags["device"] == "monitor-1"
        ]

    wait_until(lambda: states()[-1:] == [0], "the device to be missed")

    def speaks_and_is_up() -> bool:
        monitor.publish(1)
        return states()[-1:] == [1]

    wait_until(speaks_and_is_up, "the device to be heard")


def test_sigterm_loses_nothing(
    agent: AgentProcess, collector: District, monitor: Monitor, tmp_path: Path
) -> None:
    await_listening(agent)
    monitor.publish(50)
    wait_until(lambda: 1 in heard(collector), "the first reading")
    assert agent.end(signal.SIGTERM) == 0
    collector.await_status(state="offline")
    # What it had not taken yet waits in the school's broker.
    agent.start()
    await_numbers(collector, monitor)
    assert "Traceback" not in agent.log.read_text()
