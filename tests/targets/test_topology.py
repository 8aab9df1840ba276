"""Root causes and blame against a walk up the tree at every instant."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from campuswatch.intervals import IntervalSet
from campuswatch.inventory.models import Device, DeviceKind
from targets.topology import Topology, rooms_served
from targets.uptime import Timeline

LENGTH = 40


def device(number: int, uplink: int | None, kind: DeviceKind = DeviceKind.SWITCH) -> Device:
    return Device(
        id=f"d{number}",
        name=f"Device {number}",
        kind=kind,
        address="192.0.2.1",
        uplink=None if uplink is None else f"d{uplink}",
    )


@st.composite
def trees(draw: st.DrawFn) -> list[Device]:
    """Draw devices whose uplink is one that was drawn before."""
    size = draw(st.integers(1, 8))
    parents = [draw(st.none() | st.integers(0, n - 1)) if n else None for n in range(size)]
    return [device(number, parent) for number, parent in enumerate(parents)]


state = st.sampled_from([True, False, None])


def walk(devices: dict[str, Device], states: dict[str, bool | None], start: str) -> str:
    """Find the root cause as one would on paper."""
    cause, hop = start, devices[start].uplink
    while hop is not None and states[hop] is not True:
        if states[hop] is False:
            cause = hop
        hop = devices[hop].uplink
    return cause


@given(trees(), st.data())
def test_root_cause(tree: list[Device], data: st.DataObject) -> None:
    devices = {d.id: d for d in tree}
    states = {d.id: data.draw(state) for d in tree}
    topology = Topology(tree)
    for device_id in devices:
        if states[device_id] is False:
            assert topology.root_cause(device_id, states) == walk(devices, states, device_id)


@given(trees(), st.data(), st.sampled_from([0, 3]))
def test_blame_is_the_root_cause_of_every_instant(
    tree: list[Device], data: st.DataObject, settle: int
) -> None:
    devices = {d.id: d for d in tree}
    histories = {d.id: data.draw(st.lists(state, min_size=LENGTH, max_size=LENGTH)) for d in tree}
    lines = {device_id: line(history) for device_id, history in histories.items()}
    topology = Topology(tree)
    for device_id, history in histories.items():
        blamed = topology.blame(device_id, lines, settle)
        for instant in range(LENGTH):
            causes = [cause for cause, time in blamed.items() if holds(time, instant)]
            if history[instant] is not False:
                assert causes == []
                continue
            near = range(max(0, instant - settle), min(LENGTH, instant + settle + 1))
            states = {
                other: False if any(past[t] is False for t in near) else past[instant]
                for other, past in histories.items()
            }
            assert causes == [walk(devices, states, device_id)]


def line(history: list[bool | None]) -> Timeline:
    def when(wanted: bool) -> IntervalSet:
        return IntervalSet.of((t, t + 1) for t, value in enumerate(history) if value is wanted)

    return Timeline(0, LENGTH, when(True), when(False))


def holds(time: IntervalSet, instant: int) -> bool:
    return any(start <= instant < end for start, end in time)


def test_paths_and_what_lies_behind() -> None:
    topology = Topology([device(0, None), device(1, 0), device(2, 1), device(3, 0), device(4, 99)])
    assert topology.path("d2") == ("d2", "d1", "d0")
    assert topology.path("d4") == ("d4",), "an uplink elsewhere ends the path"
    assert topology.behind("d1") == ["d1", "d2"]
    assert topology.behind("d0") == ["d0", "d1", "d2", "d3"]


def test_a_cycle_is_refused() -> None:
    with pytest.raises(ValueError, match="cycle"):
        Topology([device(0, 1), device(1, 0)])


def test_first_break_is_the_one_nearest_to_the_internet() -> None:
    topology = Topology([device(0, None), device(1, 0), device(2, 1)])
    assert topology.first_break("d2", {"d0": False, "d1": True, "d2": False}) == "d0"
    assert topology.first_break("d2", {"d0": True, "d1": None, "d2": True}) is None


def test_rooms_are_those_served_not_those_where_equipment_stands() -> None:
    def placed(number: int, kind: DeviceKind, **more: object) -> Device:
        return device(number, 0 if number else None, kind).model_copy(update=more)

    switch = placed(0, DeviceKind.SWITCH, room="closet")
    ap = placed(1, DeviceKind.AP, room="corridor", serves=["r1", "r2"])
    own = placed(2, DeviceKind.AP, room="r3")
    projector = placed(3, DeviceKind.PROJECTOR, room="r4")
    assert rooms_served(switch) == []
    assert Topology([switch, ap, own, projector]).rooms_affected("d0") == {"r1", "r2", "r3", "r4"}
