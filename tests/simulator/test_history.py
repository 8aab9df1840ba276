"""The made-up past."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from campuswatch.calendar import DAY, SECOND
from campuswatch.lineprotocol import RejectedLine, scan
from campuswatch.readings import Reading
from campuswatch.stores.duckdb import DuckDBStore
from simulator.history import STEP, SUFFIX, History, beginning
from simulator.world import World
from targets.availability import read_timelines
from tests.simulator.districts import example, only

NOW = 1_795_500_000 * SECOND


@pytest.fixture(scope="module")
def history() -> History:
    return History(World(only(example(), "yunshan-village"), seed=1, started=NOW / SECOND))


def readings(history: History, start: int, end: int) -> Iterator[Reading]:
    for _, lines in history.chunks(start, end):
        for _, found in scan(lines):
            assert not isinstance(found, RejectedLine), found.reason
            yield found


def test_every_point_is_marked_and_in_time(history: History) -> None:
    start, end = NOW - 3 * DAY, NOW
    for reading in readings(history, start, end):
        assert reading.tags["agent"] == "ys-agent" + SUFFIX
        assert start <= reading.time < end
        if reading.measurement == "availability":
            assert reading.fields["interval"] == STEP


def test_no_point_is_made_up_twice(history: History) -> None:
    points = [
        (reading.measurement, reading.tags["device"], reading.time)
        for reading in readings(history, NOW - 3 * DAY, NOW)
    ]
    assert len(points) == len(set(points))


def test_the_past_is_the_same_whenever_it_is_told(history: History) -> None:
    def availability(end: int) -> dict[tuple[str, int], object]:
        return {
            (reading.tags["device"], reading.time): reading.fields["up"]
            for reading in readings(history, NOW - 20 * DAY, end)
            if reading.measurement == "availability"
        }

    earlier, later = availability(NOW - 2 * DAY), availability(NOW)
    assert earlier.items() <= later.items()
    assert set(earlier.values()) == {0, 1}


def test_the_newest_day_comes_first(history: History) -> None:
    complete = [since for since, _ in history.chunks(NOW - 5 * DAY, NOW)]
    assert complete == sorted(complete, reverse=True)
    assert complete[-1] == NOW - 5 * DAY


def test_what_is_not_told_is_unknown_and_the_rest_adds_up(history: History, tmp_path: Path) -> None:
    inventory = only(example(), "yunshan-village")
    school = inventory.schools[0]
    start, end = NOW - 28 * DAY, NOW
    store = DuckDBStore(tmp_path / "history.duckdb")
    for _, lines in history.chunks(start, end):
        assert store.write(lines) == []
    timelines = read_timelines(store, [school], start, end)[school.id]
    assert beginning(store, start, end) < start + 2 * STEP * SECOND
    store.close()
    polled = [device.id for device in school.devices if device.address is not None]
    for device in polled:
        line = timelines[device]
        known = line.up.total + line.down.total
        assert 0.97 * (end - start) < known < end - start  # a power cut hides some of it
    assert any(timelines[device].down for device in polled)


def test_a_store_without_readings_begins_now(tmp_path: Path) -> None:
    store = DuckDBStore(tmp_path / "empty.duckdb")
    assert beginning(store, NOW - DAY, NOW) == NOW
    store.close()
