"""What polling a school's switches costs an agent, alone and next to its peers.

`python -m benchmarks.fleet agent` runs `campuswatch agent` as its own process
between simulated switches and a Mosquitto, and counts the polls that reach the
district. Some of the switches may be dead, or answer after 4 seconds.

`python -m benchmarks.fleet peers` compares the processor time of one poll with
that of prometheus-snmp-exporter and Telegraf, each polling the same switches in
turn: of the polling process alone, user and system.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Annotated, Final

import psutil
import typer
from rich.progress import track

from benchmarks.peers import exporter_config, telegraf_config
from benchmarks.polling import processor_time
from benchmarks.switches import running_switches
from campuswatch.lineprotocol import encode, parse
from campuswatch.readings import Reading
from edge_agents.sources.snmp import ProfileRegistry
from tests.edge_agents.district import District, district
from tests.edge_agents.snmp.devices import device, source
from tests.programs import Program
from tests.servers import accepts, free_port, mosquitto, running, wait_until

PORTS: Final = 48

_GRACE: Final = 5.0  # seconds in which the last readings reach the district

_DISTRICT: Final = """
id: demo
name: Demo district
timezone: Asia/Shanghai
country: CN
credentials:
  simulated: {version: 2c, community: "env:FLEET_COMMUNITY"}
"""
_SCHOOL: Final = """
id: north
name: North School
area: rural
students: 60
agents: [{id: north-1}]
buildings:
  - id: main
    name: Main
    floors:
      - {id: ground, name: Ground, level: 0, rooms: [{id: r-1, name: One, seats: 20}]}
devices:
"""
_DEVICE: Final = (
    "  - {{id: sw-{number}, name: Switch {number}, kind: switch, room: r-1, address: 127.0.0.1,"
    " port: {port}, snmp: simulated, interval: {interval}s}}\n"
)

app: Final = typer.Typer(add_completion=False)


@app.command()
def agent(
    switches: Annotated[int, typer.Option(help="How many are polled.")] = 500,
    dead: Annotated[int, typer.Option(help="How many of them never answer.")] = 0,
    slow: Annotated[int, typer.Option(help="How many of them answer after 4 s.")] = 0,
    interval: Annotated[int, typer.Option(help="Seconds between polls.")] = 60,
    rounds: Annotated[int, typer.Option(help="Intervals that are measured.")] = 3,
) -> None:
    """Measure an agent that polls a fleet, and print one line."""
    with tempfile.TemporaryDirectory() as made, contextlib.ExitStack() as stack:
        directory = Path(made)
        (directory / "broker").mkdir()
        broker = stack.enter_context(running(mosquitto(directory / "broker")))
        simulated = running_switches(switches, PORTS, dead=dead, slow=slow)
        ports = stack.enter_context(simulated)
        _write_config(directory / "config", ports, interval, broker.port)
        arrived = stack.enter_context(district(broker.port))
        program = stack.enter_context(_agent(directory))
        wait_until(
            lambda: len(_polls(arrived)) == switches, "first polls", timeout=3.0 * interval + 60
        )
        usage = _watched(psutil.Process(program.pid), rounds * interval)
        time.sleep(_GRACE)
        polls = _polls(arrived)
    well = {f"sw-{number}" for number in range(dead + slow, switches)}
    lost = sum(_lost(polls[name], usage, interval) for name in well)
    share = usage.processor / (usage.end - usage.start)
    print(
        f"{switches} switches of {PORTS} ports every {interval} s, {dead} dead, {slow} slow: "
        f"{100 * share:.1f} % of a core, {1000 * share * interval / switches:.1f} ms a poll, "
        f"{usage.memory / 1e6:.0f} MB, {lost} intervals lost of {len(well) * rounds}"
    )


@dataclass(frozen=True)
class _Usage:
    """What a process used from `start` to `end`, Unix seconds.

    Attributes:
        memory: most resident bytes.
        processor: seconds, user and system.
    """

    start: float
    end: float
    memory: int
    processor: float


def _write_config(directory: Path, ports: Sequence[int], interval: int, broker: int) -> None:
    (directory / "schools").mkdir(parents=True)
    (directory / "district.yaml").write_text(_DISTRICT)
    (directory / "calendar.yaml").write_text("calendars: [{id: default}]\n")
    devices = (
        _DEVICE.format(number=number, port=port, interval=interval)
        for number, port in enumerate(ports)
    )
    (directory / "schools" / "north.yaml").write_text(_SCHOOL + "".join(devices))
    (directory / "settings.yaml").write_text(
        f"data_dir: {directory.parent / 'data'}\nbroker: {{url: 'mqtt://127.0.0.1:{broker}'}}\n"
    )


def _agent(directory: Path) -> contextlib.AbstractContextManager[Program]:
    os.environ["FLEET_COMMUNITY"] = "public"
    return running(
        Program(
            *("agent", "--config", str(directory / "config"), "--agent", "north-1"),
            log=directory / "agent.log",
            ready="agent runs",
        )
    )


def _watched(process: psutil.Process, seconds: float) -> _Usage:
    start, before, memory = time.time(), process.cpu_times(), 0
    for _ in track(range(int(seconds)), description="polling"):
        time.sleep(1)
        memory = max(memory, process.memory_info().rss)
    after = process.cpu_times()
    spent = after.user + after.system - before.user - before.system
    return _Usage(start, time.time(), memory, spent)


def _polls(arrived: District) -> dict[str, list[float]]:
    """Return when each device was asked, Unix seconds, in order."""
    found: dict[str, list[float]] = defaultdict(list)
    for line in arrived.lines():
        if line.startswith(b"availability,"):
            for reading in parse(line):
                assert isinstance(reading, Reading)
                found[reading.tags["device"]].append(reading.time / 1e9)
    return found


def _lost(polls: Sequence[float], usage: _Usage, interval: float) -> int:
    """Return how many intervals between the watch's begin and end have no poll."""
    within = [usage.start, *(at for at in polls if usage.start <= at <= usage.end), usage.end]
    gaps = (after - before for before, after in pairwise(within))
    return sum(max(0, int(gap / interval - 0.1)) for gap in gaps)


# --- peers --------------------------------------------------------------------


@app.command()
def peers(
    switches: Annotated[int, typer.Option(help="How many are polled in turn.")] = 30,
    rounds: Annotated[int, typer.Option(help="Polls of each.")] = 20,
    telegraf: Annotated[Path | None, typer.Option(help="A Telegraf, if there is one.")] = None,
) -> None:
    """Compare one poll's processor time, and print a line for each."""
    with running_switches(switches, PORTS) as ports, tempfile.TemporaryDirectory() as made:
        ways: dict[str, Callable[[], float]] = {
            "campuswatch": lambda: _ours_apart(ports, rounds),
            "prometheus-snmp-exporter": lambda: _exporter(ports, rounds, Path(made)),
        }
        if telegraf is not None:
            ways["telegraf"] = lambda: _telegraf(telegraf, ports, rounds, Path(made))
        for name, way in ways.items():
            print(f"{name:26} {1000 * way():6.2f} ms of processor time a poll")


def _ours_apart(ports: Sequence[int], rounds: int) -> float:
    command = [sys.executable, "-m", "benchmarks.fleet", "ours", json.dumps(ports), str(rounds)]
    return float(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


@app.command(hidden=True)
def ours(ports: str, rounds: int) -> None:
    """Print the seconds of processor time of one poll, up to its lines."""
    print(asyncio.run(_ours(json.loads(ports), rounds)))


async def _ours(ports: Sequence[int], rounds: int) -> float:
    profiles = ProfileRegistry.load()
    sources = [source(device(port, ping=False, profile="generic"), profiles) for port in ports]
    for _ in range(3):  # the first reads what changes rarely, the second has rates
        for polled in sources:
            await polled.poll()
        await asyncio.sleep(0.2)
    began = processor_time()
    for _ in range(rounds):
        for polled in sources:
            encode(await polled.poll())
    spent = processor_time() - began
    for polled in sources:
        await polled.close()
    return spent / rounds / len(ports)


def _exporter(ports: Sequence[int], rounds: int, directory: Path) -> float:
    program = shutil.which("prometheus-snmp-exporter")
    assert program is not None, "prometheus-snmp-exporter is not installed"
    (directory / "snmp.yml").write_text(exporter_config())
    listens = free_port()
    command = [program, f"--config.file={directory / 'snmp.yml'}", "--log.level=error"]
    with _process([*command, f"--web.listen-address=127.0.0.1:{listens}"]) as process:
        wait_until(accepts(listens), "the exporter")
        url = f"http://127.0.0.1:{listens}/snmp?module=if_mib&target=127.0.0.1:"

        def scrape() -> None:
            for port in ports:
                with urllib.request.urlopen(f"{url}{port}") as answer:
                    assert answer.read().count(b"ifHCInOctets{") == PORTS

        scrape()
        before = _spent(process)
        for _ in range(rounds):
            scrape()
        return (_spent(process) - before) / rounds / len(ports)


def _telegraf(program: Path, ports: Sequence[int], rounds: int, directory: Path) -> float:
    out = directory / "telegraf.out"
    (directory / "telegraf.conf").write_text(telegraf_config(ports, out))
    command = [str(program), "--config", str(directory / "telegraf.conf"), "--quiet"]
    lines_a_round = len(ports) * PORTS

    def lines() -> int:
        return out.read_bytes().count(b"\ninterface,") if out.exists() else 0

    with _process(command) as process:
        wait_until(lambda: lines() >= lines_a_round, "Telegraf's first polls")
        before, first = _spent(process), lines()
        wait_until(
            lambda: lines() >= first + rounds * lines_a_round, "Telegraf's polls", timeout=600
        )
        return (_spent(process) - before) * PORTS / (lines() - first)


@contextlib.contextmanager
def _process(command: Sequence[str]) -> Iterator[psutil.Process]:
    with subprocess.Popen(command, stderr=subprocess.DEVNULL) as process:
        try:
            yield psutil.Process(process.pid)
        finally:
            process.terminate()


def _spent(process: psutil.Process) -> float:
    times = process.cpu_times()
    return times.user + times.system


if __name__ == "__main__":
    app()
