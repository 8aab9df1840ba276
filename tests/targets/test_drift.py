"""Declared uplinks beside the cables that are seen."""

from __future__ import annotations

import shutil
import subprocess
from typing import Any
from xml.etree import ElementTree as ET

import pytest

from campuswatch.errors import UserError
from campuswatch.identities import Identities, Identity
from campuswatch.inventory.models import School
from campuswatch.links import End, cabling
from campuswatch.neighbours import Neighbour
from targets.drift import Comparison, Standing, compare, ways
from targets.link_graph import dot, svg


def device(name: str, kind: str, **more: Any) -> dict[str, Any]:
    return {"id": name, "name": name, "kind": kind, "address": "10.0.0.2", **more}


SCHOOL = School.model_validate(
    {
        "id": "hill",
        "name": 'Hill "North" 小学',
        "area": "rural",
        "students": 1,
        "agents": [{"id": "hill-agent"}],
        "internet": {"device": "router", "down": 100, "up": 100},
        "devices": [
            device("router", "router"),
            device("core", "switch", uplink="router"),
            device("sw-1", "switch", uplink="core"),
            device("sw-2", "switch", uplink="core"),
            device("ap-1", "ap", uplink="sw-1", uplink_port="Gi0/1", serves=["r-1"]),
            device("ap-2", "ap", uplink="sw-2", uplink_port="Gi0/1", room="r-2"),
            device("ap-3", "ap", uplink="sw-1", uplink_port="Gi0/3"),
            device("printer", "printer", uplink="sw-1", room="r-3"),
        ],
    }
)
KNOWN = Identities(Identity(each.id, names=frozenset({each.id})) for each in SCHOOL.devices)
CABLES = {
    "core": ("router", "Gi0/0"),
    "sw-1": ("core", "Gi0/1"),
    "sw-2": ("core", "Gi0/2"),
    "ap-1": ("sw-1", "GigabitEthernet0/1"),
    "ap-2": ("sw-2", "GigabitEthernet0/1"),
    "ap-3": ("sw-1", "GigabitEthernet0/3"),
}


def compared(cables: dict[str, tuple[str, str]], *more: Neighbour) -> Comparison:
    heard = list(more)
    for lower, (upper, port) in cables.items():
        heard.append(Neighbour(lower, "up", "lldp", upper, name=upper, port=port))
        heard.append(Neighbour(upper, port, "lldp", lower, name=lower, port="up"))
    return compare(SCHOOL, cabling(heard, KNOWN))


def standings(comparison: Comparison) -> dict[str, Standing]:
    return {uplink.device.id: uplink.standing for uplink in comparison.uplinks}


def test_all_as_declared() -> None:
    found = compared(CABLES)
    expected = dict.fromkeys(CABLES, Standing.AS_DECLARED)
    assert standings(found) == {**expected, "printer": Standing.CANNOT_TELL}
    assert not found.has_drifted


def test_two_cables_swapped_between_switches() -> None:
    found = compared({**CABLES, "ap-1": CABLES["ap-2"], "ap-2": CABLES["ap-1"]})
    drifted = {
        uplink.device.id: (uplink.standing, uplink.seen)
        for uplink in found.uplinks
        if uplink.device.id in ("ap-1", "ap-2")
    }
    assert drifted == {
        "ap-1": (Standing.OTHER_UPLINK, End("sw-2", "GigabitEthernet0/1")),
        "ap-2": (Standing.OTHER_UPLINK, End("sw-1", "GigabitEthernet0/1")),
    }
    assert found.has_drifted
    assert not found.undeclared


def test_two_cables_swapped_on_one_switch() -> None:
    found = compared({**CABLES, "ap-1": CABLES["ap-3"], "ap-3": CABLES["ap-1"]})
    assert standings(found)["ap-1"] is Standing.OTHER_PORT
    assert standings(found)["ap-3"] is Standing.OTHER_PORT
    assert standings(found)["ap-2"] is Standing.AS_DECLARED


def test_a_switch_that_hangs_behind_another_is_plugged_elsewhere() -> None:
    found = compared({**CABLES, "sw-2": ("sw-1", "Gi0/24")})
    assert standings(found)["sw-2"] is Standing.OTHER_UPLINK
    assert standings(found)["ap-2"] is Standing.AS_DECLARED


def test_a_cable_that_is_gone_is_not_seen() -> None:
    found = compared({lower: at for lower, at in CABLES.items() if lower != "sw-2"})
    assert standings(found)["sw-2"] is Standing.NOT_SEEN


def test_a_silent_end_is_no_drift() -> None:
    found = compared({lower: at for lower, at in CABLES.items() if lower != "ap-3"})
    assert standings(found)["ap-3"] is Standing.CANNOT_TELL
    assert not found.has_drifted


def test_an_end_that_was_heard_but_not_read_is_no_drift() -> None:
    heard = [
        Neighbour("router", "Gi0/0", "lldp", "core", name="core"),
        Neighbour("sw-1", "Gi0/1", "lldp", "ap-1", name="ap-1"),
    ]
    found = compare(SCHOOL, cabling(heard, KNOWN))
    assert standings(found)["core"] is Standing.AS_DECLARED
    assert standings(found)["sw-1"] is Standing.CANNOT_TELL


def test_without_the_router_the_devices_below_it_still_tell() -> None:
    cables = {lower: at for lower, at in CABLES.items() if lower != "core"}
    found = compared({**cables, "ap-1": CABLES["ap-2"], "ap-2": CABLES["ap-1"]})
    assert standings(found)["core"] is Standing.CANNOT_TELL
    assert standings(found)["ap-1"] is Standing.OTHER_UPLINK


def test_a_second_way_and_a_stranger_are_listed() -> None:
    spare = [
        Neighbour("sw-1", "Gi0/23", "lldp", "sw-2", name="sw-2", port="Gi0/23"),
        Neighbour("sw-2", "Gi0/23", "lldp", "sw-1", name="sw-1", port="Gi0/23"),
        Neighbour("sw-2", "Gi0/9", "lldp", "x", name="desk-switch"),
    ]
    found = compared(CABLES, *spare)
    (link,) = found.undeclared
    assert link.devices == {"sw-1", "sw-2"}
    assert [stranger.name for stranger in found.strangers] == ["desk-switch"]
    assert Standing.OTHER_UPLINK not in standings(found).values()


@pytest.mark.parametrize(
    ("room", "expected"),
    [
        ("r-1", ["ap-1", "sw-1", "core", "router"]),
        ("r-2", ["ap-2", "sw-2", "core", "router"]),
        ("r-3", ["printer", "sw-1", "core", "router"]),
    ],
)
def test_a_room_s_way_to_the_internet(room: str, expected: list[str]) -> None:
    (way,) = ways(compared(CABLES), room)
    assert [hop.device.id for hop in way] == expected


def test_the_way_goes_where_the_cable_goes() -> None:
    swapped = compared({**CABLES, "ap-1": CABLES["ap-2"], "ap-2": CABLES["ap-1"]})
    (way,) = ways(swapped, "r-1")
    assert [hop.device.id for hop in way] == ["ap-1", "sw-2", "core", "router"]


def test_graphviz_draws_every_device_and_stranger() -> None:
    found = compared(CABLES, Neighbour("sw-2", "Gi0/9", "lldp", "x", name="desk-switch"))
    drawn = ET.fromstring(svg(dot([found])))
    groups = drawn.iter("{http://www.w3.org/2000/svg}g")
    titles = {group.findtext("{http://www.w3.org/2000/svg}title") for group in groups}
    assert {device.id for device in SCHOOL.devices} | {"hill?0", "sw-1->ap-1"} <= titles
    words = "".join(drawn.itertext())
    assert 'Hill "North" 小学' in words
    assert "desk-switch" in words


def test_svg_without_graphviz_says_what_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    assert shutil.which("dot") is not None
    monkeypatch.setenv("PATH", "")
    with pytest.raises(UserError, match=r"needs the program dot"):
        svg(dot([compared(CABLES)]))


def test_dot_is_what_graphviz_reads_back() -> None:
    text = dot([compared(CABLES)])
    read = subprocess.run(
        ["dot", "-Tcanon"], input=text, capture_output=True, text=True, check=True
    )
    assert read.stderr == ""
