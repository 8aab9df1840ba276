"""From raw values to cells, and from the rows of a group to one value."""

from __future__ import annotations

import statistics
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from campuswatch.units import conversion
from edge_agents.sources.snmp.cells import Cell, decoder, index_part
from edge_agents.sources.snmp.groups import aggregate, quantile
from edge_agents.sources.snmp.profile import Column, FieldRule, IndexPart, Over
from edge_agents.sources.snmp.session import Value


@pytest.mark.parametrize(
    ("rule", "raw", "cell"),
    [
        ({}, b"Gi0/1\0\0", "Gi0/1"),
        ({"form": "number"}, b"-67 dBm", -67),
        ({"form": "number"}, b"1.00%", 1.0),
        ({"form": "number"}, b"no signal", None),
        ({"form": "hex"}, bytes.fromhex("001a2b3c4d5e"), "00:1a:2b:3c:4d:5e"),
        ({"form": "hex"}, b"8C:60:4f:19:16:7c", "8c:60:4f:19:16:7c"),
        ({"form": "dotted"}, b"\x0a\x01\x00\x02", "10.1.0.2"),
        ({"form": "signed"}, b"\xff\xb0", -80),
        ({"form": "unsigned", "octets": {"at": 1, "length": 2}}, b"\x09\x01\x00\x09", 256),
        ({"form": "unsigned", "octets": {"at": 3, "length": 2}}, b"\x09\x01\x00\x09", None),
        ({"form": "identifier"}, b"port 1", "port 1"),
        ({"form": "identifier"}, b"\x00\x1a", "00:1a"),
        ({"pattern": "slot ([0-9]+)"}, b"on the slot 19, a card", 19),
        ({"pattern": "slot"}, b"none", None),
        ({"ignore": [-1], "scale": 0.1}, -1, None),
        ({"scale": 0.1}, 3, 0.3),
        ({"scale": -1, "offset": 100}, 97, 3),
        ({"range": [0, 100]}, 101, None),
        ({"enum": {1: "fan"}}, 1, "fan"),
        ({"enum": {1: "fan"}}, 2, None),
    ],
)
def test_a_value_is_what_its_column_means(
    rule: dict[str, Any], raw: Value, cell: Cell | None
) -> None:
    assert decoder(Column(oid="1.3.6", **rule))(raw) == cell


def test_a_unit_becomes_the_catalogues() -> None:
    assert decoder(Column(oid="1.3.6", unit="mW"), conversion("mW", "W"))(15400) == 15.4
    assert decoder(Column(oid="1.3.6", unit="KiB"), conversion("KiB", "B"))(66016264) == 67600654336


@pytest.mark.parametrize(
    ("rule", "part"),
    [
        ({"at": 0, "length": 6, "form": "hex"}, "00:1a:2b:3c:4d:5e"),
        ({"at": 6, "length": 1}, 1),
        ({"at": -1}, 97),
        ({"at": 7, "counted": True, "form": "text"}, "wa"),
        ({"at": 0, "length": 2}, "0.26"),
        ({"at": 12}, None),
    ],
)
def test_a_part_of_an_index(rule: dict[str, Any], part: Cell | None) -> None:
    assert index_part("0.26.43.60.77.94.1.2.119.97", IndexPart(**rule)) == part


@given(st.lists(st.integers(-100, 0), min_size=2, max_size=200))
def test_quantiles_are_those_of_the_statistics_module(values: list[int]) -> None:
    deciles = statistics.quantiles(values, n=10, method="inclusive")
    assert [quantile(values, share / 10) for share in range(1, 10)] == pytest.approx(deciles)
    assert quantile(values, 0) == min(values)
    assert quantile(values, 1) == max(values)


@given(st.lists(st.integers(-100, 0), min_size=1, max_size=50), st.integers(-100, 0))
def test_below_counts_what_is_below(values: list[int], limit: int) -> None:
    rule = FieldRule.model_validate({"from": "rssi", "over": "count", "below": limit})
    assert aggregate(rule, Over.COUNT, values) == len([v for v in values if v < limit])
