"""What reports say of a week that was made up, and that every store says the same."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from campuswatch.inventory.models import Area
from campuswatch.stores.base import Store
from campuswatch.stores.duckdb import DuckDBStore
from campuswatch.stores.influxdb import InfluxDBStore
from targets.check import check
from targets.period import Period
from targets.reports import bandwidth, devices, equity, uptime
from targets.reports.commands import MAKERS, as_json
from targets.reports.equity import Measure
from targets.reports.model import Task
from targets.verdicts import Verdict
from tests.servers import influxdb1, running
from tests.targets.reports import district
from tests.targets.reports.district import HOUR, INVENTORY, MINUTE, NOW, PERIOD


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with closing(DuckDBStore(tmp_path / "readings.duckdb")) as duck:
        district.fill(duck)
        yield duck


def task(store: Store, period: Period = PERIOD, now: int = NOW) -> Task:
    return Task(INVENTORY, store, INVENTORY.schools, period, now)


def everything(store: Store) -> list[str]:
    made = task(store)
    return [as_json(maker.build(made, made.batches())) for maker in MAKERS.values()]


def test_uptime_is_what_the_week_was(store: Store) -> None:
    made = task(store)
    report = uptime.build(made, made.batches())
    city, market, valley = report.schools
    [target] = valley.targets
    assert target.time.down == 2 * HOUR, "of the router and the access point behind it"
    assert target.time.up == 2 * 5 * 8 * HOUR - 2 * HOUR
    assert target.time.unknown == 0
    assert target.share.attained == pytest.approx(100 * 78 / 80)
    assert target.verdict is Verdict.MISSED
    assert [day.share.attained for day in target.days] == [100, 100, 87.5, 100, 100]
    assert valley.lessons.lost == 40 * HOUR // 2
    assert valley.lessons.due == 40 * 5 * HOUR
    assert city.targets[0].verdict is market.targets[0].verdict is Verdict.MET
    assert report.lessons.lost == valley.lessons.lost


def test_a_report_agrees_with_a_check_of_the_same_days(store: Store) -> None:
    made = task(store, Period(dt.date(2026, 9, 20), dt.date(2026, 10, 17)))
    report = uptime.build(made, made.batches())
    for school, checked in zip(report.schools, check(INVENTORY, store, NOW), strict=True):
        [verdict] = [target for target in checked.targets if target.kind == "uptime"]
        assert school.targets[0].share == verdict.share
        assert school.targets[0].time.unknown == verdict.time.unknown


def test_bandwidth_is_what_the_week_was(store: Store) -> None:
    made = task(store)
    city, market, valley = bandwidth.build(made, made.batches()).schools
    assert market.line is not None
    assert market.line.saturation.saturated == 30 * MINUTE
    assert market.line.saturation.known == market.line.saturation.due == 5 * HOUR
    assert market.line.down.busiest == 95
    assert market.line.trials is not None
    assert market.line.trials.count == 5 * 24
    assert (market.line.trials.down, market.line.trials.loaded_rtt) == (88, 0.25)
    assert city.line is not None
    assert city.line.down.capacity == 100, "the port is slower than what was ordered"
    assert city.line.down.provisioned == 200
    assert city.targets[0].verdict is Verdict.MET
    assert valley.targets[0].verdict is Verdict.MISSED
    assert valley.targets[0].share.attained == 50


def test_devices_are_what_the_week_was(store: Store) -> None:
    made = task(store)
    city, _, valley = devices.build(made, made.batches()).schools
    assert (valley.multimedia.ready, valley.multimedia.failed) == (4, 1)
    [room] = valley.rooms
    assert [(device.id, device.days) for device in room.failed] == [("valley-screen", 1)]
    assert city.multimedia.share.attained == 100
    assert city.air.over_1000 == city.air.over_1500 == 45 * MINUTE
    assert city.air.in_range == pytest.approx(85)
    assert valley.air.in_range == 100


def test_equity_ranks_schools_and_says_how_far_they_are_apart(store: Store) -> None:
    made = task(store)
    report = equity.build(made, made.batches())
    assert [card.id for card in report.schools] == ["city", "market", "valley"]
    assert report.schools[0].rank == report.schools[1].rank == 1
    assert report.schools[2].rank == 3
    assert report.schools[2].rank_before == 3, "its line was too small then too"
    by_measure = {part.measure: part for part in report.measures}
    lines = by_measure[Measure.BANDWIDTH]
    medians = {area.area: area.median for area in lines.areas}
    assert medians == {Area.URBAN: 1.0, Area.TOWN: 1.0, Area.RURAL: 0.5}
    assert lines.theil is not None
    assert lines.theil.within == pytest.approx(0)
    assert by_measure[Measure.COVERAGE].theil is None, "nobody told of it"
    assert [moment.part for moment in lines.over_time] == ["2026-W42"]


def test_summaries_say_what_raw_samples_say(store: Store) -> None:
    before = everything(store)
    district.summarise(store)
    with_coverage = everything(store)
    assert with_coverage[:3] == before[:3]


def test_days_that_are_not_over_count_up_to_now(store: Store) -> None:
    now = district.at("2026-10-14T09:00")
    made = task(store, now=now)
    report = uptime.build(made, made.batches())
    [target] = report.schools[2].targets
    assert target.time.down == 2 * HOUR // 2
    assert target.time.up == 2 * (8 + 8) * HOUR + 2 * HOUR // 2
    assert report.until == now


def test_duckdb_and_influxdb_give_the_same_json_to_the_byte(store: Store, tmp_path: Path) -> None:
    with running(influxdb1(tmp_path)) as server:
        influx = InfluxDBStore(f"http://127.0.0.1:{server.port}", "reports")
        district.fill(influx)
        raw = everything(store), everything(influx)
        for one in (store, influx):
            district.summarise(one)
        summarised = everything(store), everything(influx)
        influx.close()
    assert raw[0] == raw[1]
    assert summarised[0] == summarised[1]


def test_the_period_before_is_as_long_or_as_many_months() -> None:
    day = dt.date
    assert Period(day(2026, 10, 12), day(2026, 10, 16)).before() == Period(
        day(2026, 10, 7), day(2026, 10, 11)
    )
    assert Period(day(2026, 3, 1), day(2026, 3, 31)).before() == Period(
        day(2026, 2, 1), day(2026, 2, 28)
    )
    assert Period(day(2026, 1, 1), day(2026, 3, 31)).before() == Period(
        day(2025, 10, 1), day(2025, 12, 31)
    )


def test_a_long_period_falls_into_months_and_a_short_one_into_weeks() -> None:
    year = Period(dt.date(2026, 1, 1), dt.date(2026, 12, 31)).parts()
    assert [name for name, _ in year] == [f"2026-{month:02}" for month in range(1, 13)]
    assert sum(len(days) for _, days in year) == 365
    month = Period(dt.date(2026, 12, 28), dt.date(2027, 1, 10)).parts()
    assert [name for name, _ in month] == ["2026-W53", "2027-W01"]
