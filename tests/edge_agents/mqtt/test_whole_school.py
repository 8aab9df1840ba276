"""500 devices of all ecosystems on a real broker; agent and collector as their own processes."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Set
from pathlib import Path

import psutil
import pytest

from campuswatch.settings import StoreSettings
from campuswatch.stores import open_store
from campuswatch.stores.base import Query, Store
from tests.edge_agents.mqtt.listening import Publisher
from tests.edge_agents.mqtt.school import SimulatedSchool
from tests.programs import Program
from tests.servers import Server, mosquitto, running, wait_until

DEVICES = 500
MEMORY = 150_000_000

Value = tuple[str, str, str, object]
"""Device, measurement, field and value."""


@pytest.fixture
def brokers(tmp_path: Path) -> Iterator[tuple[Server, Server]]:
    with contextlib.ExitStack() as stack:
        started = []
        for name in ("local", "district"):
            (tmp_path / name).mkdir()
            started.append(stack.enter_context(running(mosquitto(tmp_path / name))))
        local, upper = started
        yield local, upper


def stored(store: Store, wanted: Set[Value]) -> set[Value]:
    """Return what the store has of the measurements and fields that are wanted."""
    fields = {
        measurement: tuple(sorted({name for _, of, name, _ in wanted if of == measurement}))
        for measurement in {of for _, of, _, _ in wanted}
    }
    return {
        (series.tags["device"], measurement, name, value)
        for measurement, names in fields.items()
        for series in store.query(
            Query(measurement, names, start=0, end=2**62, group_by=("device",))
        )
        for name, values in series.columns.items()
        for value in values
    }


def test_all_that_five_hundred_devices_say_is_stored(
    tmp_path: Path, brokers: tuple[Server, Server]
) -> None:
    local, upper = brokers
    school = SimulatedSchool(DEVICES)
    school.write(tmp_path / "config", local=local.port, district=upper.port)
    config = str(tmp_path / "config")
    collector = Program(
        *("collector", "--config", config, "--id", "one"),
        log=tmp_path / "collector.log",
        ready="subscribed to $share",
    )
    agent = Program(
        *("agent", "--config", config, "--agent", "north-1"),
        log=tmp_path / "agent.log",
        ready="local broker up",
    )
    with contextlib.ExitStack() as stack:
        stack.enter_context(running(collector))
        stack.enter_context(running(agent))
        devices = stack.enter_context(contextlib.closing(Publisher(local.port)))
        store = stack.enter_context(
            contextlib.closing(open_store(StoreSettings(), tmp_path / "data"))
        )
        devices.publish_all(school.births())
        born = {(school.of("sparkplug")[-1].id, "environment", "temperature", 0.0)}
        wait_until(lambda: born <= stored(store, born), "the births")
        devices.publish_all(school.round(1))
        expected = school.expected(1)
        wait_until(lambda: expected <= stored(store, expected), "every value", timeout=60)
        assert psutil.Process(agent.pid).memory_info().rss < MEMORY
    assert "payload rejected" not in agent.printed()
    assert "sequence gap" not in agent.printed()
