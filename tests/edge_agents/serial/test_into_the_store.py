"""Modbus slaves and a stream of particulates, through the whole system into InfluxDB."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from campuswatch.measurements import CATALOGUE
from campuswatch.readings import FieldValue, now_ns
from campuswatch.stores.base import Query, Store, StoreUnavailableError
from campuswatch.stores.influxdb import InfluxDBStore
from tests.edge_agents.serial.adapters import Adapter, ModbusBus
from tests.edge_agents.serial.test_frames import pms5003
from tests.programs import Program
from tests.servers import free_port, influxdb1, running, wait_until

FILES = {
    "district.yaml": "{id: demo, name: Demo, timezone: Asia/Shanghai, country: CN}\n",
    "calendar.yaml": "calendars: [{id: default}]\n",
    "schools/north.yaml": """
id: north
name: North School
area: rural
students: 60
agents:
  - id: north-1
    serial:
      - {id: bus, port: %(directory)s/bus}
      - {id: dust, port: %(directory)s/dust}
devices:
  - id: meter
    name: Meter
    kind: sensor
    interval: 1s
    timeout: 400ms
    serial: {line: bus, driver: modbus, unit: 1, map: pzem-004t}
  - id: air
    name: Air
    kind: sensor
    interval: 1s
    timeout: 400ms
    serial: {line: bus, driver: modbus, unit: 3, map: xy-md02}
  - id: dust
    name: Dust
    kind: sensor
    interval: 1s
    serial: {line: dust, driver: pms5003}
""",
    "settings.yaml": """
data_dir: %(directory)s/data
broker: {url: "mqtt://127.0.0.1:%(broker)d", embedded: true}
store: {url: "influxdb://127.0.0.1:%(influxdb)d/demo"}
console: {port: %(console)d}
""",
}


class Stored:
    """What is in the store by now."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def values(self, device: str, field: str) -> list[FieldValue]:
        """Return the values of `measurement.field` in order of time."""
        measurement, _, name = field.partition(".")
        assert name in CATALOGUE[measurement].fields
        query = Query(measurement, (name,), 10**18, now_ns() + 10**12, where={"device": [device]})
        with contextlib.suppress(StoreUnavailableError):
            return [
                value
                for series in self._store.query(query)
                for value in series.columns[name]
                if value is not None
            ]
        return []

    def await_transitions(self, device: str, expected: list[int]) -> None:
        wait_until(lambda: self.transitions(device) == expected, f"{device} was {expected}")

    def transitions(self, device: str) -> list[FieldValue]:
        ups = self.values(device, "availability.up")
        return [up for before, up in zip([None, *ups], ups, strict=False) if up != before]


@pytest.fixture
def bus(tmp_path: Path) -> Iterator[ModbusBus]:
    made = ModbusBus(
        tmp_path / "bus", {1: [2301, 500, 0, 1150, 0, 1000, 0, 500, 0, 0], 3: [0, 215, 456]}
    )
    made.start()
    yield made
    made.stop()


@pytest.fixture
def dust(tmp_path: Path) -> Iterator[Adapter]:
    """Stream frames, every third of which has lost a byte or follows noise."""
    adapter = Adapter(tmp_path / "dust", lambda _: None)
    adapter.plug()
    ended = threading.Event()

    def stream() -> None:
        frames = (pms5003(12, 15), pms5003(12, 15)[1:], b"BM\x00\x1c\xff" + pms5003(12, 15))
        number = 0
        while not ended.wait(0.1):
            adapter.send(frames[number % 3])
            number += 1

    thread = threading.Thread(target=stream)
    thread.start()
    yield adapter
    ended.set()
    thread.join()
    adapter.unplug()


@pytest.fixture
def stored(tmp_path: Path) -> Iterator[Stored]:
    (tmp_path / "influxdb").mkdir()
    with running(influxdb1(tmp_path / "influxdb")) as server:
        values = {
            "directory": str(tmp_path),
            "influxdb": server.port,
            "broker": free_port(),
            "console": free_port(),
        }
        for name, text in FILES.items():
            path = tmp_path / "config" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text % values, encoding="utf-8")
        store = InfluxDBStore(f"http://127.0.0.1:{server.port}", "demo")
        yield Stored(store)
        store.close()


def test_readings_reach_the_store_and_an_unplugged_adapter_is_one_outage(
    tmp_path: Path, bus: ModbusBus, dust: Adapter, stored: Stored
) -> None:
    log = tmp_path / "up.log"
    up = Program("up", "--config", str(tmp_path / "config"), log=log, ready="agent runs")
    with running(up):
        for device in ("meter", "air", "dust"):
            stored.await_transitions(device, [1])
        bus.adapter.unplug()
        dust.unplug()
        for device in ("meter", "air", "dust"):
            stored.await_transitions(device, [1, 0])
        bus.adapter.plug()
        dust.plug()
        for device in ("meter", "air", "dust"):
            stored.await_transitions(device, [1, 0, 1])
    assert set(stored.values("meter", "power.power")) == {115.0}
    assert stored.values("air", "environment.temperature")[0] == pytest.approx(21.5)
    assert set(stored.values("dust", "environment.pm2_5")) == {12.0}
    for device, port in (("meter", "bus"), ("air", "bus"), ("dust", "dust")):
        gone = f"serial port {tmp_path / port} is gone"
        assert set(stored.values(device, "availability.reason")) == {gone}
        assert stored.transitions(device) == [1, 0, 1]
    assert "Traceback" not in log.read_text()
