"""What the embedded store promises beyond the contract."""

import signal
import stat
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import duckdb
import pytest

from campuswatch.errors import UserError
from campuswatch.lineprotocol import encode
from campuswatch.readings import Reading
from campuswatch.settings import StoreSettings
from campuswatch.stores import open_store
from campuswatch.stores.base import Aggregate, Query, StoreError, StoreUnavailableError
from campuswatch.stores.duckdb import DuckDBStore
from campuswatch.stores.sharing import OwnedStore, SharedStore, open_shared

COUNT = Query("m", ("n",), 0, 10**9, aggregate=Aggregate.COUNT)


def numbers(start: int, stop: int) -> bytes:
    return encode(
        Reading("m", {"device": f"d{n % 7}"}, {"n": n, "text": "x"}, n) for n in range(start, stop)
    )


def count(store: DuckDBStore | SharedStore) -> int:
    (series,) = store.query(COUNT)
    return int(series.columns["n"][0] or 0)


WRITER = """
import sys
from pathlib import Path
from campuswatch.stores.sharing import open_shared
from tests.stores.test_duckdb import numbers
store = open_shared(Path(sys.argv[1]))
for batch in range(1_000_000):
    store.write(numbers(batch * 100, batch * 100 + 100))
    print(batch, flush=True)
"""


def start_writer(path: Path) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", WRITER, str(path)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


def test_what_was_written_survives_kill_9(tmp_path: Path) -> None:
    path = tmp_path / "s.duckdb"
    writer = start_writer(path)
    assert writer.stdout is not None
    for _ in range(5):
        acknowledged = int(writer.stdout.readline())
    writer.send_signal(signal.SIGKILL)
    rest, _ = writer.communicate()
    acknowledged += rest.count("\n")
    with closing(open_shared(path)) as store:
        assert isinstance(store, OwnedStore)
        stored = count(store)
        assert stored % 100 == 0, "a batch is stored whole or not at all"
        assert (acknowledged + 1) * 100 <= stored <= (acknowledged + 2) * 100


def test_another_process_reads_while_one_writes(tmp_path: Path) -> None:
    path = tmp_path / "s.duckdb"
    writer = start_writer(path)
    try:
        assert writer.stdout is not None
        assert writer.stdout.readline() == "0\n"
        with closing(open_shared(path)) as guest:
            assert isinstance(guest, SharedStore)
            guest.ping()
            assert count(guest) >= 100
            with pytest.raises(StoreError, match="another process holds this DuckDB file"):
                guest.write(numbers(0, 1))
            with pytest.raises(StoreError, match="mean of field 'text'"):
                guest.query(Query("m", ("text",), 0, 10, aggregate=Aggregate.MEAN))
            writer.kill()
            writer.wait()
            with pytest.raises(StoreUnavailableError):
                guest.query(COUNT)
    finally:
        writer.kill()
        writer.communicate()


def test_only_the_owner_may_use_the_socket(tmp_path: Path) -> None:
    with closing(open_shared(tmp_path / "s.duckdb")):
        mode = (tmp_path / "s.duckdb.sock").stat().st_mode
        assert stat.S_ISSOCK(mode)
        assert stat.S_IMODE(mode) == 0o600
    assert not (tmp_path / "s.duckdb.sock").exists()


def test_opening_twice_in_one_process_reads_through_the_first(tmp_path: Path) -> None:
    with (
        closing(open_shared(tmp_path / "s.duckdb")) as owner,
        closing(open_shared(tmp_path / "s.duckdb")) as guest,
    ):
        owner.write(numbers(0, 10))
        assert isinstance(guest, SharedStore)
        assert count(guest) == 10


def test_a_file_held_by_a_stranger_is_said_to_be(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "s.duckdb"
    hold = "import duckdb, sys; c = duckdb.connect(sys.argv[1]); print(flush=True); input()"
    holder = subprocess.Popen(
        [sys.executable, "-c", hold, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert holder.stdout is not None
    holder.stdout.readline()
    monkeypatch.setattr("campuswatch.stores.sharing._PATIENCE", 0.2)
    try:
        with pytest.raises(StoreUnavailableError, match="open in another process"):
            open_shared(path)
    finally:
        holder.communicate(b"\n")


def test_all_is_known_again_after_reopening(tmp_path: Path) -> None:
    # The file's name is that of the schema, which must not confuse DuckDB.
    path = tmp_path / "main.duckdb"
    lines = encode(
        [
            Reading("m", {"a": "é ,=\"'"}, {"n": 1, "Text": "x"}, 1),
            Reading("M", {}, {"n": 1.5, "N": True}, 1),
        ]
    )
    for _ in range(2):
        with closing(DuckDBStore(path)) as store:
            assert store.write(lines) == []
            (lower,) = store.query(Query("m", ("n", "Text"), 0, 10, group_by=("a",)))
            assert lower.tags == {"a": "é ,=\"'"}
            assert lower.columns == {"n": [1], "Text": ["x"]}
            (upper,) = store.query(Query("M", ("n", "N"), 0, 10))
            assert upper.columns == {"n": [1.5], "N": [True]}
            (rejected,) = store.write(b"m n=1.5 5\n")
            assert rejected.reason == (
                'field type conflict: field "n" on measurement "m" is float, '
                "already exists as integer"
            )


def test_a_failed_write_leaves_no_trace(tmp_path: Path) -> None:
    path = tmp_path / "s.duckdb"
    with closing(DuckDBStore(path)) as store:
        store.write(numbers(0, 10))
        spoil = duckdb.connect(path)
        spoil.execute("ALTER TABLE m RENAME TO hidden")
        with pytest.raises(StoreUnavailableError):
            store.write(b"new,room=r1 f=1 1\n" + numbers(10, 20))
        spoil.execute("ALTER TABLE hidden RENAME TO m")
        spoil.close()
        assert store.query(Query("new", ("f",), 0, 10)) == []
        assert store.write(b'new,room=r1 f="text" 1\n' + numbers(10, 20)) == []
        assert count(store) == 20


def test_a_file_that_is_no_database_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "s.duckdb"
    path.write_text("not a database, though long enough to look like one\n" * 100)
    with pytest.raises(StoreError, match=r"s\.duckdb"):
        open_shared(path)


def test_a_path_too_long_for_a_socket_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="expected a path of at most 103 bytes"):
        open_shared(tmp_path / ("x" * 100))


def test_settings_open_a_file_below_the_data_directory(tmp_path: Path) -> None:
    directory = tmp_path / "data"
    with closing(open_store(StoreSettings(), directory)) as store:
        store.write(numbers(0, 1))
    assert (directory / "campuswatch.duckdb").exists()
    assert [path.name for path in directory.iterdir()] == ["campuswatch.duckdb"]
