"""Sparkplug B: births, deaths, aliases, gaps and rebirths (specification 3.0)."""

from __future__ import annotations

from typing import Any

import pytest

from edge_agents.sources.mqtt.decoded import Decoded, Site
from edge_agents.sources.mqtt.decoders.base import Decoder
from edge_agents.sources.mqtt.decoders.sparkplug_b import Payload
from edge_agents.sources.mqtt.messages import MAX_PAYLOAD, Message
from tests.edge_agents.mqtt.reading import NOW_NS, decoder, outcome, site

NOW_MS = NOW_NS // 10**6
INT16, INT64, FLOAT, DOUBLE, BOOLEAN = 2, 4, 9, 10, 11


def payload(seq: int | None, *metrics: dict[str, Any], at: int = NOW_MS) -> bytes:
    made = Payload(timestamp=at)
    if seq is not None:
        made.seq = seq
    for metric in metrics:
        unit = metric.pop("unit", None)
        added = made.metrics.add(**metric)
        if unit is not None:
            added.properties.keys.append("engUnit")
            added.properties.values.add(string_value=unit)
    data: bytes = made.SerializeToString()
    return data


def session(number: int) -> dict[str, Any]:
    return {"name": "bdSeq", "datatype": INT64, "long_value": number}


TEMPERATURE = {
    "name": "Environment/Temperature",
    "alias": 7,
    "datatype": FLOAT,
    "float_value": 21.5,
}
ENERGY = {
    "name": "Meter/Energy",
    "alias": 8,
    "datatype": DOUBLE,
    "double_value": 1.0,
    "unit": "kWh",
}


def at(kind: str, data: bytes, *, device: str = "dev", received: int = NOW_NS) -> Message:
    tail = f"/{device}" if kind[0] == "D" else ""
    return Message(f"spBv1.0/school/{kind}/gateway{tail}", data, received)


def nbirth(number: int = 1) -> Message:
    return at("NBIRTH", payload(0, session(number)))


def dbirth(seq: int = 1) -> Message:
    return at("DBIRTH", payload(seq, dict(TEMPERATURE), dict(ENERGY)))


def ddata(seq: int, value: float, *, received: int = NOW_NS) -> Message:
    return at("DDATA", payload(seq, {"alias": 7, "float_value": value}), received=received)


def born() -> Decoder:
    reader = decoder("sparkplug")
    reader.decode(nbirth())
    reader.decode(dbirth())
    return reader


def values(decoded: Decoded) -> list[dict[str, object]]:
    return [dict(reading.fields) for reading in decoded.readings]


def test_a_birth_is_a_reading_and_names_what_follows() -> None:
    reader = decoder("sparkplug")
    assert reader.decode(nbirth()).readings == ()
    birth = reader.decode(dbirth())
    assert values(birth) == [{"temperature": 21.5}, {"energy": 3.6e6}]
    assert birth.alive
    assert values(reader.decode(ddata(2, 22.25))) == [{"temperature": 22.25}]


def test_data_before_its_birth_asks_for_one() -> None:
    reader = decoder("sparkplug")
    decoded = reader.decode(ddata(5, 22.0))
    assert decoded.problems == ("data before its birth",)
    (request,) = decoded.requests
    assert request.topic == "spBv1.0/school/NCMD/gateway"
    (metric,) = Payload.FromString(request.payload).metrics
    assert (metric.name, metric.boolean_value, metric.datatype) == (
        "Node Control/Rebirth",
        True,
        BOOLEAN,
    )


def test_a_node_is_not_asked_again_at_once() -> None:
    reader = decoder("sparkplug")
    assert reader.decode(ddata(5, 22.0)).requests
    assert not reader.decode(ddata(6, 22.0, received=NOW_NS + 10**9)).requests
    assert reader.decode(ddata(7, 22.0, received=NOW_NS + 40 * 10**9)).requests


def test_a_gap_asks_for_a_birth_and_keeps_what_is_right() -> None:
    reader = born()
    decoded = reader.decode(ddata(4, 20.0))
    assert values(decoded) == [{"temperature": 20.0}]
    assert decoded.problems == ()
    assert decoded.requests


def test_sequence_numbers_begin_anew_after_255() -> None:
    reader = born()
    for seq in range(2, 256):
        assert not reader.decode(ddata(seq, 20.0)).requests
    assert not reader.decode(ddata(0, 20.0)).requests
    assert not reader.decode(ddata(1, 20.0)).requests
    assert reader.decode(ddata(3, 20.0)).requests


def test_an_unknown_alias_asks_for_a_birth() -> None:
    reader = born()
    stray = payload(2, {"alias": 99, "float_value": 1.0}, {"alias": 7, "float_value": 20.0})
    decoded = reader.decode(at("DDATA", stray))
    assert values(decoded) == [{"temperature": 20.0}]
    assert decoded.requests


def test_deaths() -> None:
    reader = born()
    gone = reader.decode(at("DDEATH", payload(2)))
    assert (gone.alive, gone.reason) == (False, "the edge node says that it is gone")
    reader = born()
    gone = reader.decode(at("NDEATH", payload(None, session(1))))
    assert (gone.alive, gone.reason) == (False, "last will of the edge node")
    assert reader.decode(ddata(2, 20.0)).problems == ("data before its birth",)


def test_the_will_of_a_connection_that_was_replaced_is_out_of_date() -> None:
    reader = decoder("sparkplug")
    reader.decode(nbirth(2))
    reader.decode(dbirth())
    late = reader.decode(at("NDEATH", payload(None, session(1))))
    assert late.alive is None
    assert values(reader.decode(ddata(2, 20.0))) == [{"temperature": 20.0}]


def test_devices_of_one_node_share_its_sequence() -> None:
    place: Site = site()
    first = decoder("sparkplug", place)
    second = decoder("sparkplug", place, topic="school/gateway/other")
    other = at("DBIRTH", payload(2, dict(TEMPERATURE)), device="other")
    messages = [nbirth(), dbirth(), other, ddata(3, 20.0)]
    asked = [reader.decode(each).requests for each in messages for reader in (first, second)]
    assert not any(asked)
    gap = ddata(9, 20.0)
    assert [len(reader.decode(gap).requests) for reader in (second, first)] == [1, 0]


def test_metrics_of_the_node_itself() -> None:
    reader = decoder("sparkplug", topic="school/gateway")
    birth = payload(0, session(1), dict(TEMPERATURE))
    decoded = reader.decode(at("NBIRTH", birth))
    assert values(decoded) == [{"temperature": 21.5}]
    assert reader.decode(dbirth()).readings == ()
    assert values(reader.decode(at("NDATA", payload(2, {"alias": 7, "float_value": 3.0})))) == [
        {"temperature": 3.0}
    ]


def test_what_a_node_has_stored_keeps_its_times() -> None:
    reader = born()
    stored = payload(
        2,
        {"alias": 7, "float_value": 19.0, "timestamp": NOW_MS - 60_000, "is_historical": True},
        {"alias": 7, "float_value": 20.0, "timestamp": NOW_MS},
    )
    readings = reader.decode(at("DDATA", stored)).readings
    assert [(NOW_NS - r.time) // 10**9 for r in readings] == [60, 0]


@pytest.mark.parametrize("moment", [0, 2**64 - 1, NOW_MS + 10**10])
def test_a_time_that_can_not_be_is_that_of_arrival(moment: int) -> None:
    reader = born()
    odd = payload(2, {"alias": 7, "float_value": 20.0, "timestamp": moment}, at=moment)
    (reading,) = reader.decode(at("DDATA", odd)).readings
    assert reading.time == NOW_NS


def test_negative_integers_are_twos_complement() -> None:
    reader = decoder("sparkplug")
    reader.decode(nbirth())
    cold = {"name": "temperature", "datatype": INT16, "int_value": 2**32 - 5}
    assert values(reader.decode(at("DBIRTH", payload(1, cold)))) == [{"temperature": -5.0}]


def test_null_and_unknown_metrics_are_passed_over() -> None:
    reader = decoder("sparkplug")
    reader.decode(nbirth())
    null = {"name": "co2", "datatype": DOUBLE, "is_null": True}
    text = {"name": "Properties/Firmware", "datatype": 12, "string_value": "1.0"}
    decoded = reader.decode(at("DBIRTH", payload(1, null, text)))
    assert (decoded.readings, decoded.problems, decoded.alive) == ((), (), True)


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        (b"\xff" * 50, "not a Sparkplug B payload"),
        (b'{"temperature": 21}', "not a Sparkplug B payload"),
        (b"\x12\x00" * 5000, "5000 metrics: expected at most 2000"),
        (b"\x12\x00" * MAX_PAYLOAD, "bytes: expected at most"),
        (b"\x13" * 1000 + b"\x14" * 1000, "not a Sparkplug B payload"),
    ],
)
def test_hostile_payloads(data: bytes, problem: str) -> None:
    decoded = outcome(decoder("sparkplug"), at("DBIRTH", data))
    assert [problem in each for each in decoded.problems] == [True]
    assert decoded.readings == ()


def test_a_node_can_not_fill_the_memory_with_names() -> None:
    reader = decoder("sparkplug")
    reader.decode(nbirth())
    problems: list[str] = []
    for turn in range(20):
        names = [{"name": f"m{turn}-{number}", "datatype": FLOAT} for number in range(1500)]
        problems += outcome(reader, at("DBIRTH", payload(1 + turn, *names))).problems
    assert set(problems) == {"expected at most 10000 metrics of one node"}
