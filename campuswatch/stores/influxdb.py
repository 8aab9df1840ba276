"""InfluxDB: lines go in as they are, queries are InfluxQL.

One store speaks to 1.x (`/write`, Basic authentication), 1.8, 2.x and 3.x
(`/api/v2/write`, tokens): `/ping` says which it is. On 1.x the database is
made if it is missing; on 2.x the bucket must exist. InfluxQL finds a bucket by
its name from 2.4 on; before, it needs a DBRP mapping (`influx v1 dbrp create`).
"""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import httpx
from influxdb_client.client.influxdb_client import InfluxDBClient
from influxdb_client.client.write_api import SYNCHRONOUS
from influxdb_client.rest import ApiException
from urllib3.exceptions import HTTPError as TransportError

from campuswatch.lineprotocol import FIELD_TYPES, RejectedLine, scan
from campuswatch.readings import Reading
from campuswatch.stores.base import (
    Query,
    Series,
    StoreError,
    StoreUnavailableError,
)
from campuswatch.stores.influxql import identifier, read, statements
from campuswatch.stores.runs import in_runs

_ABOUT_LINES: Final = re.compile(r"partial write|unable to parse|conflict|line protocol|too large")
"""Refusals that are about what the lines say, not about the request."""

_CONFLICT: Final = re.compile(
    r'field type conflict: input field "(?P<field>.*)" on measurement "(?P<measurement>.*)"'
    r" is type (?P<type>\w+), already exists",
    re.DOTALL,
)
_DROPPED: Final = re.compile(r"dropped=(\d+)\s*$")


@dataclass(frozen=True, slots=True)
class _Refusal:
    """An answer that is no success."""

    status: int
    message: str
    retry_after: float | None


class InfluxDBStore:
    """Readings in a bucket of InfluxDB, or a database of InfluxDB 1.x."""

    samples_at_once = 500_000

    def __init__(
        self, url: str, bucket: str, *, org: str = "", token: str | None = None, timeout: float = 30
    ) -> None:
        """Name the server; it is not contacted before it is needed.

        Args:
            url: `http://host:port`.
            bucket: the bucket (2.x, 3.x) or the database (1.x).
            org: the organisation that owns the bucket; 2.x needs it.
            token: an API token; for 1.x `user:password`.
            timeout: longest wait for an answer, s.
        """
        self._url = url
        self._bucket = bucket
        self._org = org
        self._token = token
        self._http = httpx.Client(base_url=url, timeout=timeout)
        # Not compressed: that takes 20 times the processor time of sending lines as they are.
        self._client = InfluxDBClient(url, token or "", org=org, timeout=int(timeout * 1000))
        self._write_api = self._client.write_api(SYNCHRONOUS)
        self._lock = threading.Lock()
        self._post: Callable[[bytes], _Refusal | None] | None = None

    def write(self, lines: bytes) -> list[RejectedLine]:
        """See `Store.write`."""
        refusal = self._poster()(lines)
        if refusal is None:
            return []
        self._raise_unless_about_lines(refusal)
        rejected: list[RejectedLine] = []
        good: list[tuple[bytes, Reading]] = []
        for text, found in scan(lines):
            if isinstance(found, RejectedLine):
                rejected.append(found)
            else:
                good.append((text.encode(), found))
        return rejected + self._write_apart(good)

    def query(self, query: Query) -> list[Series]:
        """See `Store.query`."""
        if not all(query.where.values()):
            return []
        found = read(query, self._ask(statements(query)))
        return found if query.runs is None else [in_runs(one, query.runs) for one in found]

    def ping(self) -> None:
        """See `Store.ping`."""
        self._poster()
        self._version()

    def close(self) -> None:
        """See `Store.close`."""
        self._http.close()
        self._client.close()  # type: ignore[no-untyped-call]

    # Writing

    def _write_apart(self, lines: Sequence[tuple[bytes, Reading]]) -> list[RejectedLine]:
        """Store the good lines among some of which at least one is bad.

        A refusal that says which lines it means settles them at once, any
        other is narrowed down by halves. Lines may be stored more than once,
        which changes nothing.
        """
        if not lines:
            return []
        refusal = self._poster()(b"".join(line + b"\n" for line, _ in lines))
        if refusal is None:
            return []
        self._raise_unless_about_lines(refusal)
        if bad := _meant(refusal, lines):
            reason = _DROPPED.sub("", refusal.message).strip()
            good = [pair for pair in lines if pair[0] not in bad]
            rejected = [RejectedLine(line, reason) for line, _ in lines if line in bad]
            return rejected + self._write_apart(good)
        half = len(lines) // 2
        return self._write_apart(lines[:half]) + self._write_apart(lines[half:])

    def _raise_unless_about_lines(self, refusal: _Refusal) -> None:
        if refusal.status in (400, 413, 422) and _ABOUT_LINES.search(refusal.message):
            return
        raise self._error(refusal)

    def _poster(self) -> Callable[[bytes], _Refusal | None]:
        """Return how this server takes lines."""
        with self._lock:
            if self._post is None:
                self._post = self._introduce()
            return self._post

    def _introduce(self) -> Callable[[bytes], _Refusal | None]:
        major, minor = self._version()
        if major == 2 and not self._org:
            raise StoreError(f"{self._url}: InfluxDB 2 needs the organisation: add ?org=NAME")
        if major > 1:
            if self._token:
                self._http.headers["Authorization"] = f"Token {self._token}"
            return self._post_v2
        if self._token:
            user, _, password = self._token.partition(":")
            self._http.auth = httpx.BasicAuth(user, password)
        # A user who may not do this may still write to a database that is there.
        self._request("/query", data={"q": f"CREATE DATABASE {identifier(self._bucket)}"})
        return self._post_v2 if minor >= 8 else self._post_v1

    def _version(self) -> tuple[int, int]:
        try:
            answer = self._http.get("/ping")
        except httpx.TransportError as error:
            raise StoreUnavailableError(f"{self._url}: {error}") from None
        if answer.status_code >= 500:
            raise self._error(_refusal(answer.status_code, answer.content, answer.headers))
        found = re.match(r"v?(\d+)\.(\d+)", answer.headers.get("X-Influxdb-Version", ""))
        # Those that only speak its protocol do not say; they know the newer way to write.
        return (int(found[1]), int(found[2])) if found else (3, 0)

    def _post_v1(self, lines: bytes) -> _Refusal | None:
        answer = self._request("/write", {"db": self._bucket, "precision": "ns"}, content=lines)
        if answer.is_success:
            return None
        return _refusal(answer.status_code, answer.content, answer.headers)

    def _post_v2(self, lines: bytes) -> _Refusal | None:
        try:
            self._write_api.write(self._bucket, self._org, lines)
        except ApiException as error:
            body = error.body or error.reason or ""
            return _refusal(error.status or 0, body.encode(), error.headers or {})
        except TransportError as error:
            raise StoreUnavailableError(f"{self._url}: {error}") from None
        return None

    # Reading

    def _ask(self, questions: Sequence[str]) -> Iterator[tuple[int, dict[str, Any]]]:
        """Send statements; yield (number of the statement, part of a series)."""
        self._poster()
        answer = self._request(
            "/query",
            {"db": self._bucket, "epoch": "ns", "chunked": "true"},
            data={"q": ";".join(questions)},
        )
        if not answer.is_success:
            raise self._error(_refusal(answer.status_code, answer.content, answer.headers))
        for line in answer.content.splitlines():
            document = json.loads(line)
            for result in (document, *document.get("results", ())):
                if "error" in result:
                    missing = result["error"].startswith("database not found")
                    raise self._error(_Refusal(404 if missing else 400, result["error"], None))
                for series in result.get("series", ()):
                    yield result["statement_id"], series

    def _request(
        self,
        path: str,
        params: Mapping[str, str] | None = None,
        *,
        data: Mapping[str, str] | None = None,
        content: bytes | None = None,
    ) -> httpx.Response:
        try:
            return self._http.post(path, params=params, data=data, content=content)
        except httpx.TransportError as error:
            raise StoreUnavailableError(f"{self._url}: {error or type(error).__name__}") from None

    def _error(self, refusal: _Refusal) -> StoreError | StoreUnavailableError:
        """Say what an answer means and what to do about it."""
        said = f"{self._url}: {refusal.message} (HTTP {refusal.status})"
        match refusal.status:
            case 401:
                return StoreError(f"{said}; check store.token")
            case 403:
                return StoreError(f"{said}; the token may not use bucket {self._bucket!r}")
            case 404:
                return StoreError(f"{said}; create bucket {self._bucket!r}")
            case 429:
                return StoreUnavailableError(said, refusal.retry_after)
            case status if status >= 500:
                return StoreUnavailableError(said, refusal.retry_after)
        return StoreError(said)


def _refusal(status: int, body: bytes, headers: Mapping[str, str]) -> _Refusal:
    try:
        document = json.loads(body)
        message = document.get("message") or document["error"]
    except (ValueError, KeyError, AttributeError):
        message = body.decode(errors="replace").strip()
    wait = headers.get("Retry-After", "")
    return _Refusal(status, str(message), float(wait) if wait.isdecimal() else None)


def _meant(refusal: _Refusal, lines: Sequence[tuple[bytes, Reading]]) -> set[bytes]:
    """Return the lines that a refusal means, if that is certain."""
    dropped = _DROPPED.search(refusal.message)
    if len(lines) == 1 or (dropped and int(dropped[1]) == len(lines)):
        return {line for line, _ in lines}
    conflict = _CONFLICT.search(refusal.message)
    if conflict is None:
        return set()
    name, measurement, type_ = conflict["field"], conflict["measurement"], conflict["type"]
    return {
        line
        for line, reading in lines
        if reading.measurement == measurement
        and name in reading.fields
        and FIELD_TYPES[type(reading.fields[name])] == type_
    }
