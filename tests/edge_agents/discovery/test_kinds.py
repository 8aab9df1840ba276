"""What kind of device it is, by what devices of many makers say of themselves."""

from __future__ import annotations

import pytest

from edge_agents.discovery.kinds import guess
from edge_agents.discovery.probe import Found, Traits
from edge_agents.sources.snmp.registry import Profile

GENERIC = Profile("generic", "Any device", "", ())


def found(description: str, traits: Traits = Traits()) -> Found:  # noqa: B008 - immutable
    return Found("10.0.0.1", "lan", GENERIC, description, "", traits)


@pytest.mark.parametrize(
    ("description", "expected"),
    [
        ("Cisco IOS Software, C3560 Software (C3560-IPSERVICESK9-M)", "switch"),
        ("Cisco IOS Software, C1100 Software, AP1G2: Aironet 1600 Series", "ap"),
        ("Ruijie Gigabit Intelligent Access Switch (RG-S2910-24GT4XS-P-E) By Ruijie", "switch"),
        ("Ruijie 802.11ax Access Point (RG-AP820-L(V3)) By Ruijie Networks", "ap"),
        ("Ruijie Wireless Switch Controller (RG-WS6008)", "wlan-controller"),
        ("AirEngine5761-21 Huawei Versatile Routing Platform Software", "ap"),
        ("AC6508 Huawei Versatile Routing Platform Software", "wlan-controller"),
        ("AR651 Huawei Versatile Routing Platform Software", "router"),
        ("S5735-L24P4X-A1 Huawei Versatile Routing Platform Software", "switch"),
        ("RouterOS RB4011iGS+", "router"),
        ("APC Web/SNMP Management Card (Smart-UPS 1500)", "ups"),
        ("EPSON Projector EB-685Wi", "projector"),
    ],
)
def test_words_tell(description: str, expected: str) -> None:
    switch = Traits(services=6, capabilities=32)
    traits = switch if "C3560" in description else Traits()
    assert guess(found(description, traits), []).value == expected


@pytest.mark.parametrize(
    ("traits", "heard", "expected"),
    [
        (Traits(ups=True, services=72), [], "ups"),
        (Traits(printer=True, services=72, host=True), [], "printer"),
        (Traits(capabilities=32 + 16), [], "ap"),
        (Traits(capabilities=32 + 8), [], "switch"),
        (Traits(capabilities=8), [], "router"),
        (Traits(services=78), [32, 0], "switch"),
        (Traits(services=72, host=True), [], "server"),
        (Traits(services=2), [], "switch"),
        (Traits(services=4), [], "router"),
        (Traits(), [], "gateway"),
    ],
)
def test_traits_tell_where_words_do_not(traits: Traits, heard: list[int], expected: str) -> None:
    assert guess(found("Unheard-of box", traits), heard).value == expected
