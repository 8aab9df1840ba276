"""From a store's address to the store, or to an error that helps."""

from contextlib import closing
from pathlib import Path

import pytest

from campuswatch.errors import UserError
from campuswatch.lineprotocol import encode
from campuswatch.readings import Reading
from campuswatch.settings import StoreSettings
from campuswatch.stores import open_store
from campuswatch.stores.base import Query
from campuswatch.stores.influxdb import InfluxDBStore
from campuswatch.stores.sharing import OwnedStore
from tests import servers


def test_an_influxdb_address_opens_that_database(influxdb1: servers.Server, tmp_path: Path) -> None:
    url = f"influxdb://127.0.0.1:{influxdb1.port}/a%20database"
    with closing(open_store(StoreSettings(url=url), tmp_path)) as store:
        assert isinstance(store, InfluxDBStore)
        store.write(encode([Reading("m", {}, {"f": 1.5}, 1)]))
        (series,) = store.query(Query("m", ("f",), 0, 10))
        assert series.columns == {"f": [1.5]}


def test_a_duckdb_address_may_be_absolute(tmp_path: Path) -> None:
    path = tmp_path / "elsewhere" / "x.duckdb"
    with closing(open_store(StoreSettings(url=f"duckdb:{path}"), tmp_path / "data")) as store:
        assert isinstance(store, OwnedStore)
    assert path.exists()


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("", "expected duckdb:FILE or influxdb://HOST"),
        ("duckdb:", "expected duckdb:FILE or influxdb://HOST"),
        ("mysql://host/db", "expected duckdb:FILE or influxdb://HOST"),
        ("influxdb://host:8086", "expected duckdb:FILE or influxdb://HOST"),
        ("influxdb:///bucket", "expected duckdb:FILE or influxdb://HOST"),
        ("influxdb://host:port/bucket", "expected a port from 1 to 65535"),
        ("influxdb://host:99999/bucket", "expected a port from 1 to 65535"),
        ("influxdb://user@host/bucket", "user, password or token go to store.token"),
        ("influxdb://host/bucket?organisation=x", "unknown option 'organisation'; known: org"),
    ],
)
def test_a_wrong_address_is_explained(url: str, said: str, tmp_path: Path) -> None:
    with pytest.raises(UserError, match=said.replace("?", r"\?")):
        open_store(StoreSettings(url=url), tmp_path)


def test_a_password_in_an_address_is_not_repeated(tmp_path: Path) -> None:
    with pytest.raises(UserError) as raised:
        open_store(StoreSettings(url="influxdb://user:hunter2@host/bucket"), tmp_path)
    assert "hunter2" not in str(raised.value)


def test_a_missing_token_is_named(tmp_path: Path) -> None:
    settings = StoreSettings(url="influxdb://host/bucket", token="env:NO_SUCH_TOKEN_HERE")
    with pytest.raises(UserError, match=r"store\.token: environment variable NO_SUCH_TOKEN_HERE"):
        open_store(settings, tmp_path)
