"""What simulated devices hear of each other is what the inventory declares."""

from __future__ import annotations

import pytest

from simulator.hardware import Hardware
from simulator.mibs.lldp import LLDP
from simulator.mibs.tree import Oid
from simulator.world import World
from tests.simulator.districts import example

NOW = 1_795_500_000.0
REMOTE_PORT, REMOTE_NAME = (*LLDP, 1, 4, 1, 1, 7), (*LLDP, 1, 4, 1, 1, 9)


@pytest.fixture
def world() -> World:
    return World(example(), seed=1, started=NOW)


def heard(hardware: Hardware, world: World, device: str) -> dict[str, str]:
    """Return the remote port by the name of the neighbour."""
    objects = hardware.neighbours(world.device(device))

    def column(root: Oid) -> dict[Oid, str]:
        return {
            oid[len(root) :]: bytes(value).decode()  # type: ignore[arg-type]
            for oid, value in objects.items()
            if oid[: len(root)] == root
        }

    names, ports = column(REMOTE_NAME), column(REMOTE_PORT)
    return {name: ports[index] for index, name in names.items()}


def test_every_uplink_is_heard_at_both_ends(world: World) -> None:
    hardware = Hardware(world)
    speakers = {"switch", "ap", "router", "wlan-controller"}
    for school in world.inventory.schools:
        devices = {device.id: device for device in school.devices if device.address}
        for device in devices.values():
            above = devices.get(device.uplink or "")
            if above is None or not {device.kind.value, above.kind.value} <= speakers:
                continue
            assert above.id in heard(hardware, world, device.id)
            assert device.id in heard(hardware, world, above.id)


def test_a_swap_changes_what_four_devices_hear(world: World) -> None:
    hardware = Hardware(world)
    one, other = "no1-ap-a101", "no1-ap-b201"
    before = {device: heard(hardware, world, device) for device in (one, other)}
    world.swap_cables(one, other, NOW + 60)
    assert heard(hardware, world, one) == before[other]
    assert heard(hardware, world, other) == before[one]
    assert other in heard(hardware, world, "no1-sw-a1")
    assert one in heard(hardware, world, "no1-sw-b2")
    assert one not in heard(hardware, world, "no1-sw-a1")


def test_the_declared_port_is_the_one_that_is_heard(world: World) -> None:
    declared = world.device("no1-ap-a101")
    assert declared.uplink_port is not None
    assert heard(Hardware(world), world, declared.id) == {"no1-sw-a1": declared.uplink_port}


def test_a_printer_speaks_no_lldp(world: World) -> None:
    assert Hardware(world).neighbours(world.device("no1-printer")) == {}
