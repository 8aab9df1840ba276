"""What neighbours say of themselves, and which spellings of a port are one."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from campuswatch.measurements import CATALOGUE
from campuswatch.neighbours import Neighbour, neighbours, port_key

SWITCH = Neighbour("ap-1", "eth0", "lldp", "02:00:00:00:00:01")


@pytest.mark.parametrize(
    "spellings",
    [
        ("GigabitEthernet1/0/24", "Gi1/0/24", "GE1/0/24", "GigabitEthernet 1/0/24"),
        ("Ten-GigabitEthernet1/0/1", "XGigabitEthernet1/0/1", "Te1/0/1", "XGE1/0/1"),
        ("FastEthernet0/1", "Fa0/1"),
        ("HundredGigE1/0/1", "100GE1/0/1"),
    ],
)
def test_spellings_of_one_port_are_one(spellings: tuple[str, ...]) -> None:
    assert len({port_key(spelling) for spelling in spellings}) == 1


def test_other_ports_stay_apart() -> None:
    names = ["Gi0/1", "Gi0/11", "Te0/1", "Fa0/1", "eth0", "ether1", "port-channel1", "Vlan1", "1"]
    assert len({port_key(name) for name in names}) == len(names)


@given(st.text())
def test_a_key_is_its_own_key(name: str) -> None:
    assert port_key(port_key(name)) == port_key(name)


@pytest.mark.parametrize(
    ("port", "description", "expected"),
    [
        ("GigabitEthernet0/1", "to the library", "GigabitEthernet0/1"),
        ("02:00:00:00:00:07", "GigabitEthernet0/7", "GigabitEthernet0/7"),
        ("7", "GigabitEthernet0/7", "GigabitEthernet0/7"),
        ("7", "to the library", "7"),
        ("02:00:00:00:00:07", "", ""),
    ],
)
def test_the_port_is_named_as_well_as_can_be(port: str, description: str, expected: str) -> None:
    heard = Neighbour("sw", "Gi0/1", "lldp", "x", port=port, port_description=description)
    assert heard.its_port == expected


def test_readings_of_one_neighbour_are_one() -> None:
    row = CATALOGUE["neighbour"]
    tags = {"device": "ap-1", "interface": "eth0", "protocol": "lldp", "remote": SWITCH.remote}
    parts = [
        row.reading(tags, {"name": "sw-1", "port": "Gi0/3", "capabilities": 32}, 1),
        row.reading(tags, {"address": "10.0.0.2"}, 1),
        row.reading({**tags, "interface": "eth1"}, {"name": "sw-1"}, 1),
    ]
    first, second = neighbours(parts)
    assert (first.name, first.port, first.address, first.capabilities) == (
        "sw-1",
        "Gi0/3",
        "10.0.0.2",
        32,
    )
    assert (second.interface, second.address, second.capabilities) == ("eth1", "", None)
