"""The collector as a process, between a real broker and a real InfluxDB."""

from __future__ import annotations

import json
import subprocess

import zstandard
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from campuswatch.readings import now_ns
from campuswatch.stores.base import Aggregate, Query, Store
from campuswatch.wire import COMPRESSED, Channel
from tests.collector.installation import (
    START,
    Installation,
    Publisher,
    await_stored,
    ledger,
    stored,
)
from tests.programs import COMMAND
from tests.servers import Server, running, wait_until

EVER = (10**18, now_ns() + 10**15)


def properties(content_type: str | None = None, **user: str) -> Properties:
    found = Properties(PacketTypes.PUBLISH)  # type: ignore[no-untyped-call]
    if content_type is not None:
        found.ContentType = content_type
    if user:
        found.UserProperty = list(user.items())
    return found


def values(store: Store, measurement: str, *fields: str) -> list[tuple[object, ...]]:
    """Return (school, agent, field, ...) of each point."""
    query = Query(measurement, fields, *EVER, group_by=("school", "agent"))
    return [
        (series.tags["school"], series.tags["agent"], *row)
        for series in store.query(query)
        for row in zip(*(series.columns[name] for name in fields), strict=True)
    ]


def test_two_collectors_share_the_work(
    installation: Installation, publisher: Publisher, store: Store
) -> None:
    with running(installation.collector("c1")) as first, running(installation.collector("c2")):
        with publisher.streaming():
            await_stored(store, 250)
            first.kill()
            before = publisher.batches
            wait_until(lambda: publisher.batches > before + 30, "more batches")
            first.start()
        await_stored(store, publisher.readings)
    assert stored(store) == publisher.readings
    shares = store.query(
        Query("delivery", ("seq",), *EVER, group_by=("collector",), aggregate=Aggregate.COUNT)
    )
    assert [share.tags["collector"] for share in shares] == ["c1", "c2"]
    code, [row] = installation.audit("--school", "north")
    assert (code, row["missing"], row["waiting"]) == (0, 0, 0)


def test_a_collector_that_retires_leaves_nothing_behind(
    installation: Installation, publisher: Publisher, store: Store
) -> None:
    with running(installation.collector("c1")), running(installation.collector("c2")):
        publisher.send()
        await_stored(store, 25)
    # Both are away, so that half of this waits for each.
    publisher.send(20)
    command = [COMMAND, "collector", "--config", str(installation.config), "--id", "c2", "--retire"]
    subprocess.run(command, check=True, capture_output=True, timeout=60)
    half = stored(store)
    assert 25 < half < publisher.readings
    # What comes now is all for the one that stays.
    publisher.send(20)
    with running(installation.collector("c1")):
        await_stored(store, publisher.readings)


def test_stopping_finishes_the_write_in_hand(
    installation: Installation, publisher: Publisher, store: Store
) -> None:
    with running(installation.collector()) as collector:
        with publisher.streaming():
            await_stored(store, 250)
            collector.stop()
            # Batches keep coming; the broker has them.
            collector.start()
            await_stored(store, stored(store) + 250)
        await_stored(store, publisher.readings)
    # What was written was acknowledged before the end, so that nothing came twice.
    assert ledger(store, "seq", Aggregate.COUNT) == publisher.batches


def test_a_store_that_is_down_stops_acknowledgements_but_not_the_process(
    installation: Installation, publisher: Publisher, store: Store, influxdb: Server
) -> None:
    with running(installation.collector()) as collector:
        publisher.send(1)
        await_stored(store, 25)
        influxdb.kill()
        publisher.send(100)
        collector.await_print("the store takes no write")
        assert collector.alive()
        collector.kill()
        influxdb.start()
        # It died before the store was back, so what it held must come again.
        collector.start()
        await_stored(store, publisher.readings)
    assert stored(store) == publisher.readings


def test_bad_lines_are_kept_aside_and_good_ones_stored(
    installation: Installation, publisher: Publisher, store: Store
) -> None:
    good = f"environment,device=s1 co2=1 {START}\n".encode()
    bad = b"environment,device=s1 co2=high 1\n"
    conflict = f'environment,device=s1 co2="text" {START + 1}\n'.encode()
    numbered = {"stream": "s", "created": str(START)}
    with installation.collecting(store):
        publisher.send_raw(good, properties=properties(seq="1", **numbered))
        await_stored(store, 1)
        later = good.replace(str(START).encode(), str(START + 2).encode())
        publisher.send_raw(bad + later + conflict, properties=properties(seq="2", **numbered))
        publisher.send_raw(b"no zstd", properties=properties(COMPRESSED))
        publisher.send_raw(good, topic=f"campus/v1/{installation.district}/north/unheard-of/data")
        wait_until(lambda: len(installation.quarantined()) == 4, "four refusals")
    assert stored(store) == 2
    reasons = {record["line"]: record["reason"] for record in installation.quarantined()}
    assert "expected a number" in reasons[bad.decode().strip()]
    assert "zstd" in reasons["no zstd"]
    assert "inventory" in reasons[good.decode()]
    [conflicting] = [line for line in reasons if '"text"' in line]
    assert "conflict" in reasons[conflicting]
    assert {(record["school"], record["agent"]) for record in installation.quarantined()} == {
        ("north", "north-1"),
        ("north", "unheard-of"),
    }
    assert (ledger(store, "lines"), ledger(store, "quarantined")) == (2, 2)


def test_a_telegraf_in_a_school_is_welcome(
    installation: Installation, publisher: Publisher, store: Store
) -> None:
    lines = f"cpu,host=s1 usage=1.5 {START}\ncpu,host=s2 usage=2.5 {START}".encode()
    with installation.collecting(store):
        publisher.send_raw(lines)
        publisher.send_raw(
            zstandard.compress(b"cpu,host=s3 usage=3.5\n"), properties=properties(COMPRESSED)
        )
        wait_until(lambda: stored(store, "cpu", "usage") == 3, "three points")
    assert {row[:2] for row in values(store, "cpu", "usage")} == {("north", "north-1")}
    assert not store.query(Query("delivery", ("seq",), *EVER))


def test_nobody_speaks_for_another_school(
    installation: Installation, publisher: Publisher, store: Store
) -> None:
    claims = [
        b"environment,school=south,agent=south-1,device=s1 co2=1",
        b"environment,device=s2,agent=south-1,school=south co2=1",
        b'environment,device=s3 co2=1,note="\nenvironment,school=south,device=x co2=1"',
        b'environment,device=s4,x="a co2=1 1730000000000000001\nenvironment,school=south co2=1',
        b"environment,device=s5\\\nenvironment,school=south co2=1",
        b"environment,device=s6,sch\\ool=south co2=1",
    ]
    with installation.collecting(store):
        for number, claim in enumerate(claims):
            publisher.send_raw(claim + f" {START + number}\n".encode())
        publisher.send()
        await_stored(store, 25)
    for measurement in ("environment", "delivery"):
        query = Query(measurement, ("co2", "seq"), *EVER, group_by=("school", "agent"))
        tags = [(each.tags["school"], each.tags["agent"]) for each in store.query(query)]
        assert tags == [("north", "north-1")]
    devices = Query("environment", ("co2",), *EVER, group_by=("device",))
    found = {series.tags["device"] for series in store.query(devices)}
    assert {"s1", "s2", "s3"} <= found


def test_what_agents_say_of_themselves_is_kept(
    installation: Installation, publisher: Publisher, store: Store
) -> None:
    topic = installation.address().topic(Channel.STATUS)
    online = (
        b'{"state": "online", "version": "1", "stream": "stream-1", "first_unsent": null,'
        b' "last_seq": 7, "dropped": [[2, 3], [5, 5]], "since": 1}'
    )
    fields = ("state", "last_seq", "first_unsent", "dropped")
    publisher.send_raw(online, topic=topic)
    with installation.collecting(store):
        publisher.send_raw(b"not json", topic=topic)
        publisher.send_raw(online, topic=topic)
        wait_until(lambda: len(installation.quarantined()) == 1, "a refusal")
        wait_until(lambda: bool(values(store, "agent_status", *fields)), "a status")
        publisher.send_raw(b'{"state": "offline"}', topic=topic)
        wait_until(
            lambda: (
                ("north", "north-1", 0, None, None, None) in values(store, "agent_status", *fields)
            ),
            "the last will",
        )
    assert ("north", "north-1", 1, 7, 8, "2-3,5") in values(store, "agent_status", *fields)


def test_what_became_of_pushed_configurations_is_kept(
    installation: Installation, publisher: Publisher, store: Store
) -> None:
    status = {
        "state": "online",
        "configuration": {
            "version": 7,
            "sha256": "0" * 64,
            "trial": None,
            "refused": {"version": 8, "reason": "no device answers", "rolled_back": True},
        },
    }
    fields = ("configuration", "configuration_trial", "configuration_refused")
    with installation.collecting(store):
        topic = installation.address().topic(Channel.STATUS)
        publisher.send_raw(json.dumps(status).encode(), topic=topic)
        wait_until(lambda: bool(values(store, "agent_status", *fields)), "a status")
    refused = "version 8 rolled back: no device answers"
    assert values(store, "agent_status", *fields) == [("north", "north-1", 7, 0, refused)]
