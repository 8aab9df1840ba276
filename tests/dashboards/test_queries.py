"""Every query of every panel, asked of a real InfluxDB that holds every measurement."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from campuswatch.lineprotocol import encode
from campuswatch.measurements import CATALOGUE, Field, FieldKind, Measurement
from campuswatch.readings import FieldValue, Reading, now_ns
from dashboards.build import build_all
from tests.servers import Server, influxdb1, running

MINUTE = 60 * 10**9
DATABASE = "campuswatch"
SCHOOL, DEVICE, ROOM = "heping", "core-1", "r-101"
CHOSEN = {"school": f"({SCHOOL}|qiushi)", "device": ".*", "room": ROOM}
TAGS = {"device": DEVICE, "room": ROOM, "quantity": "temperature"}

Json = dict[str, Any]


def value(field: Field, number: int) -> FieldValue:
    """Return a legal value; of states, the first, which for `up` is down."""
    if field.kind is FieldKind.STATE:
        assert field.states is not None
        return min(field.states)
    return f"text {number}" if field.type is str else field.type(number)


def readings(measurement: Measurement, now: int) -> Iterator[Reading]:
    tags = {tag: TAGS.get(tag, f"{tag}-1") for tag in measurement.tags}
    for number in range(1, 6):
        fields = {name: value(field, number) for name, field in measurement.fields.items()}
        reading = measurement.reading(tags, fields, now - number * MINUTE)
        stamped = {**reading.tags, "school": SCHOOL, "agent": "agent-1"}
        yield Reading(reading.measurement, stamped, reading.fields, reading.time)


@pytest.fixture(scope="module")
def influxdb(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with running(influxdb1(tmp_path_factory.mktemp("influxdb"))) as server:
        ask(server, f"CREATE DATABASE {DATABASE}")
        now = now_ns()
        lines = encode(reading for row in CATALOGUE.values() for reading in readings(row, now))
        answer = httpx.post(
            f"http://127.0.0.1:{server.port}/write", params={"db": DATABASE}, content=lines
        )
        assert answer.status_code == 204, answer.text
        yield server


def ask(server: Server, query: str) -> Json:
    answer = httpx.post(
        f"http://127.0.0.1:{server.port}/query", data={"db": DATABASE, "q": query}, timeout=30
    )
    assert answer.status_code == 200, f"{query}\n{answer.text}"
    result: Json = answer.json()["results"][0]
    assert "error" not in result, f"{query}\n{result['error']}"
    return result


def filled_in(query: str) -> str:
    """Do what Grafana does with its macros and variables."""
    query = query.replace("$timeFilter", "time >= now() - 1h AND time <= now()")
    query = query.replace("$__interval", "60s")
    query = re.sub(r"\$\{(\w+):regex\}", lambda match: CHOSEN[match[1]], query)
    assert "$" not in query.replace("$/", ""), query
    return query


def panels() -> list[Any]:
    return [
        pytest.param(panel, id=f"{dashboard['title']}: {panel['title']}")
        for dashboard in build_all()
        for panel in dashboard["panels"]
    ]


def values(result: Json) -> list[Any]:
    """Return what a result holds besides times."""
    return [
        cell
        for series in result.get("series", [])
        for row in series["values"]
        for name, cell in zip(series["columns"], row, strict=True)
        if name != "time" and cell is not None
    ]


@pytest.mark.parametrize("panel", panels())
def test_every_query_of_every_panel_finds_something(influxdb: Server, panel: Json) -> None:
    assert panel["targets"]
    for target in panel["targets"]:
        assert values(ask(influxdb, filled_in(target["query"]))), target["query"]


@pytest.mark.parametrize(
    "query",
    sorted(
        {
            variable["query"]
            for dashboard in build_all()
            for variable in dashboard["templating"].get("list", [])
        }
    ),
)
def test_every_variable_has_values(influxdb: Server, query: str) -> None:
    assert values(ask(influxdb, filled_in(query)))


def test_the_summaries_count_what_is_down(influxdb: Server) -> None:
    district = next(board for board in build_all() if board["title"] == "District overview")
    table = next(panel for panel in district["panels"] if panel["title"] == "Schools")
    (series,) = ask(influxdb, filled_in(table["targets"][0]["query"]))["series"]
    assert series["tags"] == {"school": SCHOOL}
    assert series["columns"][1:] == ["watched", "answering", "share"]
    assert series["values"][0][1:] == [1, 0, 0]


def test_a_filter_that_matches_nothing_finds_nothing(influxdb: Server) -> None:
    school = next(board for board in build_all() if board["title"] == "School")
    queries = [target["query"] for panel in school["panels"] for target in panel["targets"]]
    for query in queries:
        foreign = query.replace("${school:regex}", "another-school")
        assert not values(ask(influxdb, filled_in(foreign))), query
