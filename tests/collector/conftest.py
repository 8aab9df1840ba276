"""The servers that the collector stands between."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from pathlib import Path

import pytest

from campuswatch.stores.influxdb import InfluxDBStore
from tests.collector.installation import Installation, Publisher
from tests.servers import Server, influxdb1, mosquitto, running

_numbers = itertools.count(1)


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with running(mosquitto(tmp_path_factory.mktemp("mosquitto"))) as server:
        yield server


@pytest.fixture(scope="module")
def influxdb(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with running(influxdb1(tmp_path_factory.mktemp("influxdb"))) as server:
        yield server


@pytest.fixture
def installation(tmp_path: Path, broker: Server, influxdb: Server) -> Installation:
    """Return a district of its own on the shared servers."""
    district = f"d{next(_numbers)}"
    return Installation(
        tmp_path, district, broker, f"influxdb://127.0.0.1:{influxdb.port}/{district}"
    )


@pytest.fixture
def store(installation: Installation, influxdb: Server) -> Iterator[InfluxDBStore]:
    store = InfluxDBStore(f"http://127.0.0.1:{influxdb.port}", installation.district)
    yield store
    store.close()


@pytest.fixture
def publisher(installation: Installation, broker: Server) -> Iterator[Publisher]:
    publisher = Publisher(installation.address(), broker)
    yield publisher
    publisher.close()
