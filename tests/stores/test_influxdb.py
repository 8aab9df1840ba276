"""What the InfluxDB store does beyond the contract: versions, refusals, outages."""

import http.server
import json
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import httpx
import pytest

from campuswatch.lineprotocol import encode
from campuswatch.readings import Reading, now_ns
from campuswatch.settings import StoreSettings
from campuswatch.stores import open_store
from campuswatch.stores.base import Aggregate, Query, StoreError, StoreUnavailableError
from campuswatch.stores.influxdb import InfluxDBStore
from tests import servers

T0 = 1_700_000_000_000_000_000


def points(start: int, stop: int) -> bytes:
    return encode(
        Reading("m", {"device": f"d{n % 7}"}, {"n": n}, T0 + n) for n in range(start, stop)
    )


def count(store: InfluxDBStore) -> int:
    query = Query("m", ("n",), T0, T0 + 10**9, aggregate=Aggregate.COUNT)
    return sum(int(series.columns["n"][0] or 0) for series in store.query(query))


def test_an_outage_is_told_and_survived(tmp_path: Path) -> None:
    with (
        servers.running(servers.influxdb1(tmp_path)) as server,
        closing(InfluxDBStore(f"http://127.0.0.1:{server.port}", "db", timeout=5)) as store,
    ):
        assert store.write(points(0, 100)) == []
        server.kill()
        with pytest.raises(StoreUnavailableError):
            store.write(points(100, 200))
        with pytest.raises(StoreUnavailableError):
            count(store)
        with pytest.raises(StoreUnavailableError):
            store.ping()
        server.start()
        store.ping()
        assert store.write(points(100, 200)) == []
        assert count(store) == 200


def test_a_server_that_hangs_is_unavailable(tmp_path: Path) -> None:
    with (
        servers.running(servers.influxdb1(tmp_path)) as server,
        closing(InfluxDBStore(f"http://127.0.0.1:{server.port}", "db", timeout=0.5)) as store,
    ):
        assert store.write(points(0, 1)) == []
        server.pause()
        try:
            with pytest.raises(StoreUnavailableError):
                store.write(points(0, 1))
            with pytest.raises(StoreUnavailableError):
                count(store)
        finally:
            server.resume()
        assert store.write(points(0, 1)) == []


def test_a_store_may_be_opened_before_its_server_runs(tmp_path: Path) -> None:
    server = servers.influxdb1(tmp_path)
    with closing(InfluxDBStore(f"http://127.0.0.1:{server.port}", "db")) as store:
        with pytest.raises(StoreUnavailableError):
            store.ping()
        with servers.running(server):
            assert store.write(points(0, 1)) == []


def test_a_database_that_went_missing_is_named(influxdb1: servers.Server) -> None:
    base = f"http://127.0.0.1:{influxdb1.port}"
    with closing(InfluxDBStore(base, "gone")) as store:
        store.ping()
        httpx.post(f"{base}/query", data={"q": 'DROP DATABASE "gone"'})
        with pytest.raises(StoreError, match=r"database not found.*create bucket 'gone'"):
            store.write(points(0, 1))
        with pytest.raises(StoreError, match=r"database not found.*create bucket 'gone'"):
            count(store)


def test_points_older_than_the_retention_are_rejected_alone(influxdb1: servers.Server) -> None:
    base = f"http://127.0.0.1:{influxdb1.port}"
    httpx.post(f"{base}/query", data={"q": 'CREATE DATABASE "short" WITH DURATION 1h'})
    now = now_ns()
    lines = encode(Reading("m", {}, {"n": n}, time) for n in range(40) for time in (n, now + n))
    with closing(InfluxDBStore(base, "short")) as store:
        rejected = store.write(lines)
        assert [item.line for item in rejected] == lines.split(b"\n")[0:80:2]
        assert {item.reason for item in rejected} == {
            "partial write: points beyond retention policy"
        }
        (series,) = store.query(Query("m", ("n",), 0, now + 100))
        assert series.columns["n"] == list(range(40))


@pytest.fixture
def locked(tmp_path: Path) -> Iterator[str]:
    """An InfluxDB 1.x that asks for a password; user `root` may do everything."""
    with servers.running(servers.influxdb1(tmp_path, auth=True)) as server:
        base = f"http://127.0.0.1:{server.port}"
        make = "CREATE USER root WITH PASSWORD 'secret:1' WITH ALL PRIVILEGES"
        httpx.post(f"{base}/query", data={"q": make}).raise_for_status()
        yield base


def test_a_user_and_password_open_influxdb_1(locked: str) -> None:
    with closing(InfluxDBStore(locked, "db", token="root:secret:1")) as store:
        assert store.write(points(0, 10)) == []
        assert count(store) == 10


@pytest.mark.parametrize("token", [None, "root:wrong", "nobody:at all"])
def test_a_wrong_password_is_told_and_rejects_no_line(locked: str, token: str | None) -> None:
    with closing(InfluxDBStore(locked, "db", token=token)) as store:
        with pytest.raises(StoreError, match=r"401.*check store\.token"):
            store.write(points(0, 10))
        with pytest.raises(StoreError, match=r"401.*check store\.token"):
            count(store)


def test_a_user_who_may_only_write_needs_a_database_that_is_there(locked: str) -> None:
    admin = httpx.BasicAuth("root", "secret:1")
    for statement in (
        "CREATE USER writer WITH PASSWORD 'w'",
        'CREATE DATABASE "ours"',
        'GRANT ALL ON "ours" TO writer',
    ):
        httpx.post(f"{locked}/query", data={"q": statement}, auth=admin).raise_for_status()
    with closing(InfluxDBStore(locked, "ours", token="writer:w")) as store:
        assert store.write(points(0, 10)) == []
        assert count(store) == 10
    with (
        closing(InfluxDBStore(locked, "theirs", token="writer:w")) as store,
        pytest.raises(StoreError, match=r"403|404"),
    ):
        store.write(points(0, 10))


@contextmanager
def answering(status: int, headers: dict[str, str], body: str, version: str) -> Iterator[str]:
    """Stand in for servers that refuse in ways a local one can't be brought to."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(204)
            self.send_header("X-Influxdb-Version", version)
            self.end_headers()

        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body.encode())

        def log_message(self, *_: object) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


@pytest.mark.parametrize("version", ["1.7.11", "v2.7.12", "3.0.1"])
@pytest.mark.parametrize("status", [429, 500, 503])
def test_a_server_that_is_busy_says_for_how_long(version: str, status: int) -> None:
    headers = {"Retry-After": "7"}
    with (
        answering(status, headers, '{"message": "busy"}', version) as url,
        closing(InfluxDBStore(url, "b", org="o", token="t")) as store,
    ):
        with pytest.raises(StoreUnavailableError, match="busy") as written:
            store.write(points(0, 1))
        assert written.value.retry_after == 7
        with pytest.raises(StoreUnavailableError, match="busy") as asked:
            count(store)
        assert asked.value.retry_after == 7


@pytest.mark.parametrize(
    ("status", "body", "said"),
    [
        (401, '{"message": "unauthorized access"}', r"unauthorized access.*check store\.token"),
        (403, '{"message": "forbidden"}', "may not use bucket 'b'"),
        (404, '{"message": "bucket \\"b\\" not found"}', "create bucket 'b'"),
        (400, '{"message": "something new"}', "something new"),
        (418, "<html>a proxy</html>", "a proxy"),
    ],
)
def test_a_refusal_of_the_request_rejects_no_line(status: int, body: str, said: str) -> None:
    with (
        answering(status, {}, body, "v2.7.12") as url,
        closing(InfluxDBStore(url, "b", org="o", token="t")) as store,
        pytest.raises(StoreError, match=said),
    ):
        store.write(points(0, 3))


def test_influxdb_2_needs_an_organisation() -> None:
    with (
        answering(204, {}, "", "v2.7.12") as url,
        closing(InfluxDBStore(url, "b", token="t")) as store,
        pytest.raises(StoreError, match=r"add \?org=NAME"),
    ):
        store.write(points(0, 1))


def test_victoria_metrics_takes_lines_at_api_v2_write(tmp_path: Path) -> None:
    with servers.running(servers.victoria_metrics(tmp_path)) as server:
        url = f"influxdb://127.0.0.1:{server.port}/campus"
        with closing(open_store(StoreSettings(url=url), tmp_path)) as store:
            now = now_ns() // 10**6 * 10**6
            reading = Reading(
                "wifi_signal",
                {"device": "probe 1", "room": "a,b=c"},
                {"rssi": -67.5, "channel": 36, "ssid": "not kept"},
                now,
            )
            assert store.write(encode([reading, reading])) == []
            base = f"http://127.0.0.1:{server.port}"

            def exported() -> dict[str, dict[str, object]]:
                httpx.get(f"{base}/internal/force_flush")
                text = httpx.get(f"{base}/api/v1/export", params={"match[]": '{device!=""}'}).text
                rows = [json.loads(line) for line in text.splitlines()]
                return {row["metric"].pop("__name__"): row for row in rows}

            servers.wait_until(lambda: len(exported()) >= 2, "both fields to be searchable")
            found = exported()
            assert found.keys() >= {"wifi_signal_rssi", "wifi_signal_channel"}
            rssi = found["wifi_signal_rssi"]
            assert set(rssi["values"]) == {-67.5}  # type: ignore[call-overload]
            assert set(rssi["timestamps"]) == {now // 10**6}  # type: ignore[call-overload]
            labels = rssi["metric"]
            assert isinstance(labels, dict)
            assert labels["device"] == "probe 1"
            assert labels["room"] == "a,b=c"
            server.kill()
            with pytest.raises(StoreUnavailableError):
                store.write(encode([reading]))
