"""How many lines a second go from MQTT into InfluxDB, next to that InfluxDB's own rate.

The same lines go into the same server, in turns, each time into a new
database: once posted straight to it, in requests of the collector's size and
as many at a time as the collector has writers; once through Mosquitto and
`campuswatch collector` with its default settings. The broker holds all batches
when the clock starts, because agents publish from other machines. Mosquitto,
the collector and InfluxDB share the processors. What counts is the time until
the last line is in the store, and both databases must hold every line.

    python -m benchmarks.ingest
"""

from __future__ import annotations

import argparse
import platform
import statistics
import tempfile
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import httpx
import psutil
from paho.mqtt.client import Client, MQTTv5
from paho.mqtt.enums import CallbackAPIVersion

from campuswatch.lineprotocol import encode
from campuswatch.measurements import CATALOGUE
from campuswatch.readings import now_ns
from campuswatch.settings import CollectorSettings
from campuswatch.stores.base import Aggregate
from campuswatch.stores.influxdb import InfluxDBStore
from campuswatch.wire import AgentAddress, Batch, Channel, Lane
from collector.stamping import stamp
from tests.collector.installation import Installation, ledger, stored
from tests.servers import Server, influxdb1, mosquitto, running, wait_until

DEFAULTS: Final = CollectorSettings()
PORTS: Final = 25  # a device
BROKER: Final = "allow_anonymous true\nautosave_interval 60\n"  # as shipped


@dataclass(frozen=True, slots=True)
class Run:
    """One way, once.

    Attributes:
        seconds: until everything was stored.
        processor: seconds of processor time by program.
    """

    seconds: float
    processor: dict[str, float]


def make_batches(count: int, lines: int) -> list[Batch]:
    """Return batches of `interface` readings, as an agent makes them of its switches."""
    begun = now_ns() // 10**9 * 10**9
    return [
        Batch("benchmark", seq, begun, Lane.LIVE, _lines(seq, lines, begun))
        for seq in range(1, count + 1)
    ]


def _lines(seq: int, lines: int, begun: int) -> bytes:
    measurement = CATALOGUE["interface"]
    first = (seq - 1) * lines
    return encode(
        measurement.reading(
            {
                "device": f"sw-{number // PORTS % 200}",
                "interface": f"GigabitEthernet1/0/{number % PORTS}",
                "room": f"room-{number // PORTS % 60}",
            },
            {
                "index": number % PORTS,
                "type": 6,
                "alias": f"to room {number % PORTS}",
                "admin_state": 1,
                "oper_state": 1,
                "speed": 1_000_000_000,
                "in_rate": number * 1234.5 % 1e9,
                "out_rate": number * 543.25 % 1e9,
                "in_utilisation": number % 10_000 / 100,
                "out_utilisation": number % 9_999 / 100,
                "in_errors": 0.0,
                "out_errors": 0.0,
            },
            begun + number,
        )
        for number in range(first, first + lines)
    )


def straight(batches: Sequence[Batch], address: AgentAddress, influxdb: Server, name: str) -> Run:
    """Post the lines as the collector does."""
    stamped = [stamp(batch.lines, address, batch.created).lines for batch in batches]
    per_request = max(1, DEFAULTS.batch_lines // batches[0].lines.count(b"\n"))
    bodies = [
        b"".join(stamped[first : first + per_request])
        for first in range(0, len(stamped), per_request)
    ]
    with httpx.Client(base_url=f"http://127.0.0.1:{influxdb.port}", timeout=60) as client:
        client.post("/query", data={"q": f'CREATE DATABASE "{name}"'}).raise_for_status()

        def post(body: bytes) -> None:
            client.post("/write", params={"db": name}, content=body).raise_for_status()

        meter = Meter({"influxd": influxdb})
        with ThreadPoolExecutor(DEFAULTS.writers) as pool:
            list(pool.map(post, bodies))
        return meter.read()


def collected(
    batches: Sequence[Batch], installation: Installation, influxdb: Server, store: InfluxDBStore
) -> Run:
    """Send the lines to the broker, then let a collector take them from there."""
    collector = installation.collector()
    with running(collector):
        pass  # from now on the broker keeps messages for it
    publish(batches, installation.address(), installation.broker.port)
    with running(collector):
        meter = Meter(
            {"influxd": influxdb, "mosquitto": installation.broker, "collector": collector}
        )
        wait_until(
            lambda: ledger(store, "seq", Aggregate.COUNT) == len(batches), "all batches", 600
        )
        return meter.read()


def publish(batches: Sequence[Batch], address: AgentAddress, port: int) -> None:
    """Send batches, and return once the broker has them."""
    client = Client(CallbackAPIVersion.VERSION2, "benchmark", protocol=MQTTv5)
    client.connect("127.0.0.1", port)
    client.loop_start()
    sent = [
        client.publish(
            address.topic(Channel.DATA), batch.payload(), qos=1, properties=batch.properties()
        )
        for batch in batches
    ]
    for message in sent:
        message.wait_for_publish()
    client.disconnect()
    client.loop_stop()


class Meter:
    """Measures from its making to `read`."""

    def __init__(self, programs: dict[str, Server]) -> None:
        self._programs = {name: psutil.Process(server.pid) for name, server in programs.items()}
        self._begun = self._used()
        self._at = time.perf_counter()

    def read(self) -> Run:
        seconds = time.perf_counter() - self._at
        used = self._used()
        return Run(seconds, {name: used[name] - self._begun[name] for name in used})

    def _used(self) -> dict[str, float]:
        return {
            name: times.user + times.system
            for name, process in self._programs.items()
            if (times := process.cpu_times())
        }


def main() -> None:
    """Measure, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--batches", type=int, default=2000)
    parser.add_argument("--lines", type=int, default=200, help="lines of a batch")
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    batches = make_batches(options.batches, options.lines)
    total = options.batches * options.lines
    size = sum(len(batch.lines) for batch in batches) / total
    print(f"{total} lines of {size:.0f} bytes in {len(batches)} batches, {options.rounds} rounds")
    runs: dict[str, list[Run]] = {"straight": [], "through MQTT": []}
    with tempfile.TemporaryDirectory() as scratch:
        for number in range(options.rounds):
            directory = Path(scratch) / str(number)
            pair = measure(batches, directory)
            for name, run in zip(runs, pair, strict=True):
                runs[name].append(run)
                used = ", ".join(f"{who} {spent:.1f}" for who, spent in run.processor.items())
                print(f"{name}: {total / run.seconds:,.0f} lines/s (processor seconds: {used})")
    rates = {
        name: total / statistics.median(run.seconds for run in found)
        for name, found in runs.items()
    }
    for name, rate in rates.items():
        print(f"median {name}: {rate:,.0f} lines/s")
    print(
        f"ratio: {rates['through MQTT'] / rates['straight']:.0%} "
        f"(Python {platform.python_version()}, {psutil.cpu_count()} processors)"
    )
    collector = statistics.median(run.processor["collector"] for run in runs["through MQTT"])
    print(f"the collector itself: {total / collector:,.0f} lines per second of processor time")


def measure(batches: Sequence[Batch], directory: Path) -> tuple[Run, Run]:
    """Measure both ways on new servers."""
    (directory / "broker").mkdir(parents=True)
    (directory / "influxdb").mkdir()
    with (
        running(influxdb1(directory / "influxdb")) as influxdb,
        running(mosquitto(directory / "broker", BROKER)) as broker,
    ):
        url = f"influxdb://127.0.0.1:{influxdb.port}/collected"
        installation = Installation(directory, "benchmark", broker, url, "{}")
        alone = straight(batches, installation.address(), influxdb, "straight")
        store = InfluxDBStore(f"http://127.0.0.1:{influxdb.port}", "collected")
        through = collected(batches, installation, influxdb, store)
        total = sum(batch.lines.count(b"\n") for batch in batches)
        assert stored(store, "interface", "index") == total
        store.close()
        return alone, through


if __name__ == "__main__":
    main()
