"""500 devices of all ecosystems on a real broker, and an agent as its own process."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from campuswatch.lineprotocol import parse
from campuswatch.readings import Reading
from tests.edge_agents.district import District, district
from tests.edge_agents.mqtt.listening import Publisher
from tests.edge_agents.mqtt.school import SimulatedSchool
from tests.programs import Program
from tests.servers import Server, mosquitto, running, wait_until

DEVICES = 500
MEMORY = 150_000_000


@pytest.fixture
def brokers(tmp_path: Path) -> Iterator[tuple[Server, Server]]:
    with contextlib.ExitStack() as stack:
        started = []
        for name in ("local", "district"):
            (tmp_path / name).mkdir()
            started.append(stack.enter_context(running(mosquitto(tmp_path / name))))
        local, upper = started
        yield local, upper


def arrived(collector: District) -> set[tuple[str, str, str, object]]:
    return {
        (reading.tags["device"], reading.measurement, name, value)
        for line in collector.lines()
        for reading in parse(line)
        if isinstance(reading, Reading) and "device" in reading.tags
        for name, value in reading.fields.items()
    }


def test_all_that_five_hundred_devices_say_arrives(
    tmp_path: Path, brokers: tuple[Server, Server]
) -> None:
    local, upper = brokers
    school = SimulatedSchool(DEVICES)
    school.write(tmp_path / "config", local=local.port, district=upper.port)
    agent = Program(
        *("agent", "--config", str(tmp_path / "config"), "--agent", "north-1"),
        log=tmp_path / "agent.log",
        ready="local broker up",
    )
    with (
        district(upper.port) as collector,
        running(agent),
        contextlib.closing(Publisher(local.port)) as devices,
    ):
        devices.publish_all(school.births())
        last = school.of("sparkplug")[-1].id
        wait_until(
            lambda: (last, "environment", "temperature", 0.0) in arrived(collector), "the births"
        )
        devices.publish_all(school.round(1))
        expected = school.expected(1)
        wait_until(lambda: expected <= arrived(collector), "every value", timeout=60)
        assert psutil.Process(agent.pid).memory_info().rss < MEMORY
    assert "payload rejected" not in agent.printed()
    assert "sequence gap" not in agent.printed()
