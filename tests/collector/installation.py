"""A district with its own broker and store, and a publisher that counts."""

from __future__ import annotations

import contextlib
import json
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from paho.mqtt.client import Client, MQTTv5
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.properties import Properties

from campuswatch.inventory.loader import load_inventory
from campuswatch.readings import now_ns
from campuswatch.services import ServiceContext
from campuswatch.settings import load_settings
from campuswatch.stores.base import Aggregate, Query, Store
from campuswatch.wire import AgentAddress, Batch, Channel, Lane
from collector.service import Collector
from tests.programs import COMMAND, Program
from tests.servers import Server, wait_until

START = now_ns() // 10**9 * 10**9
"""Time of the first reading, nanoseconds UTC; later ones follow, one a nanosecond."""

_SCHOOL = """\
id: {id}
name: {id}
area: rural
students: 10
agents:
  - id: {id}-1
"""


class Installation:
    """The configuration of a district of two schools, `north` and `south`."""

    def __init__(
        self,
        directory: Path,
        district: str,
        broker: Server,
        store_url: str,
        collector: str = "{batch_lines: 200, batch_delay: 0.1, receive_maximum: 50}",
    ) -> None:
        self.district = district
        self.broker = broker
        self.data_dir = directory / "data"
        self.config = directory / "config"
        (self.config / "schools").mkdir(parents=True)
        self._write("district.yaml", f"id: {district}\nname: D\ntimezone: UTC\ncountry: CN\n")
        self._write("calendar.yaml", "calendars:\n  - id: default\n")
        for school in ("north", "south"):
            self._write(f"schools/{school}.yaml", _SCHOOL.format(id=school))
        self._write(
            "settings.yaml",
            f"data_dir: {self.data_dir}\n"
            f"broker:\n  url: mqtt://127.0.0.1:{broker.port}\n"
            f"store:\n  url: {store_url}\n"
            f"collector: {collector}\n",
        )

    def _write(self, name: str, text: str) -> None:
        (self.config / name).write_text(text)

    def collector(self, name: str = "c1") -> Program:
        return Program(
            *("collector", "--config", str(self.config), "--id", name),
            log=self.config.parent / f"{name}.log",
            ready=f"subscribed to $share/collectors/campus/v1/{self.district}",
        )

    @contextlib.contextmanager
    def collecting(self, store: Store) -> Iterator[None]:
        """Run a collector in this process, where nothing is to be killed."""
        failures: list[Exception] = []
        context = ServiceContext(
            self.config, load_inventory(self.config), load_settings(self.config), store
        )
        collector = Collector(context, store, failures.append)
        collector.start()
        try:
            wait_until(lambda: collector.ready, "the subscriptions")
            yield
        finally:
            collector.stop()
        assert not failures

    def audit(self, *options: str) -> tuple[int, list[dict[str, Any]]]:
        """Run `campuswatch audit --json`; return its exit code and its rows."""
        command = [COMMAND, "audit", "--config", str(self.config), "--json", *options]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.stdout, done.stderr
        return done.returncode, json.loads(done.stdout)

    def quarantined(self) -> list[dict[str, Any]]:
        files = sorted((self.data_dir / "quarantine").glob("*.jsonl"))
        return [json.loads(line) for file in files for line in file.read_text().splitlines()]

    def address(self, school: str = "north") -> AgentAddress:
        return AgentAddress(self.district, school, f"{school}-1")


class Publisher:
    """Sends numbered batches of numbered readings, as an agent does.

    It keeps every batch, because a broker that is killed may have forgotten
    what it acknowledged; see `send_again`.
    """

    def __init__(self, address: AgentAddress, broker: Server, lines: int = 25) -> None:
        self._address = address
        self._lines = lines
        self._batches: list[Batch] = []
        self._client = Client(
            CallbackAPIVersion.VERSION2, f"publisher-{address.district}", protocol=MQTTv5
        )
        self._client.reconnect_delay_set(1, 1)
        self._client.connect("127.0.0.1", broker.port)
        self._client.loop_start()

    def close(self) -> None:
        self._client.disconnect()
        self._client.loop_stop()

    @property
    def batches(self) -> int:
        """How many batches were sent, each counted once."""
        return len(self._batches)

    @property
    def readings(self) -> int:
        """How many readings were sent, each counted once."""
        return len(self._batches) * self._lines

    def send(self, batches: int = 1) -> None:
        """Make so many batches and send them; offline they wait in the client."""
        for _ in range(batches):
            first = self.readings
            lines = "".join(
                f"environment,device=s{number % 5} co2={number} {START + number}\n"
                for number in range(first, first + self._lines)
            )
            batch = Batch("stream-1", self.batches + 1, now_ns(), Lane.LIVE, lines.encode())
            self._batches.append(batch)
            self._publish(batch)

    @contextlib.contextmanager
    def streaming(self) -> Iterator[None]:
        """Send batch after batch in the background."""
        ended = threading.Event()

        def stream() -> None:
            while not ended.wait(0.02):
                self.send()

        thread = threading.Thread(target=stream)
        thread.start()
        try:
            yield
        finally:
            ended.set()
            thread.join()

    def send_again(self) -> None:
        """Send every batch once more."""
        for batch in self._batches:
            self._publish(batch)

    def send_raw(
        self, payload: bytes, *, properties: Properties | None = None, topic: str | None = None
    ) -> None:
        """Send a message of any kind."""
        topic = topic or self._address.topic(Channel.DATA)
        self._client.publish(topic, payload, qos=1, properties=properties)

    def _publish(self, batch: Batch) -> None:
        self.send_raw(batch.payload(), properties=batch.properties())


def stored(store: Store, measurement: str = "environment", field: str = "co2") -> int:
    """Return how many different readings are in the store."""
    return int(_summary(store, Aggregate.COUNT, measurement, field))


def stored_sum(store: Store) -> int:
    """Return the sum of the readings' numbers."""
    return int(_summary(store, Aggregate.SUM, "environment", "co2"))


def ledger(store: Store, field: str, aggregate: Aggregate = Aggregate.SUM) -> int:
    """Return a field of the ledger, summed up over all deliveries."""
    return int(_summary(store, aggregate, "delivery", field))


def _summary(store: Store, aggregate: Aggregate, measurement: str, field: str) -> float:
    series = store.query(
        Query(measurement, (field,), 10**18, now_ns() + 10**12, aggregate=aggregate)
    )
    value = series[0].columns[field][0] if series else 0
    assert isinstance(value, float | int)
    return value


def await_stored(store: Store, readings: int) -> None:
    wait_until(lambda: stored(store) >= readings, f"{readings} readings in the store")
