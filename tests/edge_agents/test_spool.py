"""The spool: numbers without a gap, whatever happens to the process or the file."""

from __future__ import annotations

import contextlib
import logging
import os
import random
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from campuswatch.errors import UserError
from campuswatch.wire import Lane
from edge_agents.spool import Spool, SpoolUnavailableError

LINES = b"availability,device=sw-1 up=1i 1\n"


def open_spool(
    path: Path, *, max_bytes: int = 10**9, max_age: float = 10**6, kept: float = 1000
) -> Spool:
    return Spool(path, max_bytes=max_bytes, max_age=max_age, kept=kept)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "agent" / "spool.sqlite"


@pytest.fixture
def spool(path: Path) -> Iterator[Spool]:
    with contextlib.closing(open_spool(path)) as opened:
        yield opened


def unsent(spool: Spool) -> list[int]:
    return [seq for _, seq in spool.oldest_unsent(2**62, 1000)]


def test_batches_come_back_as_they_were_given(spool: Spool) -> None:
    given_lines = [b"a,t=%d f=1 %d\n" % (n, n) for n in range(5)]
    appended = [spool.append(lines) for lines in given_lines]
    assert [batch.seq for batch in appended] == [1, 2, 3, 4, 5]
    assert len({batch.stream for batch in appended}) == 1
    assert sorted(batch.created for batch in appended) == [b.created for b in appended]
    for batch in appended:
        assert spool.read(batch.stream, batch.seq, Lane.LIVE) == batch


def test_created_strictly_increases_when_the_clock_stands_still(
    spool: Spool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("edge_agents.spool.now_ns", lambda: 1_000)
    assert [spool.append(LINES).created for _ in range(3)] == [1000, 1001, 1002]


def test_newest_and_oldest_are_told_apart_by_age(spool: Spool) -> None:
    batches = [spool.append(LINES) for _ in range(6)]
    bound = batches[3].created
    assert [seq for _, seq in spool.newest_unsent(bound, 2)] == [6, 5]
    assert [seq for _, seq in spool.oldest_unsent(bound, 2)] == [1, 2]
    assert [seq for _, seq in spool.oldest_unsent(bound, 100)] == [1, 2, 3]


def test_numbers_go_on_after_everything_was_acknowledged_and_forgotten(path: Path) -> None:
    with contextlib.closing(open_spool(path, kept=0)) as spool:
        batches = [spool.append(LINES) for _ in range(3)]
        spool.acknowledge([(b.stream, b.seq) for b in batches], 1)
        stream = batches[0].stream
    with contextlib.closing(open_spool(path, kept=0)) as spool:
        batch = spool.append(LINES)
        assert (batch.stream, batch.seq) == (stream, 4)
        assert batch.created > batches[-1].created


def test_an_acknowledged_batch_waits_no_more(spool: Spool) -> None:
    batches = [spool.append(LINES) for _ in range(3)]
    spool.acknowledge([(batches[1].stream, 2)], 1)
    assert unsent(spool) == [1, 3]
    state = spool.state()
    assert (state.batches, state.first_unsent, state.last_seq) == (2, 1, 3)


def test_an_acknowledgement_of_another_stream_changes_nothing(spool: Spool) -> None:
    spool.append(LINES)
    spool.acknowledge([("another", 1)], 1)
    assert unsent(spool) == [1]


def test_what_the_broker_may_have_forgotten_waits_anew(spool: Spool) -> None:
    keys = [(batch.stream, batch.seq) for batch in (spool.append(LINES) for _ in range(4))]
    for connection, key in enumerate(keys, start=1):
        spool.acknowledge([key], connection)
    assert spool.send_again(vouched=1, current=4) == 2
    assert unsent(spool) == [2, 3]


def test_connections_are_numbered_over_restarts(path: Path) -> None:
    with contextlib.closing(open_spool(path)) as spool:
        assert [spool.next_connection(), spool.next_connection()] == [1, 2]
    with contextlib.closing(open_spool(path)) as spool:
        assert spool.next_connection() == 3


def test_too_old_batches_are_dropped_and_declared(
    path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    now = 10**18
    monkeypatch.setattr("edge_agents.spool.now_ns", lambda: now)
    with contextlib.closing(open_spool(path, max_age=100)) as spool:
        keys = [(b.stream, b.seq) for b in (spool.append(LINES) for _ in range(5))]
        spool.acknowledge([keys[2]], 1)
        now += 101 * 10**9
        spool.append(LINES)
        assert spool.state().dropped == ((1, 2), (4, 5))
        assert spool.state().dropped_count == 4
        assert unsent(spool) == [6]
    assert "count=4 first=1 last=5 reason=age" in caplog.text
    with contextlib.closing(open_spool(path)) as spool:
        assert spool.state().dropped == ((1, 2), (4, 5))


def test_size_is_bounded_and_the_oldest_go_first(path: Path) -> None:
    bound = 1_000_000
    random_source = random.Random(1)
    with contextlib.closing(open_spool(path, max_bytes=bound)) as spool:
        for _ in range(200):
            spool.append(random_source.randbytes(20_000))
        state = spool.state()
        assert state.dropped == ((1, 200 - state.batches),)
        assert unsent(spool) == list(range(201 - state.batches, 201))
        assert 0.7 * bound < state.size <= bound
    assert path.stat().st_size < 1.2 * bound


def test_acknowledged_batches_go_before_any_that_waits(path: Path) -> None:
    random_source = random.Random(1)
    with contextlib.closing(open_spool(path, max_bytes=1_000_000)) as spool:
        waiting = spool.append(random_source.randbytes(20_000))
        for _ in range(100):
            batch = spool.append(random_source.randbytes(20_000))
            spool.acknowledge([(batch.stream, batch.seq)], 1)
        assert spool.state().dropped == ()
        assert unsent(spool) == [waiting.seq]


def test_a_full_disk_uses_up_no_number_and_heals(path: Path, spool: Spool) -> None:
    first = spool.append(LINES)
    pages = spool._database.execute("PRAGMA page_count").fetchone()[0]
    spool._database.execute(f"PRAGMA max_page_count = {pages}")
    big = random.Random(1).randbytes(100_000)
    with pytest.raises(SpoolUnavailableError, match="full"):
        spool.append(big)
    with pytest.raises(SpoolUnavailableError, match="full"):
        spool.append(big)
    spool._database.execute("PRAGMA max_page_count = 1000000")
    assert spool.append(big).seq == first.seq + 1


def test_a_second_process_is_refused(path: Path, spool: Spool) -> None:
    spool.append(LINES)
    with pytest.raises(UserError, match="another process uses it"):
        open_spool(path)


def _junk(path: Path) -> None:
    path.write_bytes(random.Random(1).randbytes(50_000))


def _another_database(path: Path) -> None:
    with contextlib.closing(sqlite3.connect(path)) as database:
        database.execute("CREATE TABLE somebody_elses (x)")
        database.commit()


def _another_version(path: Path) -> None:
    with contextlib.closing(open_spool(path)) as spool:
        spool.append(LINES)
    with contextlib.closing(sqlite3.connect(path)) as database:
        database.execute("PRAGMA user_version = 99")


def _without_stream(path: Path) -> None:
    with contextlib.closing(open_spool(path)) as spool:
        spool.append(LINES)
    with contextlib.closing(sqlite3.connect(path)) as database:
        database.execute("DROP TABLE stream")


def _damaged_pages(path: Path) -> None:
    with contextlib.closing(open_spool(path)) as spool:
        for _ in range(200):
            spool.append(LINES)
    with path.open("r+b") as file:
        for page in range(1, path.stat().st_size // 4096):
            file.seek(page * 4096)
            file.write(b"\xff" * 4096)


@pytest.mark.parametrize(
    "spoil", [_junk, _another_database, _another_version, _without_stream, _damaged_pages]
)
def test_an_unreadable_file_is_moved_aside(
    path: Path, spoil: object, caplog: pytest.LogCaptureFixture
) -> None:
    path.parent.mkdir()
    assert callable(spoil)
    spoil(path)
    before = path.read_bytes()
    with contextlib.closing(open_spool(path)) as spool:
        assert spool.append(LINES).seq == 1
    kept = [each for each in path.parent.iterdir() if "unreadable" in each.name]
    assert [each.read_bytes() for each in kept if not each.name.endswith(("-wal", "-shm"))] == [
        before
    ]
    assert "moved aside and a new stream begun" in caplog.text


def test_damage_while_it_runs_begins_a_new_stream(path: Path, spool: Spool) -> None:
    spool._database.execute("PRAGMA cache_size = 0")
    old = spool.append(LINES)
    for _ in range(100):
        spool.append(os.urandom(3000))
    spool._database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    with path.open("r+b") as file:
        file.seek(4096)
        file.write(b"\xff" * (path.stat().st_size - 4096))
    batch = spool.append(LINES)
    assert (batch.seq, batch.stream != old.stream) == (1, True)
    assert unsent(spool) == [1]


def test_a_directory_that_cannot_be_made_is_the_users_to_mend(tmp_path: Path) -> None:
    (tmp_path / "agent").write_text("a file")
    with pytest.raises(UserError, match="spool"):
        open_spool(tmp_path / "agent" / "spool.sqlite")


APPENDER = """
import sys
from pathlib import Path
from edge_agents.spool import Spool
spool = Spool(Path(sys.argv[1]), max_bytes=10**9, max_age=10**6)
while True:
    batch = spool.append(b"availability,device=sw-1 up=1i 1\\n" * 50)
    sys.stdout.write(f"{batch.seq} {batch.created}\\n")
    sys.stdout.flush()
"""


def test_kill_9_loses_nothing_that_append_returned_for(path: Path) -> None:
    confirmed: dict[int, int] = {}
    for round_number in range(4):
        process = subprocess.Popen(
            [sys.executable, "-c", APPENDER, str(path)], stdout=subprocess.PIPE, text=True
        )
        assert process.stdout is not None
        for _ in range(20 + 13 * round_number):
            seq, created = process.stdout.readline().split()
            confirmed[int(seq)] = int(created)
        time.sleep(0.003 * round_number)  # so that it dies at different points of an append
        process.send_signal(signal.SIGKILL)
        for line in process.stdout.read().splitlines():
            seq, created = line.split()
            confirmed[int(seq)] = int(created)
        process.wait()
    with contextlib.closing(open_spool(path)) as spool:
        state = spool.state()
        assert unsent(spool)[: len(confirmed)] == list(range(1, len(confirmed) + 1))
        # One append of each round may have been committed without being told.
        assert len(confirmed) <= state.last_seq <= len(confirmed) + 4
        for number, moment in confirmed.items():
            batch = spool.read(state.stream, number, Lane.BACKFILL)
            assert batch is not None
            assert (batch.created, batch.lines.count(b"\n")) == (moment, 50)


@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(steps=st.lists(st.sampled_from(["append", "acknowledge", "reopen", "fail"]), max_size=25))
def test_numbers_have_no_gap_whatever_happens(
    tmp_path_factory: pytest.TempPathFactory, steps: list[str]
) -> None:
    logging.disable()
    path = tmp_path_factory.mktemp("spool") / "spool.sqlite"
    spool = open_spool(path, kept=0)
    numbers: list[int] = []
    for step in steps:
        if step == "append":
            numbers.append(spool.append(LINES).seq)
        elif step == "acknowledge":
            spool.acknowledge(spool.oldest_unsent(2**62, 2), 1)
        elif step == "reopen":
            spool.close()
            spool = open_spool(path, kept=0)
        else:
            with pytest.raises(TypeError):
                spool.append(None)  # type: ignore[arg-type]
    spool.close()
    logging.disable(logging.NOTSET)
    assert numbers == list(range(1, len(numbers) + 1))
