"""Lesson time lost against a look at every minute, for any history of the devices."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from hypothesis import given
from hypothesis import strategies as st

from campuswatch.intervals import IntervalSet
from campuswatch.inventory.models import Device, DeviceKind, Room, RoomKind
from targets.lessons import lesson_time, room_losses
from targets.topology import STARTING, Topology
from targets.uptime import Timeline

MINUTE = 60 * 10**9
LENGTH = 60
State = bool | None

DEVICES = {
    "router": (DeviceKind.ROUTER, None, None),
    "switch": (DeviceKind.SWITCH, "router", None),
    "other-switch": (DeviceKind.SWITCH, "router", None),
    "ap-1": (DeviceKind.AP, "switch", "served"),
    "ap-2": (DeviceKind.AP, "other-switch", "served"),
    "screen-1": (DeviceKind.DISPLAY, "switch", "served"),
    "screen-2": (DeviceKind.DISPLAY, "switch", "wired"),
}
TOPOLOGY = Topology(
    Device(id=name, name=name, kind=kind, uplink=uplink, room=room, address="192.0.2.1")
    for name, (kind, uplink, room) in DEVICES.items()
)
ROOMS = [
    Room(id="served", name="Served by two access points", seats=40),
    Room(id="wired", name="Wired", kind=RoomKind.LAB, seats=20),
    Room(id="bare", name="Without any network", seats=30),
    Room(id="office", name="Office", kind=RoomKind.OFFICE, seats=4),
]
WAYS: dict[str, list[tuple[str, ...]]] = {
    "served": [("ap-1", "switch", "router"), ("ap-2", "other-switch", "router")],
    "wired": [("switch", "router")],
}
histories = st.fixed_dictionaries(
    {
        name: st.lists(
            st.sampled_from([True, True, True, False, None]), min_size=12, max_size=12
        ).map(lambda states: [state for state in states for _ in range(5)])
        for name in DEVICES
    }
)
lessons = st.lists(st.tuples(st.integers(0, 60), st.integers(0, 60)), max_size=3).map(
    lambda spans: IntervalSet.of((start * MINUTE, end * MINUTE) for start, end in spans)
)


def line(states: Sequence[State]) -> Timeline:
    def when(wanted: bool) -> IntervalSet:
        spans = (
            (minute * MINUTE, (minute + 1) * MINUTE)
            for minute, state in enumerate(states)
            if state is wanted
        )
        return IntervalSet.of(spans)

    return Timeline(0, LENGTH * MINUTE, when(True), when(False))


def network(history: Mapping[str, Sequence[State]], room: str, minute: int) -> State:
    """Say whether a room has a network, from the state of each way."""
    ways = [[history[hop][minute] for hop in way] for way in WAYS[room]]
    if any(all(way) for way in ways):
        return True
    return False if all(False in way for way in ways) else None


@given(histories, lessons)
def test_rooms_lose_what_a_look_at_every_minute_finds(
    history: Mapping[str, Sequence[State]], taught: IntervalSet
) -> None:
    lines = {name: line(states) for name, states in history.items()}
    losses = room_losses(TOPOLOGY, ROOMS, lines, taught)
    assert [loss.room.id for loss in losses] == ["served", "wired"]
    for loss in losses:
        found = [
            network(history, loss.room.id, minute)
            for minute in range(LENGTH)
            if taught & IntervalSet.of([(minute * MINUTE, minute * MINUTE + 1)])
        ]
        seats = loss.room.seats * MINUTE
        assert loss.due == seats * len(found)
        assert loss.lost == seats * found.count(False)
        assert loss.unknown == seats * found.count(None)
        assert sum(loss.causes.values()) == loss.lost
        assert loss.causes.keys() <= {hop for way in WAYS[loss.room.id] for hop in way}
    total = lesson_time(losses, TOPOLOGY, 0, LENGTH * MINUTE)
    assert total.lost == sum(room.lost for room in total.rooms)
    assert total.lost == sum(cause.lost for cause in total.causes)


def test_the_device_nearest_to_the_internet_is_to_blame_until_the_others_have_started() -> None:
    history: dict[str, list[State]] = {name: [True] * LENGTH for name in DEVICES}
    history["router"][20:30] = [False] * 10
    for name in ("switch", "ap-1", "ap-2"):
        history[name][20:33] = [False] * 13
    history["ap-1"][50:55] = history["ap-2"][50:55] = [False] * 5
    lines = {name: line(states) for name, states in history.items()}
    whole = IntervalSet.of([(0, LENGTH * MINUTE)])
    [served, wired] = room_losses(TOPOLOGY, ROOMS, lines, whole)
    assert STARTING >= 3 * MINUTE
    assert served.causes == {"router": 40 * 13 * MINUTE, "ap-1": 40 * 5 * MINUTE}
    assert wired.causes == {"router": 20 * 13 * MINUTE}
