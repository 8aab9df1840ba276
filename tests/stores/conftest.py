"""The stores that the contract is tested on."""

import itertools
import os
from collections.abc import Iterator
from contextlib import ExitStack, closing
from dataclasses import dataclass
from pathlib import Path

import pytest

from campuswatch.settings import StoreSettings
from campuswatch.stores import open_store
from campuswatch.stores.base import Query, RejectedLine, Series, Store
from campuswatch.stores.influxdb import InfluxDBStore
from campuswatch.stores.sharing import OwnedStore, SharedStore
from tests import servers

EXTERNAL_URL = "CAMPUSWATCH_TEST_INFLUX_URL"
EXTERNAL_TOKEN = "CAMPUSWATCH_TEST_INFLUX_TOKEN"

STORES = ["duckdb", "duckdb-shared", "influxdb1"] + ["external"] * (EXTERNAL_URL in os.environ)


@dataclass
class WriterAndReader:
    """A store that is written in one place and read in another."""

    writer: Store
    reader: Store

    def write(self, lines: bytes) -> list[RejectedLine]:
        return self.writer.write(lines)

    def query(self, query: Query) -> list[Series]:
        return self.reader.query(query)

    @property
    def samples_at_once(self) -> int:
        return self.reader.samples_at_once

    def ping(self) -> None:
        self.reader.ping()

    def close(self) -> None:
        self.reader.close()
        self.writer.close()


@pytest.fixture(scope="session")
def influxdb1(tmp_path_factory: pytest.TempPathFactory) -> Iterator[servers.Server]:
    with servers.running(servers.influxdb1(tmp_path_factory.mktemp("influxdb1"))) as server:
        yield server


@pytest.fixture(scope="session")
def opened(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[dict[str, Store]]:
    """Each store, opened once; tests keep apart by the names of their measurements."""
    directory: Path = tmp_path_factory.mktemp("stores")
    with ExitStack() as stack:
        stores: dict[str, Store] = {}

        def keep(name: str, store: Store) -> None:
            stores[name] = stack.enter_context(closing(store))

        keep("duckdb", OwnedStore(directory / "one.duckdb", directory / "one.sock"))
        owner = OwnedStore(directory / "two.duckdb", directory / "two.sock")
        keep("duckdb-shared", WriterAndReader(owner, SharedStore(directory / "two.sock")))
        server = request.getfixturevalue("influxdb1")
        keep("influxdb1", InfluxDBStore(f"http://127.0.0.1:{server.port}", "contract"))
        if url := os.environ.get(EXTERNAL_URL):
            token = f"env:{EXTERNAL_TOKEN}" if EXTERNAL_TOKEN in os.environ else None
            keep("external", open_store(StoreSettings(url=url, token=token), directory))
        yield stores


@pytest.fixture(params=STORES)
def store(request: pytest.FixtureRequest, opened: dict[str, Store]) -> Store:
    return opened[request.param]


_numbers = itertools.count()


def fresh_name() -> str:
    """Return a measurement that no store knows yet, not even one that outlived other runs."""
    return f"m{os.getpid()}_{os.urandom(3).hex()}_{next(_numbers)}"


@pytest.fixture
def name() -> str:
    return fresh_name()
