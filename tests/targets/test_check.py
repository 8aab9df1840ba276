"""A switch of the example district fails at a known time: the check says so, and why."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from pathlib import Path

import pytest

from campuswatch.errors import UserError
from campuswatch.inventory.loader import load_inventory
from campuswatch.inventory.models import Inventory
from campuswatch.stores.base import Store
from campuswatch.stores.duckdb import DuckDBStore
from targets.check import check
from targets.verdicts import CoverageVerdict, Limit, RoomState, UptimeVerdict, Verdict
from tests.targets.synthetic import HOUR, INTERVAL, MINUTE, REASON, Outage, add_signal, fill, ns

CONFIG = Path(__file__).parents[2] / "config"
SCHOOL = "shiqiao-central"
UPSTAIRS = [f"sq-{floor}0{number}" for floor in (2, 3) for number in (1, 2, 3, 4)]

FIRST = ns("2026-09-01T00:00+08:00")
LONG = Outage("sq-sw-2", ns("2026-10-12T09:00+08:00"), ns("2026-10-14T09:00+08:00"))
LAST = ns("2026-10-16T11:00+08:00")
NOW = Outage("sq-sw-2", ns("2026-10-16T10:05+08:00"), LAST)


@pytest.fixture(scope="module")
def inventory() -> Inventory:
    """Return the example district, polled every five minutes to keep the tests short."""
    district = load_inventory(CONFIG)
    interval = dt.timedelta(microseconds=INTERVAL // 1000)
    for school in district.schools:
        slower = [device.model_copy(update={"interval": interval}) for device in school.devices]
        school.devices[:] = slower
    return district


@pytest.fixture(scope="module")
def store(inventory: Inventory, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    store = DuckDBStore(tmp_path_factory.mktemp("store") / "readings.duckdb")
    fill(store, inventory.school(SCHOOL), FIRST, LAST, [LONG, NOW])
    yield store
    store.close()


def judged(inventory: Inventory, store: Store, now: str) -> tuple[UptimeVerdict, CoverageVerdict]:
    [school] = check(inventory, store, ns(now), [SCHOOL])
    [network] = [t for t in school.targets if t.id == "network-uptime-town"]
    [wifi] = [t for t in school.targets if t.id == "classroom-wifi"]
    assert isinstance(network, UptimeVerdict)
    assert isinstance(wifi, CoverageVerdict)
    return network, wifi


def test_all_is_well_before_the_first_outage(inventory: Inventory, store: Store) -> None:
    [school] = check(inventory, store, LONG.start, [SCHOOL])
    assert school.verdict is Verdict.MET
    assert all(not target.causes for target in school.targets)
    assert all(target.share.low == 100 for target in school.targets)


def test_coverage_names_the_switch_that_is_down_and_not_its_access_points(
    inventory: Inventory, store: Store
) -> None:
    _, wifi = judged(inventory, store, "2026-10-16T10:30+08:00")
    assert wifi.verdict is Verdict.MISSED
    [cause] = wifi.causes
    assert cause.device is not None
    assert (cause.limit, cause.device.id) == (Limit.DOWN, "sq-sw-2")
    assert cause.since is not None
    assert NOW.start <= cause.since < NOW.start + INTERVAL
    assert cause.until is None
    assert cause.detail == REASON
    failing = [room.id for room in wifi.rooms if room.state is RoomState.FAIL]
    assert [room.id for room in cause.rooms] == failing
    assert set(failing) == {room.id for room in wifi.rooms} & set(UPSTAIRS)
    seats = {room.id: room.seats for room in inventory.school(SCHOOL).rooms()}
    assert cause.seats == wifi.seats.failing == sum(seats[room] for room in failing)
    assert all(room.reason for room in wifi.rooms)
    for room in wifi.rooms:
        assert room.evidence_age is not None
        assert room.evidence_age <= INTERVAL


def test_uptime_charges_the_switch_for_all_that_hung_on_it(
    inventory: Inventory, store: Store
) -> None:
    network, wifi = judged(inventory, store, "2026-10-15T12:00+08:00")
    assert wifi.verdict is Verdict.MET, "the outage is over"
    assert network.verdict is Verdict.MISSED
    [cause] = network.causes
    assert cause.device is not None
    assert cause.device.id == "sq-sw-2"
    assert {room.id for room in cause.rooms} >= set(UPSTAIRS)
    assert cause.since is not None
    assert cause.until is not None
    assert LONG.start <= cause.since < LONG.start + INTERVAL
    assert LONG.end <= cause.until < LONG.end + INTERVAL
    # Nine service hours on Monday, eleven on Tuesday, two on Wednesday: the
    # switch and four access points, to within the polls at both ends.
    assert cause.outages == 1
    assert cause.detail == ""
    assert cause.lost == network.time.down
    assert abs(cause.lost - 5 * 22 * HOUR) < 5 * 2 * INTERVAL
    assert network.time.unknown == 0
    worst_five = {device.id for device in network.devices[:5]}
    assert worst_five == {"sq-sw-2", *(f"sq-ap-{n}" for n in (201, 203, 301, 303))}


def test_parts_of_the_window_add_up(inventory: Inventory, store: Store) -> None:
    network, _ = judged(inventory, store, "2026-10-16T10:30+08:00")
    time = network.time
    window = network.window_end - network.window_start
    assert network.window_start == ns("2026-09-19T00:00+08:00")
    assert network.window_closes - network.window_start == 28 * 24 * HOUR
    assert time.up + time.down + time.unknown + time.excused == window * len(network.devices)


def test_a_silent_agent_is_named_and_nothing_is_guessed(inventory: Inventory, store: Store) -> None:
    _, wifi = judged(inventory, store, "2026-10-16T13:00+08:00")
    assert wifi.verdict is Verdict.CANNOT_TELL
    assert (wifi.share.attained, wifi.share.low, wifi.share.high) == (None, 0, 100)
    [cause] = wifi.causes
    assert (cause.limit, cause.agent) == (Limit.NO_EVIDENCE, "sq-agent")
    assert cause.since is not None
    assert LAST - INTERVAL <= cause.since < LAST


def test_a_weak_signal_fails_a_room_that_is_served(inventory: Inventory, tmp_path: Path) -> None:
    school = inventory.school(SCHOOL)
    sensor = next(d for d in school.devices if d.kind == "sensor" and d.room == "sq-101")
    store = DuckDBStore(tmp_path / "readings.duckdb")
    fill(store, school, LAST - HOUR, LAST, [])
    for rssi, age, state in (
        (-80.0, 20 * MINUTE, RoomState.PASS),  # too old to speak of now
        (-80.0, 9 * MINUTE, RoomState.FAIL),
        (-60.0, 5 * MINUTE, RoomState.PASS),
    ):
        add_signal(store, school, sensor.id, rssi, LAST - age)
        _, wifi = judged(inventory, store, "2026-10-16T11:00+08:00")
        [room] = [room for room in wifi.rooms if room.id == "sq-101"]
        assert room.state is state, room.reason
        if state is RoomState.FAIL:
            assert (room.limit, room.signal) == (Limit.WEAK_SIGNAL, -80)
            assert room.evidence_age == 9 * MINUTE
            assert [c.rooms[0].id for c in wifi.causes] == ["sq-101"]
    store.close()


def test_an_unknown_school_is_refused_with_the_nearest_name(
    inventory: Inventory, store: Store
) -> None:
    with pytest.raises(UserError, match=r"'shiqiao-centrl'.*expected shiqiao-central"):
        check(inventory, store, LAST, ["shiqiao-centrl"])
