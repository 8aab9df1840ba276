"""Rooms from the states of what serves them, and one signal out of many measurements."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from campuswatch.intervals import NOTHING, IntervalSet
from campuswatch.inventory.models import (
    Agent,
    Area,
    Building,
    Device,
    DeviceKind,
    Floor,
    Room,
    RoomKind,
    School,
    WifiCoverageTarget,
)
from campuswatch.stores.base import Series
from targets.evidence import Evidence
from targets.topology import Topology
from targets.uptime import Timeline
from targets.verdicts import Limit, RoomState, RoomVerdict, Verdict
from targets.wifi.coverage import judge
from targets.wifi.rooms import room_verdicts
from targets.wifi.signals import Signal, signals_by_room

NOW = 1000
STATES = {"up": True, "down": False, "silent": None}


def device(name: str, kind: DeviceKind, uplink: str | None, **more: object) -> Device:
    fields = {"id": name, "name": name, "kind": kind, "uplink": uplink, "address": "192.0.2.1"}
    return Device.model_validate(fields | more)


DEVICES = [
    device("router", DeviceKind.ROUTER, None),
    device("core", DeviceKind.SWITCH, "router"),
    device("edge", DeviceKind.SWITCH, "core"),
    device("unwatched", DeviceKind.SWITCH, "core", ping=False),
    device("ap-1", DeviceKind.AP, "edge", serves=["both", "one"]),
    device("ap-2", DeviceKind.AP, "unwatched", room="both"),
]
ROOMS = [
    Room(id="both", name="Both", seats=40),
    Room(id="one", name="One", seats=30),
    Room(id="none", name="None", seats=20),
    Room(id="plant", name="Plant", kind=RoomKind.EQUIPMENT, seats=1),
    Room(id="offline", name="Offline", seats=10, wifi=False),
]
SCHOOL = School(
    id="school",
    name="School",
    area=Area.RURAL,
    students=1,
    agents=[Agent(id="agent")],
    buildings=[Building(id="b", name="B", floors=[Floor(id="f", name="F", level=0, rooms=ROOMS)])],
    devices=DEVICES,
)
ALL_UP = {d.id: "up" for d in DEVICES if d.id != "unwatched"}


def line(state: str, age: int) -> Timeline:
    held = IntervalSet.of([(NOW - age, NOW)])
    up = held if state == "up" else NOTHING
    down = held if state == "down" else NOTHING
    return Timeline(0, NOW, up, down, NOW - age)


def evidence(states: dict[str, str], signals: dict[str, Signal] | None = None) -> Evidence:
    ages = {d.id: 10 * (number + 1) for number, d in enumerate(DEVICES)}
    lines = {d.id: Timeline(0, NOW) for d in DEVICES} | {
        name: line(state, ages[name]) for name, state in states.items()
    }
    return Evidence(SCHOOL, NOW, Topology(DEVICES), lines, {}, signals or {})


def room(name: str, states: dict[str, str], signal: Signal | None = None) -> RoomVerdict:
    wanted = [room for room in ROOMS if room.id == name]
    [verdict] = room_verdicts(wanted, evidence(states, {name: signal} if signal else {}), -67)
    return verdict


@pytest.mark.parametrize(
    ("name", "changed", "state", "limit", "culprit"),
    [
        ("one", {}, RoomState.PASS, None, None),
        ("one", {"ap-1": "down"}, RoomState.FAIL, Limit.DOWN, "ap-1"),
        ("one", {"edge": "down"}, RoomState.FAIL, Limit.DOWN, "edge"),
        ("one", {"edge": "down", "ap-1": "down"}, RoomState.FAIL, Limit.DOWN, "edge"),
        ("one", {"router": "down", "edge": "down"}, RoomState.FAIL, Limit.DOWN, "router"),
        ("one", {"ap-1": "silent"}, RoomState.CANNOT_TELL, Limit.NO_EVIDENCE, "ap-1"),
        ("one", {"core": "silent"}, RoomState.CANNOT_TELL, Limit.NO_EVIDENCE, "core"),
        ("one", {"core": "silent", "edge": "down"}, RoomState.FAIL, Limit.DOWN, "edge"),
        ("both", {"edge": "down"}, RoomState.PASS, None, None),
        (
            "both",
            {"ap-2": "down", "ap-1": "silent"},
            RoomState.CANNOT_TELL,
            Limit.NO_EVIDENCE,
            "ap-1",
        ),
        ("both", {"ap-2": "down", "edge": "down"}, RoomState.FAIL, Limit.DOWN, "edge"),
        ("none", {}, RoomState.FAIL, Limit.NO_AP, None),
    ],
)
def test_what_serves_a_room_decides(
    name: str,
    changed: dict[str, str],
    state: RoomState,
    limit: Limit | None,
    culprit: str | None,
) -> None:
    verdict = room(name, ALL_UP | changed)
    assert (verdict.state, verdict.limit, verdict.device) == (state, limit, culprit), verdict.reason


def test_evidence_is_as_old_as_the_oldest_reading_it_needs() -> None:
    assert room("one", ALL_UP).evidence_age == 50, "the access point's, the oldest on its path"
    assert room("one", ALL_UP | {"core": "down"}).evidence_age == 20
    assert room("one", ALL_UP, Signal(-60, "sensor", NOW - 300)).evidence_age == 300
    assert room("none", ALL_UP).evidence_age is None


def test_a_weak_signal_is_laid_on_the_device_that_is_down() -> None:
    weak = Signal(-70, "sensor", NOW)
    alone = room("both", ALL_UP, weak)
    assert (alone.state, alone.limit, alone.device) == (RoomState.FAIL, Limit.WEAK_SIGNAL, None)
    hurt = room("both", ALL_UP | {"ap-2": "down"}, weak)
    assert (hurt.state, hurt.limit, hurt.device) == (RoomState.FAIL, Limit.DOWN, "ap-2")
    assert "-70 dBm" in hurt.reason
    assert "ap-2 is down" in hurt.reason
    assert room("both", ALL_UP, Signal(-67, "sensor", NOW)).state is RoomState.PASS


def target(objective: float, kind: RoomKind = RoomKind.CLASSROOM) -> WifiCoverageTarget:
    return WifiCoverageTarget(
        id="wifi", kind="wifi-coverage", objective=objective, room_kinds=[kind]
    )


def test_seats_are_judged_and_rooms_are_told() -> None:
    verdict = judge(target(70), evidence(ALL_UP | {"ap-1": "silent"}))
    assert verdict is not None
    assert [r.id for r in verdict.rooms] == ["both", "one", "none"]
    assert (verdict.seats.passing, verdict.seats.unknown, verdict.seats.failing) == (40, 30, 20)
    assert verdict.share.low == pytest.approx(100 * 40 / 90)
    assert verdict.share.high == pytest.approx(100 * 70 / 90)
    assert verdict.room_share.attained == 50
    assert verdict.verdict is Verdict.CANNOT_TELL
    assert [(c.limit, c.seats) for c in verdict.causes] == [
        (Limit.NO_EVIDENCE, 30),
        (Limit.NO_AP, 20),
    ]


def test_a_target_without_rooms_does_not_apply() -> None:
    assert judge(target(70, RoomKind.HALL), evidence(ALL_UP)) is None


@given(st.fixed_dictionaries({name: st.sampled_from(sorted(STATES)) for name in ALL_UP}))
def test_learning_more_never_contradicts_the_bounds(states: dict[str, str]) -> None:
    before = judge(target(70), evidence(states))
    assert before is not None
    assert before.share.low is not None
    assert before.share.high is not None
    for state in ("up", "down"):
        learnt = {n: state if s == "silent" else s for n, s in states.items()}
        after = judge(target(70), evidence(learnt))
        assert after is not None
        assert after.share.attained is not None
        assert before.share.low <= after.share.attained <= before.share.high


def measured(room: str, device: str, *samples: tuple[int, float | None]) -> Series:
    return Series(
        {"room": room, "device": device},
        [time for time, _ in samples],
        {"rssi": [rssi for _, rssi in samples]},
    )


def test_a_room_has_the_median_of_its_devices_newest_and_strongest() -> None:
    signals = signals_by_room(
        [
            measured("r", "a", (1, -50.0), (2, -80.0), (2, -70.0)),
            measured("r", "b", (1, -60.0)),
            measured("r", "c", (3, -90.0), (4, None)),
            measured("two", "a", (1, -60.0)),
            measured("two", "b", (1, -64.0)),
            measured("", "lost", (1, -30.0)),
            measured("empty", "d", (1, None)),
        ]
    )
    assert signals == {"r": Signal(-70, "a", 2), "two": Signal(-64, "b", 1)}
