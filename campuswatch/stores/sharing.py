"""Reading a DuckDB file beside the process that holds it.

DuckDB lets one process open a file. That process also answers queries on a
Unix socket beside the file, readable by its user alone, so that `campuswatch
check` works while `campuswatch up` runs. A request and an answer are one line
of JSON each.
"""

from __future__ import annotations

import json
import socket
import socketserver
import threading
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final, cast

from campuswatch.errors import UserError
from campuswatch.lineprotocol import RejectedLine
from campuswatch.stores.base import (
    Aggregate,
    Query,
    Runs,
    Series,
    Store,
    StoreError,
    StoreUnavailableError,
)
from campuswatch.stores.duckdb import DuckDBStore

_MAX_ADDRESS: Final = 103
"""Longest path of a Unix socket that Linux, macOS and the BSDs take, bytes."""

_PATIENCE: Final = 5.0
"""How long the holder of a file may take to begin or to cease answering, s."""

_ANSWER_TIMEOUT: Final = 60.0
"""Longest wait for an answer, s."""

_SHUTDOWN_DELAY: Final = 0.1
"""Longest time that `close` waits for the server's thread to notice, s."""


def open_shared(path: Path) -> Store:
    """Open a DuckDB file, or reach the process that holds it.

    Raises:
        UserError: the path is too long for a socket beside it.
        StoreUnavailableError: another process holds the file and does not answer.
        StoreError: it is no DuckDB file.
    """
    address = path.with_name(path.name + ".sock")
    if len(str(address).encode()) > _MAX_ADDRESS:
        raise UserError(
            f"{address}: expected a path of at most {_MAX_ADDRESS} bytes; move data_dir"
        )
    deadline = time.monotonic() + _PATIENCE
    while True:
        guest = SharedStore(address)
        try:
            guest.ping()
        except StoreUnavailableError:
            pass
        else:
            return guest
        try:
            return OwnedStore(path, address)
        except StoreUnavailableError:
            if time.monotonic() > deadline:
                raise
        time.sleep(0.05)


class OwnedStore(DuckDBStore):
    """The DuckDB file of this process, which answers others' queries too."""

    def __init__(self, path: Path, address: Path) -> None:
        super().__init__(path)
        self._address = address
        # Whoever made a socket there no longer holds the file.
        address.unlink(missing_ok=True)
        self._server = _Server(address, self)
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=(_SHUTDOWN_DELAY,), daemon=True
        )
        self._thread.start()

    def close(self) -> None:
        """See `Store.close`."""
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()
        self._address.unlink(missing_ok=True)
        super().close()


class SharedStore:
    """A DuckDB file that another process holds: it can be read, not written."""

    samples_at_once = DuckDBStore.samples_at_once

    def __init__(self, address: Path) -> None:
        self._address = str(address)

    def write(self, lines: bytes) -> list[RejectedLine]:
        """Refuse: only the process that holds the file writes.

        Raises:
            StoreError: always.
        """
        raise StoreError(
            f"{self._address}: another process holds this DuckDB file and alone writes to it; "
            "several writers need InfluxDB"
        )

    def query(self, query: Query) -> list[Series]:
        """See `Store.query`."""
        return [Series(**series) for series in self._ask(asdict(query))]

    def ping(self) -> None:
        """See `Store.ping`."""
        self._ask(None)

    def close(self) -> None:
        """See `Store.close`."""

    def _ask(self, question: dict[str, Any] | None) -> list[dict[str, Any]]:
        try:
            with socket.socket(socket.AF_UNIX) as connection:
                connection.settimeout(_ANSWER_TIMEOUT)
                connection.connect(self._address)
                with connection.makefile("rwb") as stream:
                    stream.write(json.dumps(question).encode() + b"\n")
                    stream.flush()
                    answer = json.loads(stream.readline() or b"{}")
        except OSError as error:
            raise StoreUnavailableError(f"{self._address}: {error}") from None
        if "refused" in answer:
            raise StoreError(answer["refused"])
        if "series" not in answer:
            raise StoreUnavailableError(f"{self._address}: the process ended before it answered")
        return cast("list[dict[str, Any]]", answer["series"])


class _Server(socketserver.ThreadingUnixStreamServer):
    daemon_threads = True

    def __init__(self, address: Path, store: DuckDBStore) -> None:
        super().__init__(str(address), _Handler)
        address.chmod(0o600)
        self.store = store


class _Handler(socketserver.StreamRequestHandler):
    """Answers one question; `null` asks whether somebody is there."""

    def handle(self) -> None:
        question = json.loads(self.rfile.readline())
        server = cast("_Server", self.server)
        answer: dict[str, Any]
        try:
            series = [] if question is None else server.store.query(_query(question))
            # asdict would copy every value of every row.
            answer = {
                "series": [
                    {
                        "tags": one.tags,
                        "times": one.times,
                        "columns": one.columns,
                        "until": one.until,
                    }
                    for one in series
                ]
            }
        except StoreError as error:
            answer = {"refused": str(error)}
        self.wfile.write(json.dumps(answer).encode() + b"\n")


def _query(question: dict[str, Any]) -> Query:
    aggregate, runs = question["aggregate"], question["runs"]
    return Query(
        **question
        | {
            "fields": tuple(question["fields"]),
            "group_by": tuple(question["group_by"]),
            "aggregate": None if aggregate is None else Aggregate(aggregate),
            "runs": None if runs is None else Runs(**runs),
        }
    )
