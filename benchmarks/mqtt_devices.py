"""What an agent needs for 500 MQTT devices of all ecosystems: memory and processor time.

Run `python -m benchmarks.mqtt_devices`.

Two Mosquittos run, the school's and the district's, and `campuswatch agent`
between them as its own process. Every device speaks once in the interval, the
devices evenly spread over it; counted is what reaches the district, compared
with what was published. The ecosystems take turns: Zigbee2MQTT, Tasmota,
Shelly, Shelly Gen1, ESPHome, Home Assistant discovery, The Things Stack,
ChirpStack and Sparkplug B.
"""

from __future__ import annotations

import contextlib
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Final

import psutil
import typer
from rich.progress import track

from campuswatch.lineprotocol import parse
from campuswatch.readings import Reading
from tests.edge_agents.district import District, district
from tests.edge_agents.mqtt.listening import Publisher
from tests.edge_agents.mqtt.school import SimulatedSchool
from tests.programs import Program
from tests.servers import mosquitto, running, wait_until

DEVICES: Final = 500


@dataclass(frozen=True)
class _Usage:
    """What the agent used while it was measured."""

    memory: int
    processor: float
    elapsed: float


def main(
    interval: Annotated[float, typer.Option(help="Seconds between a device's messages.")] = 10.0,
    rounds: Annotated[int, typer.Option(help="Messages of each device.")] = 12,
) -> None:
    """Measure, and print one line."""
    with tempfile.TemporaryDirectory() as made, contextlib.ExitStack() as stack:
        directory = Path(made)
        for name in ("local", "district"):
            (directory / name).mkdir()
        local = stack.enter_context(running(mosquitto(directory / "local")))
        upper = stack.enter_context(running(mosquitto(directory / "district")))
        school = SimulatedSchool(DEVICES)
        school.write(directory / "config", local=local.port, district=upper.port)
        collector = stack.enter_context(district(upper.port))
        agent = stack.enter_context(
            running(
                Program(
                    *("agent", "--config", str(directory / "config"), "--agent", "north-1"),
                    log=directory / "agent.log",
                    ready="local broker up",
                )
            )
        )
        publisher = stack.enter_context(contextlib.closing(Publisher(local.port)))
        publisher.publish_all(school.births())
        usage = _publish(school, publisher, agent.pid, interval, rounds)
        missing = _await_all(school, collector, rounds)
    print(
        f"{DEVICES} devices, a message every {interval:g} s each: "
        f"{usage.memory / 1e6:.0f} MB, {100 * usage.processor / usage.elapsed:.1f} % of a core, "
        f"{missing} values missing"
    )


def _publish(
    school: SimulatedSchool, publisher: Publisher, pid: int, interval: float, rounds: int
) -> _Usage:
    process = psutil.Process(pid)
    before = process.cpu_times()
    memory, start = 0, time.monotonic()
    for turn in track(range(rounds), description="publishing"):
        messages = list(school.round(turn))
        for number, message in enumerate(messages):
            due = start + (turn + number / len(messages)) * interval
            time.sleep(max(0.0, due - time.monotonic()))
            publisher.publish_all([message])
        memory = max(memory, process.memory_info().rss)
    after = process.cpu_times()
    spent = after.user + after.system - before.user - before.system
    return _Usage(memory, spent, time.monotonic() - start)


def _await_all(school: SimulatedSchool, collector: District, rounds: int) -> int:
    """Return how many values of all rounds did not arrive."""
    expected = {value for turn in range(rounds) for value in school.expected(turn)}

    def missing() -> int:
        found = {
            (reading.tags["device"], reading.measurement, name, value)
            for line in collector.lines()
            for reading in parse(line)
            if isinstance(reading, Reading) and "device" in reading.tags
            for name, value in reading.fields.items()
        }
        return len(expected - found)

    with contextlib.suppress(TimeoutError):
        wait_until(lambda: missing() == 0, "every value", timeout=30)
    return missing()


if __name__ == "__main__":
    typer.run(main)
