"""How long it takes to summarise one day of a large district from its raw samples.

The district has 1,000 schools of 200 devices, each asked every 60 s: 288 million
samples a day. They are described as run-lengths (a device is up or down from
one time to another, and unknown in between when its agent is cut off), and
DuckDB expands these into raw samples in order of time, as a collector would
have stored them. What is measured is `targets.rollup.Summaries`: reading the
raw samples, partitioning each device's day and writing its row.

    python -m benchmarks.targets
"""

from __future__ import annotations

import argparse
import datetime as dt
import platform
import random
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Final

import duckdb
import psutil

from campuswatch.calendar import SECOND, SchoolCalendar
from campuswatch.inventory.models import Inventory, School
from campuswatch.lineprotocol import encode
from campuswatch.measurements import CATALOGUE
from campuswatch.readings import Reading
from campuswatch.stores.duckdb import DuckDBStore
from targets import days
from targets.rollup import Summaries

DAY: Final = dt.date(2026, 10, 14)
INTERVAL: Final = 60
SWITCHES: Final = 19
APS: Final = 60
ROOMS: Final = 40

Run = tuple[str, int, int, int]
"""Device, up or down, from and until, seconds from the first sample of the day."""


def district(schools: int) -> Inventory:
    """Return a district of schools of 200 devices each."""
    return Inventory.model_validate(
        {
            "district": {
                "id": "large",
                "name": "Large",
                "timezone": "Asia/Shanghai",
                "country": "CN",
            },
            "calendars": [
                {
                    "id": "default",
                    "lessons": [
                        {"name": str(hour), "start": f"{hour:02}:00", "end": f"{hour:02}:45"}
                        for hour in (8, 9, 10, 11, 13, 14, 15)
                    ],
                }
            ],
            "mappings": [],
            "schools": [_school(number) for number in range(schools)],
        }
    )


def _school(number: int) -> dict[str, object]:
    name = f"s{number}"
    rooms = [{"id": f"{name}-r{room}", "name": f"{room}", "seats": 45} for room in range(ROOMS)]
    devices = [_device(name, "router", f"{name}-router", None, None)]
    devices += [
        _device(name, "switch", f"{name}-sw{switch}", f"{name}-router", None)
        for switch in range(SWITCHES)
    ]
    for other in range(200 - 1 - SWITCHES):
        kind = "ap" if other < APS else "display"
        uplink, room = f"{name}-sw{other % SWITCHES}", f"{name}-r{other % ROOMS}"
        devices.append(_device(name, kind, f"{name}-d{other}", uplink, room))
    return {
        "id": name,
        "name": name,
        "area": ("urban", "town", "rural")[number % 3],
        "students": 1500,
        "agents": [{"id": f"{name}-agent"}],
        "buildings": [
            {
                "id": f"{name}-b",
                "name": "Main",
                "floors": [{"id": f"{name}-f", "name": "1", "level": 0, "rooms": rooms}],
            }
        ],
        "devices": devices,
    }


def _device(
    school: str, kind: str, identity: str, uplink: str | None, room: str | None
) -> dict[str, object]:
    return {
        "id": identity,
        "name": identity,
        "kind": kind,
        "address": f"{identity}.{school}.example",
        "uplink": uplink,
        "room": room,
    }


def runs(school: School, fortune: random.Random) -> Iterator[Run]:
    """Yield a school's day: one device in 20 fails once, one school in 20 is cut off for 2 h."""
    cut = fortune.randrange(70_000) if fortune.random() < 0.05 else None
    for device in school.devices:
        edges = [(0, 86_400, 1)]
        if fortune.random() < 0.05:
            begin = fortune.randrange(80_000)
            end = begin + fortune.randrange(300, 6_000)
            edges = [(0, begin, 1), (begin, min(end, 86_400), 0), (min(end, 86_400), 86_400, 1)]
        for begin, end, up in edges:
            if cut is None or end <= cut or begin >= cut + 7_200:
                yield device.id, up, begin, end
            else:
                yield device.id, up, begin, max(begin, cut)
                yield device.id, up, min(end, cut + 7_200), end


def fill(file: Path, inventory: Inventory, start: int) -> None:
    """Write a day of raw samples as DuckDBStore lays them out, hour by hour."""
    row = CATALOGUE["availability"]
    with closing(DuckDBStore(file)) as store:  # makes the tables and the series
        for school in inventory.schools:
            readings = (
                row.reading({"device": device.id}, {"up": 1, "interval": INTERVAL}, start)
                for device in school.devices
            )
            stamp = {"school": school.id, "agent": school.agents[0].id}
            assert not store.write(
                encode(
                    Reading(one.measurement, {**one.tags, **stamp}, one.fields, one.time)
                    for one in readings
                )
            )
    fortune = random.Random(1)
    with closing(duckdb.connect(file)) as connection:
        connection.execute("CREATE TEMP TABLE runs (device VARCHAR, up BIGINT, a INT, b INT)")
        with connection.appender("runs") as appender:
            for school in inventory.schools:
                appender.append_rows(runs(school, fortune))
        connection.execute(
            "CREATE TEMP TABLE parts AS SELECT id, up, a, b, hash(device) % 60 AS phase FROM runs"
            " JOIN campuswatch_meta.series ON json_extract_string(tags, '$.device') = device"
        )
        connection.execute("DELETE FROM availability")
        for hour in range(24):
            connection.execute(
                "INSERT INTO availability (series, time, up, interval)"
                f" SELECT id, {start} + t * {SECOND}, up, {INTERVAL} FROM ("
                "  SELECT id, up, unnest(range(greatest(a, $first) // 60 * 60,"
                "   least(b, $last), 60)) + phase AS t, a, b FROM parts"
                "  WHERE a < $last AND b > $first"
                " ) WHERE t >= a AND t < b AND t >= $first AND t < $last ORDER BY t, id",
                {"first": hour * 3600, "last": (hour + 1) * 3600},
            )


def main() -> None:
    """Run the benchmark and print a line for each step."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--schools", type=int, default=1000)
    parser.add_argument("--file", type=Path, help="Keep the samples here, and use them again.")
    options = parser.parse_args()
    inventory = district(options.schools)
    with tempfile.TemporaryDirectory() as directory:
        file = options.file or Path(directory) / "large.duckdb"
        calendar = SchoolCalendar.of(inventory, inventory.schools[0])
        start = calendar.midnight(DAY)
        if not file.exists():
            begun = time.monotonic()
            fill(file, inventory, start)
            print(f"filled in {time.monotonic() - begun:.0f} s, {file.stat().st_size / 1e9:.2f} GB")
        measure(file, inventory, start)


def measure(file: Path, inventory: Inventory, start: int) -> None:
    """Summarise the day and say what it took."""
    process = psutil.Process()
    with closing(DuckDBStore(file)) as store:
        summaries = Summaries(inventory, store)
        begun, used = time.monotonic(), process.cpu_times()
        peak = 0
        for batch in summaries.batches((school.id, start) for school in inventory.schools):
            summaries.summarise(batch)
            peak = max(peak, process.memory_info().rss)
        seconds, after = time.monotonic() - begun, process.cpu_times()
        rows = sum(1 for _ in days.read_parts(store, [inventory.schools[0].id], start, start + 1))
    devices = sum(len(school.devices) for school in inventory.schools)
    processor = after.user + after.system - used.user - used.system
    print(f"{devices} devices, {rows} rows of the first school, {platform.machine()}")
    print(f"{seconds:.0f} s, {processor:.0f} processor seconds, {peak / 1e9:.1f} GB resident")


if __name__ == "__main__":
    main()
