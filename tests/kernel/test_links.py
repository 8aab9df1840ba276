"""Neighbours become links: confirmed, one-sided or contradictory."""

from __future__ import annotations

import random
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from campuswatch.identities import Identities, Identity
from campuswatch.links import Cabling, End, Sight, cabling
from campuswatch.neighbours import Neighbour

DEVICES = ("router", "core", "sw-1", "sw-2", "ap-1", "ap-2")


def mac(device: str) -> str:
    return f"02:00:00:00:00:{DEVICES.index(device):02x}"


KNOWN = Identities(
    Identity(device, chassis=frozenset({mac(device)}), names=frozenset({device}))
    for device in DEVICES
)


def hears(device: str, interface: str, other: str, port: str, protocol: str = "lldp") -> Neighbour:
    return Neighbour(device, interface, protocol, mac(other), chassis=mac(other), port=port)


def cable(one: str, port: str, other: str, other_port: str) -> list[Neighbour]:
    return [hears(one, port, other, other_port), hears(other, other_port, one, port)]


def sights(cables: Cabling) -> dict[tuple[End, End], Sight]:
    return {link.ends: link.sight for link in cables.links}


def test_a_link_that_both_ends_report_is_confirmed() -> None:
    found = cabling(cable("core", "Gi0/1", "sw-1", "Gi0/24"), KNOWN)
    assert sights(found) == {(End("core", "Gi0/1"), End("sw-1", "Gi0/24")): Sight.CONFIRMED}


def test_a_link_that_one_end_reports_is_one_sided() -> None:
    found = cabling([hears("sw-1", "Gi0/3", "ap-1", "eth0")], KNOWN)
    assert sights(found) == {(End("sw-1", "Gi0/3"), End("ap-1", "eth0")): Sight.ONE_SIDED}


def test_a_link_is_contradictory_when_the_other_end_hears_somebody_else() -> None:
    heard = [
        hears("ap-1", "eth0", "sw-1", "GigabitEthernet0/3"),
        *cable("sw-1", "Gi0/3", "ap-2", "eth0"),
    ]
    found = sights(cabling(heard, KNOWN))
    assert found[End("ap-1", "eth0"), End("sw-1", "GigabitEthernet0/3")] is Sight.CONTRADICTORY
    assert found[End("ap-2", "eth0"), End("sw-1", "Gi0/3")] is Sight.CONFIRMED


def test_ports_are_matched_where_two_cables_run_between_two_switches() -> None:
    heard = cable("core", "Te0/1", "sw-1", "Te0/49") + cable("core", "Te0/2", "sw-1", "Te0/50")
    random.Random(1).shuffle(heard)
    assert sights(cabling(heard, KNOWN)) == {
        (End("core", "Te0/1"), End("sw-1", "Te0/49")): Sight.CONFIRMED,
        (End("core", "Te0/2"), End("sw-1", "Te0/50")): Sight.CONFIRMED,
    }


def test_a_port_id_that_is_a_number_still_confirms() -> None:
    heard = [hears("core", "Gi0/1", "sw-1", "7"), hears("sw-1", "Gi0/7", "core", "1")]
    assert sights(cabling(heard, KNOWN)) == {
        (End("core", "Gi0/1"), End("sw-1", "Gi0/7")): Sight.CONFIRMED
    }


def test_cdp_beside_lldp_adds_no_link() -> None:
    heard = cable("core", "Gi0/1", "sw-1", "Gi0/24")
    heard.append(Neighbour("core", "GigabitEthernet0/1", "cdp", "sw-1.lan", "sw-1.lan", "Gi0/24"))
    assert len(cabling(heard, KNOWN).links) == 1


def test_an_unknown_neighbour_is_a_stranger_once() -> None:
    heard = [
        Neighbour("sw-1", "Gi0/9", "lldp", "x", "02:ff:00:00:00:01", name="desk-switch"),
        Neighbour("sw-1", "Gi0/9", "cdp", "desk-switch.lan", "desk-switch.lan"),
    ]
    found = cabling(heard, KNOWN)
    assert not found.links
    assert [stranger.name for stranger in found.strangers] == ["desk-switch"]


def test_a_name_that_several_have_identifies_nobody() -> None:
    twins = Identities(
        [
            Identity("a", names=frozenset({"HUAWEI"}), addresses=frozenset({"10.0.0.1"})),
            Identity("b", names=frozenset({"HUAWEI"}), addresses=frozenset({"10.0.0.2"})),
        ]
    )
    assert twins.find(name="HUAWEI") is None
    assert twins.find(name="huawei", address="10.0.0.2") == "b"


def test_a_name_may_carry_a_domain_or_a_serial_number() -> None:
    for name in ("core", "CORE.school.lan", "core(SSI183706PK)", "core.lan(SSI183706PK)"):
        assert KNOWN.find(name=name) == "core"


@given(st.permutations(DEVICES[1:]), st.randoms(use_true_random=False))
def test_the_tree_leads_back_from_everywhere_whatever_the_order(
    order: list[str], chance: random.Random
) -> None:
    line = ["router", *order]
    heard = [
        each
        for number, (upper, lower) in enumerate(pairwise(line))
        for each in cable(upper, f"Gi0/{number}", lower, f"Te0/{number}")
    ]
    chance.shuffle(heard)
    tree = cabling(heard, KNOWN).tree(["router"])
    assert {device: link.far_end(device).device for device, link in tree.items()} == {
        lower: upper for upper, lower in pairwise(line)
    }
