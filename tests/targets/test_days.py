"""Daily results against a simulation of every second, and against the raw samples."""

from __future__ import annotations

import datetime as dt
import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from campuswatch.inventory.models import Hours, School
from campuswatch.lineprotocol import encode
from campuswatch.measurements import CATALOGUE
from campuswatch.readings import Reading
from campuswatch.stores.base import Store
from campuswatch.stores.duckdb import DuckDBStore
from targets import days
from targets.availability import Timelines, read_timelines
from targets.history import read_history
from targets.late import accounted_until
from targets.promise import Promise
from targets.rollup import Summaries
from targets.uptime import Samples, Uptime, timeline
from tests.targets.small import (
    DAYS,
    END,
    INVENTORY,
    NAMES,
    SCHOOL,
    SECOND,
    SPANS,
    START,
    ZONE,
    served,
    taught,
)

LENGTH = (END - START) // SECOND
INTERVALS = (60, 600, 1440)
"""Seconds; a sample holds for whole seconds of them."""

_names = itertools.count()


@dataclass(frozen=True)
class Sample:
    device: str
    time: int
    """Seconds from the first midnight."""
    up: bool
    interval: int
    agent: str = "agent"


def _walk(device: str, steps: Sequence[tuple[int, bool, int]]) -> list[Sample]:
    """Turn gaps into times, so that samples follow each other as polls do.

    Each comes from an agent of its own, or of two at one time the store would keep one.
    """
    times = itertools.accumulate((gap for gap, _, _ in steps), initial=-7200)
    return [
        Sample(device, time, up, interval, agent=f"agent-{number}")
        for number, (time, (_, up, interval)) in enumerate(zip(times, steps, strict=False))
    ]


steps = st.lists(
    st.tuples(
        st.sampled_from([0, 60, 60, 600, 1500, 3600, 3601, 8 * 3600, 30 * 3600]),
        st.booleans(),
        st.sampled_from(INTERVALS),
    ),
    max_size=30,
)
histories = st.fixed_dictionaries(dict.fromkeys(NAMES, steps)).map(
    lambda drawn: [sample for name, walk in drawn.items() for sample in _walk(name, walk)]
)


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    store = DuckDBStore(tmp_path_factory.mktemp("store") / "readings.duckdb")
    yield store
    store.close()


def write(store: Store, school: str, samples: Sequence[Sample]) -> None:
    row = CATALOGUE["availability"]
    lines = []
    for sample in samples:
        fields = {"up": sample.up, "interval": sample.interval}
        time = START + sample.time * SECOND
        reading = row.reading({"device": sample.device}, fields, time)
        stamped = {**reading.tags, "school": school, "agent": sample.agent}
        lines.append(Reading(reading.measurement, stamped, reading.fields, reading.time))
    assert store.write(encode(lines)) == []


def account(store: Store, now: int) -> None:
    """Say that all that was stored is in the daily results."""
    assert store.write(encode([CATALOGUE["targets"].reading({}, {"seen": now / 1e9}, now)])) == []


def fresh_school() -> School:
    """Return the school under a name of its own, so that examples share a store."""
    return SCHOOL.model_copy(update={"id": f"hill-{next(_names)}"})


@lru_cache
def hours_by_second() -> Mapping[Hours, NDArray[np.bool_]]:
    """Ask the clock on the wall for every second of the five days."""
    clocks = [dt.datetime.fromtimestamp(START // SECOND + second, ZONE) for second in range(LENGTH)]
    return {
        Hours.SERVICE: np.array([served(at.date(), at.time()) for at in clocks]),
        Hours.LESSONS: np.array([taught(at.date(), at.time()) for at in clocks]),
        Hours.ALWAYS: np.ones(LENGTH, np.bool_),
    }


@lru_cache
def maintained_by_second() -> NDArray[np.bool_]:
    """Return whether the switch is maintained: an hour from two o'clock, when it is so first."""
    maintained = np.zeros(LENGTH, np.bool_)
    for day in DAYS:
        at = dt.datetime.combine(day, dt.time(2), ZONE).replace(fold=0)
        first = round(at.timestamp()) - START // SECOND
        maintained[first : first + 3600] = True
    return maintained


def states_by_second(samples: Sequence[Sample]) -> NDArray[np.int8]:
    """Return 1, 0 or -1 (unknown) for every second, by playing the samples in order."""
    before = 7200
    states = np.full(LENGTH + before, -1, np.int8)
    for sample in sorted(samples, key=lambda one: (one.time, one.up, one.interval)):
        at = sample.time + before
        states[at:] = -1
        states[at : at + round(2.5 * sample.interval)] = sample.up
    return states[before:]


def simulate(samples: Sequence[Sample], device: str, hours: Hours, day: int) -> Uptime:
    own = states_by_second([sample for sample in samples if sample.device == device])
    due = hours_by_second()[hours]
    if device != "router":
        due = due & ~maintained_by_second()
    first, last = ((edge - START) // SECOND for edge in SPANS[day])
    states, due = own[first:last], due[first:last]
    up, down, unknown = (int(np.sum(due & (states == state))) for state in (1, 0, -1))
    return Uptime(*(SECOND * time for time in (up, down, unknown, len(due) - int(due.sum()))))


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(histories, st.randoms(use_true_random=False))
def test_rows_equal_a_simulation_of_every_second(
    store: Store, samples: list[Sample], random: object
) -> None:
    school = fresh_school()
    inventory = INVENTORY.model_copy(update={"schools": [school]})
    shuffled = samples + samples[::3]
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    for part in (shuffled[::2], shuffled[1::2]):
        write(store, school.id, part)
    Summaries(inventory, store).summarise((school.id, since) for since, _ in SPANS)
    found = {
        (row.device, row.start, hours): time
        for row in days.read_parts(store, [school.id], START, END)
        for hours, time in row.times.items()
    }
    assert found == {
        (name, since, hours): simulate(samples, name, hours, number)
        for name in NAMES
        for number, (since, _) in enumerate(SPANS)
        for hours in Hours
    }


@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(histories, st.integers(0, 5))
def test_summarised_days_tell_the_same_as_the_raw_samples(
    store: Store, samples: list[Sample], summarised: int
) -> None:
    school = fresh_school()
    inventory = INVENTORY.model_copy(update={"schools": [school]})
    promises = {school.id: Promise.of(inventory, school)}
    now = END - 3600 * SECOND
    write(store, school.id, samples)
    raw = read_timelines(store, [school], START, now)
    Summaries(inventory, store).summarise((school.id, since) for since, _ in SPANS[:summarised])
    account(store, now)
    read: list[tuple[int, int]] = []

    def read_raw(
        store: Store, schools: Sequence[School], start: int, end: int
    ) -> dict[str, Timelines]:
        read.append((start, end))
        return read_timelines(store, schools, start, end)

    found = read_history(store, [school], promises, START + 1, now, read_raw=read_raw)
    assert found == raw
    assert read == [(SPANS[min(summarised, 4)][0], now)], "today alone, and what is not summarised"


def test_a_device_that_has_no_row_is_looked_up(store: Store) -> None:
    before = fresh_school()
    less = before.model_copy(update={"devices": before.devices[:-1]})
    write(store, before.id, [Sample("desk", 3600, True, 60)])
    Summaries(INVENTORY.model_copy(update={"schools": [less]}), store).summarise(
        [(before.id, SPANS[0][0])]
    )
    account(store, END)
    inventory = INVENTORY.model_copy(update={"schools": [before]})
    promises = {before.id: Promise.of(inventory, before)}
    found = read_history(store, [before], promises, START, SPANS[0][1])
    assert found[before.id]["desk"].up.total == 150 * SECOND


def test_days_are_missing_when_a_row_is_or_the_rules_change(store: Store) -> None:
    school = fresh_school()
    write(store, school.id, [Sample("ap", 3600, True, 60)])
    inventory = INVENTORY.model_copy(update={"schools": [school]})
    summaries = Summaries(inventory, store)
    beginnings = [since for since, _ in SPANS]
    assert summaries.missing(school, END) == beginnings[3::-1], "the last has not settled"
    summaries.summarise((school.id, since) for since in beginnings[:4])
    assert summaries.missing(school, END) == []
    [calendar] = inventory.calendars
    closed = calendar.model_copy(update={"closed_days": [DAYS[1]]})
    changed = inventory.model_copy(update={"calendars": [closed]})
    missing = Summaries(changed, store).missing(school, END)
    assert missing == [beginnings[3], beginnings[1]], "27 October is open now, the 25th closed"


@given(steps)
def test_timelines_survive_being_written(walk: list[tuple[int, bool, int]]) -> None:
    samples = _walk("ap", walk)
    line = timeline(
        Samples.of(
            [START + s.time * SECOND for s in samples],
            [s.up for s in samples],
            [s.interval for s in samples],
        ),
        *SPANS[0],
    )
    assert days.decode(days.encode(line), *SPANS[0]) == line


def test_nobody_has_accounted_for_anything_in_an_empty_store(tmp_path: Path) -> None:
    empty = DuckDBStore(tmp_path / "empty.duckdb")
    assert accounted_until(empty) is None
    account(empty, END)
    account(empty, END + SECOND)
    assert accounted_until(empty) == END + SECOND
    empty.close()
