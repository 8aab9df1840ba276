"""How long the monthly reports of a large district take from its daily results.

The district is that of `benchmarks.targets`: 1,000 schools of 200 devices. Its
month is described as run-lengths: on each day one device in 20 fails once, and
one school in 20 is cut off for two hours. Every row of `daily_uptime` is made
of those by the code that makes it of samples (`targets.days`), once for each
of a few patterns of a school's day, and DuckDB writes it for every school and
day as the store lays rows out. What is measured is a whole process that builds
a report and writes its file.

    python -m benchmarks.reports --file month.duckdb
"""

from __future__ import annotations

import argparse
import datetime as dt
import platform
import random
import resource
import time
from collections.abc import Iterator
from contextlib import closing
from multiprocessing import get_context
from pathlib import Path
from typing import Final

import duckdb

from benchmarks.targets import district, runs
from campuswatch.calendar import SECOND
from campuswatch.intervals import IntervalSet
from campuswatch.inventory.models import DeviceKind, Hours, Inventory, School, UptimeTarget
from campuswatch.language import Language
from campuswatch.lineprotocol import encode
from campuswatch.measurements import CATALOGUE
from campuswatch.readings import Reading
from campuswatch.stores.duckdb import DuckDBStore
from targets import days, lessons
from targets.period import Period
from targets.promise import Promise
from targets.reports.as_xlsx import write_xlsx
from targets.reports.commands import MAKERS, Kind, as_json
from targets.reports.language import Words
from targets.reports.model import Task
from targets.topology import Topology
from targets.uptime import Timeline

PERIOD: Final = Period(dt.date(2026, 10, 1), dt.date(2026, 10, 31))
PATTERNS: Final = 20
"""How many different days a school may have."""


def promised(inventory: Inventory) -> Inventory:
    """Return the district with a target for all its 200,000 devices, and one for its screens."""
    target = UptimeTarget(
        id="devices",
        kind="uptime",
        objective=99,
        device_kinds=[DeviceKind.ROUTER, DeviceKind.SWITCH, DeviceKind.AP, DeviceKind.DISPLAY],
    )
    screens = UptimeTarget(
        id="screens",
        kind="uptime",
        objective=95,
        hours=Hours.LESSONS,
        device_kinds=[DeviceKind.DISPLAY],
    )
    own = inventory.district.model_copy(update={"targets": [target, screens]})
    return inventory.model_copy(update={"district": own})


def patterns(school: School, promise: Promise, since: int, until: int) -> Iterator[list[Reading]]:
    """Yield the rows of the days that a school may have."""
    fortune = random.Random(1)
    topology = Topology(school.devices)
    for _ in range(PATTERNS):
        spans: dict[str, dict[int, list[tuple[int, int]]]] = {
            device.id: {0: [], 1: []} for device in school.devices
        }
        for device, up, begin, end in runs(school, fortune):
            spans[device][up].append((since + begin * SECOND, since + end * SECOND))
        lines = {
            device: Timeline(
                since, until, IntervalSet.of(own[1]), IntervalSet.of(own[0]), until - SECOND
            )
            for device, own in spans.items()
        }
        taught = promise.hours(Hours.LESSONS, since, until)
        losses = lessons.room_losses(topology, school.rooms(), lines, taught)
        yield [
            *lessons.readings(losses, school.id, since),
            *(
                days.reading(
                    days.summarise(device.id, lines, topology, promise), school.id, promise
                )
                for device in school.devices
            ),
        ]


def fill(file: Path, inventory: Inventory) -> None:
    """Write a month of daily results: the first school's, and from those everybody's."""
    first = inventory.schools[0]
    promise = Promise.of(inventory, first)
    seen = promise.calendar.span(PERIOD.last)[1] + 3600 * SECOND
    with closing(DuckDBStore(file)) as store:
        for day in PERIOD.days():
            rows = [
                _named(row, first.id, f"p{number}")
                for number, rows in enumerate(patterns(first, promise, *promise.calendar.span(day)))
                for row in rows
            ]
            assert not store.write(encode(rows))
        row = CATALOGUE["targets"].reading({}, {"seen": seen / 1e9}, seen)
        assert not store.write(encode([row]))
        series = next(patterns(first, promise, *promise.calendar.span(PERIOD.first)))
        for some in range(0, len(inventory.schools), 20):
            named = [
                _named(row, first.id, school.id)
                for school in inventory.schools[some : some + 20]
                for row in series
            ]
            assert not store.write(encode(named))
    with closing(duckdb.connect(file)) as connection:
        for table in ("daily_uptime", "daily_lessons"):
            _spread(connection, table)


def _named(row: Reading, before: str, after: str) -> Reading:
    tags = {
        key: after + value.removeprefix(before) if value.startswith(before) else value
        for key, value in row.tags.items()
    }
    return Reading(row.measurement, tags, row.fields, row.time)


def _spread(connection: duckdb.DuckDBPyConnection, table: str) -> None:
    """Give each school on each day the rows of one pattern, in order of day and school."""
    tag = "device" if table == "daily_uptime" else "room"
    connection.execute(
        f"CREATE OR REPLACE TEMP TABLE named AS SELECT id, tags->>'$.school' AS school,"
        f" substr(tags->>'$.{tag}', length(tags->>'$.school') + 1) AS thing"
        f" FROM campuswatch_meta.series WHERE id IN (SELECT DISTINCT series FROM {table})"
    )
    connection.execute(
        f"CREATE OR REPLACE TEMP TABLE kept AS SELECT {table}.*, school AS pattern, thing"
        f" FROM {table} JOIN named ON series = id WHERE school LIKE 'p%'"
    )
    connection.execute(f"DELETE FROM {table}")
    columns = [
        name
        for (name,) in connection.execute(
            f"SELECT column_name FROM (DESCRIBE {table}) WHERE column_name NOT IN ('series')"
        ).fetchall()
    ]
    listed = ", ".join(f'kept."{name}"' for name in columns)
    times = connection.execute("SELECT DISTINCT time FROM kept ORDER BY time").fetchall()
    for (day,) in times:
        connection.execute(
            f"INSERT INTO {table} (series, {', '.join(columns)})"
            f" SELECT named.id, {listed} FROM named JOIN kept ON kept.thing = named.thing"
            f" AND kept.pattern = 'p' || (hash(named.school, $day) % {PATTERNS})"
            " WHERE kept.time = $day AND named.school LIKE 's%' ORDER BY named.id",
            {"day": day},
        )


def measure(file: Path, schools: int, kind: Kind, suffix: str) -> None:
    """Build one report, write it, and print what that took; run in a process of its own."""
    begun = time.monotonic()
    inventory = promised(district(schools))
    out = file.with_name(f"{kind}{suffix}")
    with closing(DuckDBStore(file)) as store:
        now = Promise.of(inventory, inventory.schools[0]).calendar.span(PERIOD.last)[1]
        task = Task(inventory, store, inventory.schools, PERIOD, now + 2 * 3600 * SECOND)
        report = MAKERS[kind].build(task, task.batches())
    if suffix == ".json":
        out.write_text(as_json(report), encoding="utf-8")
    else:
        words = Words(Language.EN)
        write_xlsx(MAKERS[kind].document(report, words), words, out)
    seconds = time.monotonic() - begun
    used = resource.getrusage(resource.RUSAGE_SELF)
    print(
        f"{kind} {suffix}: {seconds:.0f} s, {used.ru_utime + used.ru_stime:.0f} processor seconds,"
        f" {used.ru_maxrss / 1e6:.2f} GB, file {out.stat().st_size / 1e6:.0f} MB"
    )


def main() -> None:
    """Run the benchmark and print a line for each report."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--schools", type=int, default=1000)
    parser.add_argument("--file", type=Path, required=True, help="Kept, and used again.")
    options = parser.parse_args()
    inventory = district(options.schools)
    if not options.file.exists():
        begun = time.monotonic()
        fill(options.file, inventory)
        size = options.file.stat().st_size / 1e9
        print(f"filled in {time.monotonic() - begun:.0f} s, {size:.2f} GB, {platform.machine()}")
    for kind, suffix in ((Kind.UPTIME, ".json"), (Kind.UPTIME, ".xlsx"), (Kind.EQUITY, ".json")):
        process = get_context("spawn").Process(
            target=measure, args=(options.file, options.schools, kind, suffix)
        )
        process.start()
        process.join()


if __name__ == "__main__":
    main()
