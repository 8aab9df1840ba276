"""The agent's durable queue: what was read stays here until the district has it.

One SQLite file for each agent. A batch is numbered and on the disk, fsynced,
before `append` returns; it is marked when the broker acknowledges it, and goes
for good a while later, because a broker that is killed may fall back to an
older state of its own (see `Spool.send_again`).
"""

from __future__ import annotations

import contextlib
import logging
import secrets
import sqlite3
import threading
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TypeVar

import zstandard

from campuswatch.errors import UserError
from campuswatch.readings import now_ns
from campuswatch.wire import Batch, Lane

log = logging.getLogger(__name__)

KEPT_AFTER_ACKNOWLEDGEMENT: Final = 35 * 60.0
"""Seconds an acknowledged batch is kept; the first to go when space is short.

Longer than Mosquitto's default `autosave_interval` of 30 minutes, which is what
such a broker loses of the messages it acknowledged when it is killed.
"""

_APPLICATION_ID = 0x43577370  # "CWsp": tells a spool from another SQLite file
_VERSION = 1
_SCHEMA = f"""
PRAGMA application_id = {_APPLICATION_ID};
PRAGMA user_version = {_VERSION};
CREATE TABLE stream (
    id TEXT NOT NULL,
    last_seq INTEGER NOT NULL,
    last_created INTEGER NOT NULL,
    last_connection INTEGER NOT NULL
);
CREATE TABLE batch (
    seq INTEGER PRIMARY KEY,
    created INTEGER NOT NULL,
    size INTEGER NOT NULL,
    acknowledged INTEGER,
    connection INTEGER
);
CREATE INDEX waiting ON batch (seq, created, size) WHERE acknowledged IS NULL;
CREATE INDEX settling ON batch (acknowledged) WHERE acknowledged IS NOT NULL;
CREATE TABLE payload (seq INTEGER PRIMARY KEY, lines BLOB NOT NULL);
CREATE TABLE dropped (first INTEGER PRIMARY KEY, last INTEGER NOT NULL);
"""
_UNSENT = "SELECT seq FROM batch WHERE acknowledged IS NULL AND "
_NEWEST_UNSENT = _UNSENT + "created >= ? ORDER BY seq DESC LIMIT ?"
_OLDEST_UNSENT = _UNSENT + "created < ? ORDER BY seq LIMIT ?"
_TOO_OLD = _UNSENT + "created < ? ORDER BY seq"
_OLDEST_BUT = _UNSENT + "seq < ? ORDER BY seq LIMIT 1"
_ACKNOWLEDGED = "SELECT seq FROM batch WHERE acknowledged IS NOT NULL "
_SETTLED = _ACKNOWLEDGED + "AND acknowledged < ?"
_FIRST_ACKNOWLEDGED = _ACKNOWLEDGED + "ORDER BY acknowledged LIMIT ?"

T = TypeVar("T")


class SpoolUnavailableError(OSError):
    """The disk takes or gives nothing now (full, read-only, failing); try again later."""


@dataclass(frozen=True, slots=True)
class SpoolState:
    """What an operator and an audit need to know of a spool.

    Attributes:
        stream: id of the stream; a new file is a new stream.
        last_seq: number of the newest batch ever appended, 0 if none.
        first_unsent: number of the oldest batch that waits, None if none does.
        oldest_created: when that batch was made, nanoseconds UTC.
        batches: how many wait.
        size: bytes of their compressed lines.
        dropped: ranges of numbers, both ends included, that were given up.
        dropped_count: how many batches those were.
    """

    stream: str
    last_seq: int
    first_unsent: int | None
    oldest_created: int | None
    batches: int
    size: int
    dropped: tuple[tuple[int, int], ...]
    dropped_count: int


class Spool:
    """A queue of batches in one SQLite file; safe to call from several threads.

    Numbers start from 1 and have no gap, over restarts and failures alike: a
    number is taken in the transaction that stores its batch. Calls wait for
    the disk, so an event loop makes them in a thread.

    Args:
        path: the file; made when missing, with its directory.
        max_bytes: bound of the file's used size.
        max_age: seconds after which a batch that waits is dropped.
        kept: seconds an acknowledged batch is kept.

    Raises:
        UserError: another process has the spool, or its directory can't be used.
    """

    def __init__(
        self,
        path: Path,
        *,
        max_bytes: int,
        max_age: float,
        kept: float = KEPT_AFTER_ACKNOWLEDGEMENT,
    ) -> None:
        self._path = path
        self._max_bytes = max_bytes
        self._max_age = int(max_age * 1e9)
        self._kept = int(kept * 1e9)
        self._lock = threading.Lock()
        self._compressor = zstandard.ZstdCompressor()
        self._database = self._open()

    def append(self, lines: bytes) -> Batch:
        """Number a batch and put it on the disk before returning.

        Args:
            lines: line protocol, each line ended by a newline.

        Raises:
            SpoolUnavailableError: it was not stored, and no number was used up.
        """
        return self._guarded(lambda: self._append(lines))

    def newest_unsent(self, since: int, limit: int) -> list[tuple[str, int]]:
        """Return (stream, seq) of waiting batches made at `since` or later, newest first.

        Args:
            since: nanoseconds UTC.
            limit: at most so many.
        """
        return self._guarded(lambda: self._select(_NEWEST_UNSENT, since, limit))

    def oldest_unsent(self, before: int, limit: int) -> list[tuple[str, int]]:
        """Return (stream, seq) of waiting batches made before `before`, oldest first."""
        return self._guarded(lambda: self._select(_OLDEST_UNSENT, before, limit))

    def read(self, stream: str, seq: int, lane: Lane) -> Batch | None:
        """Return a batch to send in `lane`, or None if it is no longer there."""
        return self._guarded(lambda: self._read(stream, seq, lane))

    def acknowledge(self, batches: Iterable[tuple[str, int]], connection: int) -> None:
        """Mark batches, as (stream, seq), that the broker took over on `connection`.

        What is not there any more, or belongs to another stream, is passed over.
        """
        numbers = list(batches)
        self._guarded(lambda: self._acknowledge(numbers, connection))

    def next_connection(self) -> int:
        """Return the number of a connection about to be made, from 1, never used before."""
        return self._guarded(self._next_connection)

    def send_again(self, vouched: int, current: int) -> int:
        """Let batches wait anew whose acknowledgement the broker may have forgotten.

        Args:
            vouched: what was acknowledged on this connection or an earlier one is safe.
            current: the connection that is open; what is acknowledged on it is safe too.

        Returns:
            How many those were.
        """
        return self._guarded(lambda: self._send_again(vouched, current))

    def state(self) -> SpoolState:
        """Return the state of the queue."""
        return self._guarded(self._state)

    def close(self) -> None:
        """Close the file; the spool is not used after that."""
        with self._lock:
            self._database.close()

    # The file

    def _open(self) -> sqlite3.Connection:
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise UserError(f"spool {self._path.parent}: {error.strerror}") from None
        try:
            return self._connect()
        except sqlite3.DatabaseError as error:
            # A table or column that is missing is SQLITE_ERROR.
            if not (_is_corrupt(error) or _code(error) == sqlite3.SQLITE_ERROR):
                raise _unusable(self._path, error) from None
            self._move_aside(str(error))
        except _ForeignFileError as error:
            self._move_aside(str(error))
        return self._connect()

    def _connect(self) -> sqlite3.Connection:
        database = sqlite3.connect(
            self._path, isolation_level=None, check_same_thread=False, timeout=1
        )
        try:
            empty = _check(database)
            _configure(database)
            if empty:
                _create(database)
            _read_through(database)
        except BaseException:
            database.close()
            raise
        return database

    def _move_aside(self, reason: str) -> None:
        target = self._path.with_name(f"{self._path.name}.unreadable-{now_ns()}")
        for suffix in ("", "-wal", "-shm"):
            part = Path(f"{self._path}{suffix}")
            with contextlib.suppress(FileNotFoundError):
                part.rename(f"{target}{suffix}")
        log.error(
            "spool unreadable, moved aside and a new stream begun: file=%s reason=%r kept_as=%s",
            self._path,
            reason,
            target,
        )

    def _guarded(self, operation: Callable[[], T]) -> T:
        with self._lock:
            try:
                return operation()
            except sqlite3.DatabaseError as error:
                if not _is_corrupt(error):
                    raise SpoolUnavailableError(f"spool {self._path}: {error}") from error
                self._database.close()
                self._move_aside(str(error))
                self._database = self._connect()
                return operation()

    @contextlib.contextmanager
    def _transaction(self) -> Iterator[None]:
        self._database.execute("BEGIN IMMEDIATE")
        try:
            yield
            self._database.execute("COMMIT")
        except BaseException:
            if self._database.in_transaction:
                self._database.execute("ROLLBACK")
            raise

    # Operations, under the lock

    def _append(self, lines: bytes) -> Batch:
        compressed = self._compressor.compress(lines)
        with self._transaction():
            stream, seq, created, _ = self._stream_row()
            batch = Batch(stream, seq + 1, max(now_ns(), created + 1), Lane.LIVE, lines)
            self._database.execute(
                "INSERT INTO batch (seq, created, size) VALUES (?, ?, ?)",
                (batch.seq, batch.created, len(compressed)),
            )
            self._database.execute("INSERT INTO payload VALUES (?, ?)", (batch.seq, compressed))
            self._database.execute(
                "UPDATE stream SET last_seq = ?, last_created = ?", (batch.seq, batch.created)
            )
            self._drop_settled(batch.created)
            self._drop_too_old(batch.created)
            self._drop_too_many(batch.seq)
        return batch

    def _stream_row(self) -> tuple[str, int, int, int]:
        row: tuple[str, int, int, int] = self._database.execute("SELECT * FROM stream").fetchone()
        return row

    def _select(self, query: str, *values: int) -> list[tuple[str, int]]:
        stream = self._stream_row()[0]
        return [(stream, seq) for (seq,) in self._database.execute(query, values)]

    def _read(self, stream: str, seq: int, lane: Lane) -> Batch | None:
        if stream != self._stream_row()[0]:
            return None
        row = self._database.execute(
            "SELECT created, lines FROM batch JOIN payload USING (seq) WHERE seq = ?", (seq,)
        ).fetchone()
        if row is None:
            return None
        return Batch(stream, seq, row[0], lane, zstandard.decompress(row[1]))

    def _acknowledge(self, batches: list[tuple[str, int]], connection: int) -> None:
        now = now_ns()
        with self._transaction():
            own = self._stream_row()[0]
            self._database.executemany(
                "UPDATE batch SET acknowledged = ?, connection = ? WHERE seq = ?",
                [(now, connection, seq) for stream, seq in batches if stream == own],
            )
            self._drop_settled(now)

    def _next_connection(self) -> int:
        with self._transaction():
            number = self._stream_row()[3] + 1
            self._database.execute("UPDATE stream SET last_connection = ?", (number,))
        return number

    def _send_again(self, vouched: int, current: int) -> int:
        with self._transaction():
            return self._database.execute(
                "UPDATE batch SET acknowledged = NULL, connection = NULL"
                " WHERE acknowledged IS NOT NULL AND connection > ? AND connection < ?",
                (vouched, current),
            ).rowcount

    def _state(self) -> SpoolState:
        stream, last_seq, _, _ = self._stream_row()
        batches, size, first, oldest = self._database.execute(
            "SELECT count(*), coalesce(sum(size), 0), min(seq), min(created)"
            " FROM batch WHERE acknowledged IS NULL"
        ).fetchone()
        dropped = tuple(self._database.execute("SELECT first, last FROM dropped ORDER BY first"))
        count = sum(last - first + 1 for first, last in dropped)
        return SpoolState(stream, last_seq, first, oldest, batches, size, dropped, count)

    # Bounds

    def _drop_settled(self, now: int) -> None:
        self._forget(_SETTLED, now - self._kept)

    def _drop_too_old(self, now: int) -> None:
        self._declare_dropped(self._forget(_TOO_OLD, now - self._max_age), "age")

    def _drop_too_many(self, newest: int) -> None:
        """Drop what is acknowledged, then the oldest, until the bound holds.

        The newest batch always stays, however small the bound.
        """
        dropped: list[int] = []
        while self._used() > self._max_bytes:
            if self._forget(_FIRST_ACKNOWLEDGED, 1):
                continue
            oldest = self._forget(_OLDEST_BUT, newest)
            if not oldest:
                break
            dropped += oldest
        self._declare_dropped(dropped, "size")

    def _used(self) -> int:
        def pragma(name: str) -> int:
            value: int = self._database.execute(f"PRAGMA {name}").fetchone()[0]
            return value

        return (pragma("page_count") - pragma("freelist_count")) * pragma("page_size")

    def _declare_dropped(self, numbers: list[int], reason: str) -> None:
        if not numbers:
            return
        for seq in numbers:
            extended = self._database.execute(
                "UPDATE dropped SET last = ? WHERE last = ?", (seq, seq - 1)
            ).rowcount
            if not extended:
                self._database.execute("INSERT INTO dropped VALUES (?, ?)", (seq, seq))
        log.error(
            "spool dropped the oldest batches: count=%d first=%d last=%d reason=%s",
            len(numbers),
            numbers[0],
            numbers[-1],
            reason,
        )

    def _forget(self, selection: str, bound: int) -> list[int]:
        numbers = [seq for (seq,) in self._database.execute(selection, (bound,))]
        rows = [(seq,) for seq in numbers]
        self._database.executemany("DELETE FROM batch WHERE seq = ?", rows)
        self._database.executemany("DELETE FROM payload WHERE seq = ?", rows)
        return numbers


class _ForeignFileError(Exception):
    """A SQLite file that is no spool of this version."""


def _check(database: sqlite3.Connection) -> bool:
    """Return whether a database is empty, and so may become a spool.

    Raises:
        _ForeignFileError: it is something else already.
    """
    # An exclusive lock keeps a second agent of the same id away, and spares the
    # shared-memory file, which network file systems can't do.
    database.execute("PRAGMA locking_mode = EXCLUSIVE")
    identity = database.execute("PRAGMA application_id").fetchone()[0]
    version = database.execute("PRAGMA user_version").fetchone()[0]
    empty: bool = database.execute("SELECT count(*) FROM sqlite_master").fetchone()[0] == 0
    if not empty and (identity, version) != (_APPLICATION_ID, _VERSION):
        raise _ForeignFileError(
            f"application_id {identity}, version {version}:"
            f" expected {_APPLICATION_ID}, version {_VERSION}"
        )
    return empty


def _configure(database: sqlite3.Connection) -> None:
    database.execute("PRAGMA journal_mode = WAL")
    # FULL: the log is fsynced at every commit, so a power cut takes nothing that
    # was committed (sqlite.org/pragma.html#pragma_synchronous).
    database.execute("PRAGMA synchronous = FULL")
    database.execute("PRAGMA journal_size_limit = 16777216")


def _create(database: sqlite3.Connection) -> None:
    database.executescript(f"BEGIN IMMEDIATE; {_SCHEMA}")
    database.execute("INSERT INTO stream VALUES (?, 0, 0, 0)", (secrets.token_hex(8),))
    database.execute("COMMIT")


def _read_through(database: sqlite3.Connection) -> None:
    """Read what costs little, for a damaged file to show now."""
    if database.execute("SELECT count(*) FROM stream").fetchone()[0] != 1:
        raise _ForeignFileError("expected one row in its table stream")
    database.execute("SELECT count(*), sum(size) FROM batch").fetchone()
    database.execute("SELECT min(seq), max(seq) FROM payload").fetchone()
    database.execute("SELECT count(*) FROM dropped").fetchone()


def _code(error: sqlite3.DatabaseError) -> int:
    """Return the primary result code (sqlite.org/rescode.html), 0 if SQLite gave none."""
    return getattr(error, "sqlite_errorcode", 0) & 0xFF


def _is_corrupt(error: sqlite3.DatabaseError) -> bool:
    return _code(error) in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)


def _unusable(path: Path, error: sqlite3.DatabaseError) -> UserError:
    if _code(error) == sqlite3.SQLITE_BUSY:
        return UserError(f"spool {path}: another process uses it; an agent runs only once")
    return UserError(f"spool {path}: {error}")
