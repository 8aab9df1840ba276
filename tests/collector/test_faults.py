"""Whatever is killed in the middle of a run, every reading is stored once."""

from __future__ import annotations

import pytest

from campuswatch.stores.base import Aggregate, Store
from tests.collector.installation import (
    Installation,
    Publisher,
    await_stored,
    ledger,
    stored,
    stored_sum,
)
from tests.servers import Server, running, wait_until


@pytest.mark.parametrize("victim", ["collector", "broker", "influxdb"])
def test_a_part_is_killed(
    victim: str,
    installation: Installation,
    publisher: Publisher,
    store: Store,
    broker: Server,
    influxdb: Server,
) -> None:
    with running(installation.collector()) as collector:
        parts: dict[str, Server] = {
            "collector": collector,
            "broker": broker,
            "influxdb": influxdb,
        }
        with publisher.streaming():
            await_stored(store, 250)
            parts[victim].kill()
            before = publisher.batches
            wait_until(lambda: publisher.batches > before + 30, "more batches")
            parts[victim].start()
            await_stored(store, publisher.readings)
        if victim == "broker":
            publisher.send_again()
        await_stored(store, publisher.readings)
        assert_all_stored_once(store, publisher)
        assert_clean_audit(installation)
        assert "Traceback" not in collector.log.read_text()


def assert_all_stored_once(store: Store, publisher: Publisher) -> None:
    assert stored(store) == publisher.readings
    assert stored_sum(store) == sum(range(publisher.readings))
    wait_until(
        lambda: ledger(store, "seq", Aggregate.COUNT_DISTINCT) == publisher.batches, "the ledger"
    )


def assert_clean_audit(installation: Installation) -> None:
    code, [row] = installation.audit("--school", "north")
    assert (code, row["missing"], row["dropped"], row["waiting"]) == (0, 0, 0, 0), row
