"""The targets service over real stores: late readings, and one answer for everybody."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from campuswatch.inventory.loader import load_inventory
from campuswatch.inventory.models import Hours
from campuswatch.lineprotocol import encode
from campuswatch.measurements import CATALOGUE
from campuswatch.readings import Reading, now_ns
from campuswatch.settings import StoreSettings
from campuswatch.stores import open_store
from campuswatch.stores.base import Query, Store
from campuswatch.stores.duckdb import DuckDBStore
from campuswatch.stores.influxdb import InfluxDBStore
from targets import days
from targets.check import check
from targets.late import GATHERED
from targets.service import Rounds
from targets.uptime import Uptime
from targets.verdicts import CheckReport
from tests.servers import influxdb1, running, wait_until
from tests.targets.small import INVENTORY, NAMES, SCHOOL, SECOND, SPANS, START
from tests.targets.synthetic import fill

CONFIG = Path(__file__).parents[2] / "config"
COMMAND = Path(sys.executable).with_name("campuswatch")

MINUTE, HOUR = 60 * SECOND, 3600 * SECOND
CUT, MENDED = SPANS[2][0] + 8 * HOUR, SPANS[2][0] + 14 * HOUR
"""The agent has no line to the district for six hours of the exam day."""
DOWN = (SPANS[2][0] + 9 * HOUR, SPANS[2][0] + 10 * HOUR)
"""The switch fails meanwhile."""
NOW = SPANS[4][0] + 12 * HOUR


@pytest.fixture(params=["duckdb", "influxdb"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    if request.param == "duckdb":
        with closing(DuckDBStore(tmp_path / "readings.duckdb")) as duck:
            yield duck
        return
    with running(influxdb1(tmp_path)) as server:
        influx = InfluxDBStore(f"http://127.0.0.1:{server.port}", "targets")
        yield influx
        influx.close()


def stamped(reading: Reading) -> Reading:
    tags = {**reading.tags, "school": SCHOOL.id, "agent": SCHOOL.agents[0].id}
    return Reading(reading.measurement, tags, reading.fields, reading.time)


def write(store: Store, readings: Iterator[Reading]) -> None:
    assert store.write(encode(readings)) == []


def samples(start: int, end: int) -> Iterator[Reading]:
    """Yield what the agent read of its devices in [start, end)."""
    for time in range(start, end, MINUTE):
        for name in NAMES:
            up = name == "router" or not DOWN[0] <= time < DOWN[1]
            yield stamped(
                CATALOGUE["availability"].reading(
                    {"device": name}, {"up": up, "interval": 60}, time
                )
            )


def deliveries(start: int, end: int, stored: int | None = None) -> Iterator[Reading]:
    """Yield the ledger of a batch a minute; stored at once, or all at one time."""
    for number, made in enumerate(range(start, end, MINUTE)):
        received = made + SECOND if stored is None else stored + number
        yield stamped(
            CATALOGUE["delivery"].reading(
                {"stream": "spool", "collector": "c"},
                {
                    "seq": 1 + (made - START) // MINUTE,
                    "lines": len(NAMES),
                    "quarantined": 0,
                    "delay": (received - made) / 1e9,
                    "lane": 0 if stored is None else 1,
                    "created": made / 1e9,
                },
                received,
            )
        )


def deliver(store: Store, start: int, end: int, stored: int | None = None) -> None:
    write(store, samples(start, end))
    write(store, deliveries(start, end, stored))


def parts(store: Store) -> dict[tuple[str, int], Uptime]:
    return {
        (row.device, row.start): row.times[Hours.SERVICE]
        for row in days.read_parts(store, [SCHOOL.id], START, NOW)
    }


def summarised(store: Store) -> int:
    """Return how many days have been summarised, as the service tells."""
    [health] = store.query(Query("targets", ("days",), 0, 2 * NOW))
    return sum(int(count) for count in health.columns["days"] if count is not None)


def report(store: Store, now: int = NOW) -> str:
    found = CheckReport(generated=now, schools=tuple(check(INVENTORY, store, now)))
    return found.model_dump_json(by_alias=True)


def test_late_readings_turn_unknown_time_into_the_truth(store: Store) -> None:
    deliver(store, START, CUT)
    deliver(store, MENDED, NOW)
    rounds = Rounds(INVENTORY, store)
    rounds.run(NOW)
    before = parts(store)
    assert summarised(store) == 4
    assert before["ap", SPANS[2][0]].unknown == pytest.approx(6 * HOUR, abs=3 * MINUTE)
    assert before["ap", SPANS[2][0]].down == 0
    told = report(store)

    deliver(store, CUT, MENDED, stored=NOW + MINUTE)
    truth = report(store)
    assert truth != told, "a check does not wait for the service"
    rounds.run(NOW + 3 * MINUTE)
    after = parts(store)
    assert summarised(store) == 5, "the day of the cut alone"
    assert {key for key in before if before[key] != after[key]} == {
        (name, SPANS[2][0]) for name in NAMES
    }
    assert after["ap", SPANS[2][0]].unknown == 0
    assert after["ap", SPANS[2][0]].down == HOUR
    assert report(store) == truth
    rounds.run(NOW + 4 * MINUTE)
    assert summarised(store) == 5, "and once"


def test_a_service_that_starts_again_accounts_for_what_came_meanwhile(store: Store) -> None:
    deliver(store, START, CUT)
    deliver(store, MENDED, NOW)
    Rounds(INVENTORY, store).run(NOW)
    deliver(store, CUT, MENDED, stored=NOW + MINUTE)
    Rounds(INVENTORY, store).run(NOW + 10 * MINUTE)
    assert parts(store)["ap", SPANS[2][0]].unknown == 0
    assert summarised(store) == 5


def test_a_batch_made_at_midnight_belongs_to_both_days(store: Store) -> None:
    midnight = SPANS[1][0]
    deliver(store, START, midnight - 5 * MINUTE)
    deliver(store, midnight + 5 * MINUTE, NOW)
    Rounds(INVENTORY, store).run(NOW)
    deliver(store, midnight - 5 * MINUTE, midnight + 5 * MINUTE, stored=NOW + MINUTE)
    Rounds(INVENTORY, store).run(NOW + 2 * MINUTE)
    assert summarised(store) == 4 + 2
    assert GATHERED < 5 * MINUTE


def test_today_is_told_every_round_as_a_check_tells_it(store: Store) -> None:
    rounds = Rounds(INVENTORY, store)
    begin = SPANS[2][0]
    deliver(store, START, begin + HOUR)
    for hours in range(9, 21, 3):
        now = begin + hours * HOUR
        deliver(store, max(begin + HOUR, now - 3 * HOUR) if hours > 9 else begin + HOUR, now)
        rounds.run(now)
        [school] = check(INVENTORY, store, now)
        status = {
            series.tags["target"]: series
            for series in store.query(
                Query(
                    "target_status",
                    ("attained", "low", "budget_left", "burn_6h"),
                    now,
                    now + 1,
                    group_by=("target",),
                )
            )
        }
        for target in school.targets:
            columns = status[target.id].columns
            assert columns["attained"] == [target.share.attained]
            assert columns["low"] == [target.share.low]
            if target.kind == "uptime":
                assert columns["budget_left"] == [target.budget.left]
                assert columns["burn_6h"] == [target.budget.burn_rates[1].rate]
        [lost] = store.query(Query("lesson_time_lost", ("lost", "due"), now, now + 1))
        assert lost.columns["lost"] == [school.lessons_today.lost / 1e9]
        assert lost.columns["due"] == [school.lessons_today.due / 1e9]


def test_what_comes_late_today_is_told_in_the_next_round(store: Store) -> None:
    rounds = Rounds(INVENTORY, store)
    deliver(store, START, CUT)
    deliver(store, MENDED, MENDED + HOUR)
    rounds.run(MENDED + HOUR)
    rounds.run(MENDED + HOUR + MINUTE)
    deliver(store, CUT, MENDED, stored=MENDED + HOUR + 2 * MINUTE)
    now = MENDED + HOUR + 3 * MINUTE
    rounds.run(now)
    [school] = check(INVENTORY, store, now)
    [status] = store.query(
        Query("target_status", ("attained",), now, now + 1, where={"target": ["network"]})
    )
    [network] = [target for target in school.targets if target.id == "network"]
    assert status.columns["attained"] == [network.share.attained]
    assert network.share.attained is not None
    assert network.share.attained < 100, "the switch was down while the agent was cut off"


def test_the_command_keeps_results_until_it_is_told_to_stop(tmp_path: Path) -> None:
    config, data = tmp_path / "config", tmp_path / "data"
    shutil.copytree(CONFIG, config)
    inventory = load_inventory(config)
    school = inventory.school("yunshan-village")
    end = now_ns()
    with closing(open_store(StoreSettings(), data)) as own:
        fill(own, school, end - 49 * HOUR, end, [])
    environment = os.environ | {"CAMPUSWATCH_DATA_DIR": str(data)}
    process = subprocess.Popen(
        [COMMAND, "targets", "--config", config], env=environment, stderr=subprocess.PIPE
    )
    try:
        wait_until(lambda: _has_told(data, end), "daily results", 30)
        with closing(open_store(StoreSettings(), data)) as shared:
            rows = list(days.read_parts(shared, [school.id], end - 72 * HOUR, end))
    finally:
        process.terminate()
        _, errors = process.communicate(timeout=30)
    assert process.returncode == 0, errors
    assert {row.device for row in rows} == {device.id for device in school.devices}


def _has_told(data: Path, since: int) -> bool:
    """Return whether the process that holds the file has ended a round."""
    if not (data / "campuswatch.duckdb.sock").exists():
        return False
    with closing(open_store(StoreSettings(), data)) as shared:
        return bool(shared.query(Query("targets", ("duration",), since, 2 * since)))


def test_duckdb_and_influxdb_give_the_same_answer_to_the_byte(tmp_path: Path) -> None:
    with running(influxdb1(tmp_path)) as server:
        stores: list[Store] = [
            DuckDBStore(tmp_path / "readings.duckdb"),
            InfluxDBStore(f"http://127.0.0.1:{server.port}", "targets"),
        ]
        reports = []
        for one in stores:
            deliver(one, START, CUT)
            deliver(one, MENDED, NOW)
            raw = report(one)
            Rounds(INVENTORY, one).run(NOW)
            reports += [raw, report(one)]
            one.close()
    assert len(set(reports)) == 1
