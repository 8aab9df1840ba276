"""The whole chain, as separate processes, each killed in turn in the middle of a run."""

from __future__ import annotations

import contextlib
import datetime as dt
import json
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from paho.mqtt.client import Client, MQTTv5
from paho.mqtt.enums import CallbackAPIVersion

from campuswatch.lineprotocol import parse
from campuswatch.measurements import CATALOGUE
from campuswatch.readings import FieldValue, Reading, now_ns
from campuswatch.stores.base import Aggregate, Query, Store, StoreUnavailableError
from campuswatch.stores.influxdb import InfluxDBStore
from campuswatch.wire import Lane
from edge_agents.spool import Spool
from tests.programs import COMMAND, Program
from tests.servers import Server, influxdb1, mosquitto, running, snmpd, wait_until

FILES = {
    "district.yaml": """
id: demo
name: Demo
timezone: Asia/Shanghai
country: CN
credentials:
  legacy: {version: 2c, community: "env:TEST_COMMUNITY"}
""",
    "calendar.yaml": "calendars: [{id: default}]\n",
    "mappings.yaml": """
mappings:
  - id: counter
    measurement: environment
    time: $.time
    fields:
      co2: {path: $.number}
""",
    "schools/north.yaml": """
id: north
name: North School
area: rural
students: 60
agents:
  - id: north-1
    broker: {url: "mqtt://127.0.0.1:%(local)d"}
buildings:
  - id: main
    name: Main
    floors:
      - {id: ground, name: Ground, level: 0, rooms: [{id: r-1, name: One, seats: 20}]}
devices:
  - id: sw-1
    name: Switch
    kind: switch
    room: r-1
    address: 127.0.0.1
    port: %(snmp)d
    snmp: legacy
    interval: 500ms
  - id: counter-1
    name: Counter
    kind: sensor
    room: r-1
    mqtt: [{topic: counter, mapping: counter}]
""",
    "settings.yaml": """
data_dir: %(data)s
broker: {url: "mqtt://127.0.0.1:%(broker)d"}
store: {url: "influxdb://127.0.0.1:%(influxdb)d/demo"}
collector: {id: c1}
""",
}


class CountingDevice:
    """Publishes 0, 1, 2, ... to its school's broker, each with a time of its own."""

    def __init__(self, port: int) -> None:
        self.published = 0
        self._begun = dt.datetime.now(dt.UTC)
        self._client = Client(CallbackAPIVersion.VERSION2, "counter-1", protocol=MQTTv5)
        self._client.connect("127.0.0.1", port)
        self._client.loop_start()

    def await_more(self, count: int) -> None:
        least = self.published + count
        wait_until(lambda: self.published >= least, "more numbers")

    @contextlib.contextmanager
    def publishing(self) -> Iterator[None]:
        """Publish in the background; everything is with the broker in the end."""
        ended = threading.Event()

        def publish() -> None:
            while not ended.wait(0.02):
                time = self._begun + dt.timedelta(milliseconds=self.published)
                payload = json.dumps({"number": self.published, "time": time.isoformat()})
                self._client.publish("counter", payload, qos=1).wait_for_publish(10)
                self.published += 1

        thread = threading.Thread(target=publish)
        thread.start()
        try:
            yield
        finally:
            ended.set()
            thread.join()
            self._client.disconnect()
            self._client.loop_stop()


@pytest.fixture
def servers(tmp_path: Path) -> Iterator[dict[str, Server]]:
    """Run the four servers: the switch, the school's broker, the district's, the store."""
    with contextlib.ExitStack() as stack:
        for name in ("snmp", "local", "broker", "influxdb"):
            (tmp_path / name).mkdir()
        servers = {
            "snmp": snmpd(tmp_path / "snmp"),
            "local": mosquitto(tmp_path / "local"),
            "broker": mosquitto(tmp_path / "broker"),
            "influxdb": influxdb1(tmp_path / "influxdb"),
        }
        for server in servers.values():
            stack.enter_context(running(server))
        yield servers


@pytest.fixture
def config(tmp_path: Path, servers: dict[str, Server], monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("TEST_COMMUNITY", "public")
    values = {name: server.port for name, server in servers.items()}
    directory = tmp_path / "config"
    (directory / "schools").mkdir(parents=True)
    for name, text in FILES.items():
        (directory / name).write_text(text % {**values, "data": tmp_path / "data"})
    return directory


@pytest.fixture
def store(servers: dict[str, Server]) -> Iterator[Store]:
    store = InfluxDBStore(f"http://127.0.0.1:{servers['influxdb'].port}", "demo")
    yield store
    store.close()


@pytest.mark.timeout(300)
def test_every_part_is_killed_in_turn_and_nothing_is_lost(
    tmp_path: Path, servers: dict[str, Server], config: Path, store: Store
) -> None:
    collector = Program(
        *("collector", "--config", str(config)),
        log=tmp_path / "collector.log",
        ready="subscribed to $share",
    )
    agent = Program(
        *("agent", "--config", str(config), "--agent", "north-1"),
        log=tmp_path / "agent.log",
        ready="local broker up",
    )
    parts = {
        "agent": agent,
        "broker": servers["broker"],
        "collector": collector,
        "store": servers["influxdb"],
    }
    device = CountingDevice(servers["local"].port)
    with running(collector):
        with running(agent):
            with device.publishing():
                await_numbers(store, 50)
                for part in parts.values():
                    part.kill()
                    device.await_more(50)
                    part.start()
                    await_numbers(store, device.published)
            await_numbers(store, device.published)
        # The agent is stopped, so that what it made is in its spool for us to read.
        made = spooled(tmp_path / "data" / "agents" / "north-1" / "spool.sqlite")
        wait_until(lambda: stored(store) == made, "all that the agent made")
    numbers = [fields["co2"] for (name, _, _), fields in made.items() if name == "environment"]
    assert sorted(numbers) == list(range(device.published))
    assert {name for name, _, _ in made} >= {"interface", "availability", "device_info", "agent"}
    row = audit(config)
    assert (row["missing"], row["dropped"], row["waiting"]) == (0, 0, 0)
    assert row["stored"] == row["sent"]
    assert all("Traceback" not in part.log.read_text() for part in (agent, collector))


Points = dict[tuple[str, frozenset[tuple[str, str]], int], dict[str, FieldValue]]
"""Fields by measurement, tags and time."""


def spooled(path: Path) -> Points:
    """Return every reading that the agent has made."""
    points: Points = {}
    with contextlib.closing(Spool(path, max_bytes=10**9, max_age=10**6)) as spool:
        state = spool.state()
        for seq in range(1, state.last_seq + 1):
            batch = spool.read(state.stream, seq, Lane.LIVE)
            assert batch is not None
            for reading in parse(batch.lines):
                assert isinstance(reading, Reading)
                identity = (reading.measurement, frozenset(reading.tags.items()), reading.time)
                points.setdefault(identity, {}).update(reading.fields)
    return points


def stored(store: Store) -> Points:
    """Return every reading of the agent that is in the store."""
    points: Points = {}
    for name, measurement in CATALOGUE.items():
        if name in {"delivery", "agent_status", "collector"}:
            continue
        query = Query(
            name,
            tuple(measurement.fields),
            10**18,
            now_ns() + 10**12,
            where={"school": ["north"], "agent": ["north-1"]},
            group_by=measurement.tags,
        )
        for series in store.query(query):
            tags = frozenset((key, value) for key, value in series.tags.items() if value)
            for row, time in enumerate(series.times):
                found = ((field, column[row]) for field, column in series.columns.items())
                points[name, tags, time] = {k: v for k, v in found if v is not None}
    return points


def await_numbers(store: Store, least: int) -> None:
    def arrived() -> bool:
        query = Query("environment", ("co2",), 10**18, now_ns() + 10**13, aggregate=Aggregate.COUNT)
        with contextlib.suppress(StoreUnavailableError):
            return any(int(str(each.columns["co2"][0])) >= least for each in store.query(query))
        return False

    wait_until(arrived, f"{least} numbers in the store", timeout=60)


def audit(config: Path) -> dict[str, Any]:
    command = [COMMAND, "audit", "--config", str(config), "--json"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    [row] = json.loads(done.stdout)
    assert isinstance(row, dict)
    return row
