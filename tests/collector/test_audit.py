"""The audit tells every batch's fate apart."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from campuswatch.intervals import IntervalSet
from campuswatch.lineprotocol import encode
from campuswatch.measurements import CATALOGUE
from campuswatch.readings import Reading, now_ns
from campuswatch.stores.duckdb import DuckDBStore
from collector.audit import Outcome, StreamAudit, audit_streams, outcome
from collector.ranges import read_ranges, write_ranges

HOUR = 3600 * 10**9
START = now_ns() - 4 * HOUR
END = START + HOUR

streams = itertools.count()


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DuckDBStore]:
    store = DuckDBStore(tmp_path_factory.mktemp("audit") / "ledger.duckdb")
    yield store
    store.close()


def own(stream: str) -> dict[str, str]:
    """Give every stream a school of its own, so that an audit sees no other."""
    return {"school": stream, "agent": "a1"}


def deliver(store: DuckDBStore, stream: str, arrivals: Iterable[tuple[int, int]]) -> None:
    """Write the ledger of (seq, time) as they arrived; seq 5 brings a refused line."""
    readings = [
        CATALOGUE["delivery"].reading(
            {"stream": stream, "collector": "c1"},
            {"seq": seq, "lines": 10, "quarantined": int(seq == 5), "lane": 0},
            time,
        )
        for seq, time in arrivals
    ]
    store.write(
        encode(
            Reading("delivery", {**reading.tags, **own(stream)}, reading.fields, reading.time)
            for reading in readings
        )
    )


def in_order(*seqs: int) -> list[tuple[int, int]]:
    return [(seq, START + number) for number, seq in enumerate(seqs)]


def declare(
    store: DuckDBStore, stream: str, first_unsent: int, last_seq: int, dropped: str = ""
) -> None:
    reading = CATALOGUE["agent_status"].reading(
        {"stream": stream},
        {"state": 1, "first_unsent": first_unsent, "last_seq": last_seq, "dropped": dropped},
        now_ns(),
    )
    tags = {**reading.tags, **own(stream)}
    store.write(encode([Reading("agent_status", tags, reading.fields, reading.time)]))


def audit(store: DuckDBStore, stream: str) -> StreamAudit:
    [row] = audit_streams(store, [(stream, "a1")], START, END)
    return row


def test_a_gap_is_missing_and_a_repeat_is_counted(store: DuckDBStore) -> None:
    deliver(store, "gap", in_order(1, 2, 2, 5, 6, 6, 6, 8))
    row = audit(store, "gap")
    assert (row.sent, row.stored, row.repeated, row.quarantined) == (8, 5, 3, 1)
    assert write_ranges(row.missing) == "3-4,7"
    assert outcome([row]) == Outcome.INCOMPLETE


def test_the_first_batches_are_missed_too(store: DuckDBStore) -> None:
    deliver(store, "headless", in_order(3))
    assert write_ranges(audit(store, "headless").missing) == "1-2"


def test_a_gap_that_another_time_filled_is_none(store: DuckDBStore) -> None:
    before = START - HOUR
    deliver(store, "late", [(1, before), (3, before + 1), (4, START), (6, START + 1), (5, END)])
    row = audit(store, "late")
    assert not row.missing
    assert row.stored == 2


def test_what_the_agent_gave_up_or_still_has_is_told_apart(store: DuckDBStore) -> None:
    deliver(store, "honest", in_order(1, 2, 5, 9))
    declare(store, "honest", first_unsent=7, last_seq=11, dropped="3-4")
    row = audit(store, "honest")
    assert write_ranges(row.dropped) == "3-4"
    assert write_ranges(row.missing) == "6"
    assert write_ranges(row.waiting) == "7-8,10-11"


def test_a_batch_that_a_later_one_has_just_overtaken_may_yet_come(store: DuckDBStore) -> None:
    now = now_ns()
    hour_ago = now - HOUR
    deliver(store, "racing", [(1, hour_ago), (3, hour_ago + 1), (4, now - 2), (6, now - 1)])
    [row] = audit_streams(store, [("racing", "a1")], now - 2 * HOUR, now)
    assert write_ranges(row.missing) == "2"
    assert write_ranges(row.waiting) == "5"


def test_a_silent_agent_can_not_be_judged(store: DuckDBStore) -> None:
    [row] = audit_streams(store, [("silent", "a1")], START, END)
    assert row == StreamAudit("silent", "a1", "")
    assert outcome([row]) == Outcome.UNKNOWN


def test_a_whole_stream_is_complete(store: DuckDBStore) -> None:
    deliver(store, "whole", in_order(1, 2, 3))
    row = audit(store, "whole")
    assert row == StreamAudit("whole", "a1", "whole", stored=3)
    assert outcome([row]) == Outcome.COMPLETE


arrivals = st.lists(
    st.tuples(st.integers(1, 12), st.sampled_from([START - HOUR, START, END, END + HOUR])),
    min_size=1,
    max_size=14,
)


@settings(max_examples=40, deadline=None)
@given(arrivals, st.sets(st.integers(1, 12)), st.integers(1, 13))
def test_the_audit_agrees_with_counting_by_hand(
    store: DuckDBStore, arrived: list[tuple[int, int]], given_up: set[int], first_unsent: int
) -> None:
    stream = f"random-{next(streams)}"
    deliver(
        store,
        stream,
        [(seq, time + number) for number, (seq, time) in enumerate([*arrived, (13, START)])],
    )
    dropped = IntervalSet.of((seq, seq + 1) for seq in given_up)
    declare(store, stream, first_unsent, 13, write_ranges(dropped))
    before = max((seq for seq, time in arrived if time < START), default=0)
    absent = set(range(before + 1, 14)) - {seq for seq, _ in arrived} - {13}
    row = audit(store, stream)
    assert set(numbers(row.dropped)) == absent & given_up
    assert set(numbers(row.waiting)) == {seq for seq in absent - given_up if seq >= first_unsent}
    assert set(numbers(row.missing)) == {seq for seq in absent - given_up if seq < first_unsent}


def numbers(found: IntervalSet) -> Iterator[int]:
    return itertools.chain.from_iterable(range(first, end) for first, end in found)


@given(st.sets(st.integers(1, 50)))
def test_ranges_are_read_as_written(chosen: set[int]) -> None:
    found = IntervalSet.of((number, number + 1) for number in chosen)
    assert read_ranges(write_ranges(found)) == found


def test_many_ranges_are_cut_short() -> None:
    assert write_ranges(read_ranges("1-3,5,7-8"), most=2) == "1-3,5 and 1 more"
