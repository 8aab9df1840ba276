"""How much disk a school's spool needs to hold 72 hours, and how fast it appends.

Run `python -m benchmarks.spool`.

The school has 200 devices: 24 switches, polled from recordings of real ones
(`snmpsim-data`), 76 access points, which report an uplink and two radios each,
and 100 classroom sensors. Each is polled every minute, spread over it, and one
batch a second is appended. A recording stands still, so every level and rate
that is not a state gets a new random value in full precision at each poll, on
every port, used or not: a real school compresses better.
"""

from __future__ import annotations

import asyncio
import random
import tempfile
import time
from collections.abc import Iterator
from importlib.resources import files
from itertools import cycle, islice
from pathlib import Path
from typing import Final

from rich.progress import track

from campuswatch.inventory.models import Agent
from campuswatch.lineprotocol import encode
from campuswatch.measurements import CATALOGUE, FieldKind
from campuswatch.readings import FieldValue, Reading
from edge_agents.schedule import phase
from edge_agents.sources.snmp import ProfileRegistry
from edge_agents.spool import Spool
from tests.edge_agents.snmp.conftest import READ
from tests.edge_agents.snmp.devices import RECORDINGS, device, source
from tests.servers import running, snmpsim

SWITCHES: Final = 24
ACCESS_POINTS: Final = 76
SENSORS: Final = 100
INTERVAL: Final = 60
HOURS: Final = 72

_SIMULATED: Final = 3600  # seconds that are really appended


async def _poll_recordings(directory: Path) -> list[list[Reading]]:
    data = Path(str(files("snmpsim_data"))) / "data" / "network"
    recordings = {name: data / f"{path}.snmprec.bz2" for name, path in RECORDINGS.items()}
    profiles = ProfileRegistry.load()
    polls = []
    with running(snmpsim(directory, recordings, READ)) as server:
        for community in recordings:
            polled = source(device(server.port, ping=False), profiles, community)
            await polled.poll()
            polls.append(await polled.poll())  # the second has rates
            await polled.close()
    return polls


def _school(polls: list[list[Reading]]) -> Iterator[tuple[str, list[Reading]]]:
    """Yield each device's name and what one poll of it gives."""
    for number, poll in enumerate(islice(cycle(polls), SWITCHES)):
        yield f"switch-{number}", poll
    ports = [reading for reading in polls[0] if reading.measurement == "interface"][-3:]
    for number in range(ACCESS_POINTS):
        yield f"ap-{number}", [polls[0][0], *ports]
    climate = CATALOGUE["environment"].reading(
        {"device": "x", "room": "lab"}, {"temperature": 0.0, "humidity": 0.0, "co2": 0.0}, 0
    )
    for number in range(SENSORS):
        yield f"sensor-{number}", [climate]


def _anew(name: str, reading: Reading, now: int) -> Reading:
    kinds = {field.name: field for field in CATALOGUE[reading.measurement].fields.values()}

    def value(key: str, old: FieldValue) -> FieldValue:
        changes = kinds[key].kind is FieldKind.GAUGE and kinds[key].type is float
        return random.expovariate(1 / 1e6) if changes else old

    fields = {key: value(key, old) for key, old in reading.fields.items()}
    return Reading(reading.measurement, {**reading.tags, "device": name}, fields, now)


def _append_an_hour(spool: Spool, school: list[tuple[str, list[Reading]]]) -> tuple[int, float]:
    """Return the lines appended, and the seconds that appending took."""
    lines, spent = 0, 0.0
    start = time.time_ns()
    for second in track(range(_SIMULATED), "appending"):
        due = [each for each in school if int(phase(each[0]) * INTERVAL) == second % INTERVAL]
        now = start + second * 10**9
        readings = [_anew(name, reading, now) for name, poll in due for reading in poll]
        batch = encode(readings)
        began = time.perf_counter()
        spool.append(batch)
        spent += time.perf_counter() - began
        lines += len(readings)
    return lines, spent


def main() -> None:
    """Measure, and print."""
    with tempfile.TemporaryDirectory(dir=Path.cwd()) as name:
        school = list(_school(asyncio.run(_poll_recordings(Path(name)))))
        path = Path(name) / "spool.sqlite"
        spool = Spool(path, max_bytes=10**12, max_age=10**6)
        lines, spent = _append_an_hour(spool, school)
        size = spool.state().size
        spool.close()
        used = path.stat().st_size
    bound = Agent(id="any").spool_bytes
    whole = used * HOURS * 3600 / _SIMULATED
    print(f"readings a minute    {lines * 60 / _SIMULATED:12,.0f}")
    print(f"compressed           {size / lines:12.1f} B a reading")
    print(f"append with fsync    {spent / _SIMULATED * 1000:12.2f} ms a batch")
    print(f"file after {HOURS} h      {whole / 1e6:12,.0f} MB")
    print(f"bound by default     {bound / 1e6:12,.0f} MB, or {bound / whole * HOURS:,.0f} h")


if __name__ == "__main__":
    main()
