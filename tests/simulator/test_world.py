"""Who feels a trouble of the simulated district."""

import pytest

from simulator.rooms import Rooms
from simulator.world import Trouble, World
from tests.simulator.districts import example

NOW = 1_795_500_000.0  # a lesson on 24 November 2026


@pytest.fixture
def world() -> World:
    return World(example(), seed=1, started=NOW)


def silent(world: World) -> set[str]:
    return {
        device.id
        for school in world.inventory.schools
        for device in school.devices
        if not world.answers(device.id, NOW)
    }


def test_all_answer_at_first(world: World) -> None:
    assert silent(world) == set()


def test_a_dead_switch_takes_its_access_points_along(world: World) -> None:
    world.begin(Trouble.DOWN, "no1-sw-a2", NOW)
    assert silent(world) == {"no1-sw-a2", "no1-ap-a201", "no1-ap-a203"}


def test_a_dead_router_is_seen_from_inside_the_school(world: World) -> None:
    world.begin(Trouble.DOWN, "no1-router", NOW)
    assert silent(world) == {"no1-router"}


def test_nothing_answers_without_the_switch_of_the_agent(world: World) -> None:
    world.begin(Trouble.DOWN, "ys-switch", NOW)
    assert silent(world) == {
        device.id for device in world.inventory.school("yunshan-village").devices
    }


def test_what_gets_its_power_back_has_restarted(world: World) -> None:
    world.begin(Trouble.DOWN, "no1-sw-a2", NOW)
    world.end(Trouble.DOWN, "no1-sw-a2", NOW + 60)
    assert silent(world) == set()
    for device in ("no1-sw-a2", "no1-ap-a201"):
        assert world.booted(device) == NOW + 60
    assert world.booted("no1-sw-a1") < NOW


def test_a_plug_roams_to_a_weaker_access_point_of_its_floor(world: World) -> None:
    rooms, plug = Rooms(world), world.device("no1-a101-plug")
    before = rooms.values(plug, "wifi_signal", NOW)[0]
    world.begin(Trouble.DOWN, "no1-ap-a101", NOW)
    after = rooms.values(plug, "wifi_signal", NOW)[0]
    assert after["bssid"] != before["bssid"]
    assert float(after["rssi"]) < float(before["rssi"]) - 10


def test_a_plug_falls_silent_with_the_last_access_point_of_its_floor(world: World) -> None:
    rooms, plug = Rooms(world), world.device("no1-a204-plug")
    assert rooms.reaches_broker(plug, NOW)
    world.begin(Trouble.DOWN, "no1-sw-a2", NOW)
    assert not rooms.reaches_broker(plug, NOW)


def test_zigbee_sensors_depend_on_their_gateway(world: World) -> None:
    rooms, sensor = Rooms(world), world.device("bj-101-climate")
    assert rooms.reaches_broker(sensor, NOW)
    world.begin(Trouble.DOWN, "bj-zigbee", NOW)
    assert not rooms.reaches_broker(sensor, NOW)


def test_co2_rises_in_lessons() -> None:
    world = World(example(), seed=1, started=NOW)
    rooms, sensor = Rooms(world), world.device("bj-101-climate")
    night = 1_795_460_400.0  # three in the morning
    before = float(rooms.values(sensor, "environment", night)[0]["co2"])
    assert float(rooms.values(sensor, "environment", NOW)[0]["co2"]) > before + 300


def test_a_device_in_anothers_place_is_reached_through_that_ones_uplink() -> None:
    world = World(example(), seed=1, started=NOW)
    world.swap_cables("no1-ap-a101", "no1-ap-b201", NOW + 9)
    assert world.plugged_into("no1-ap-a101").id == "no1-ap-b201"
    assert "no1-sw-b2" in world.path("no1-ap-a101")
    assert "no1-sw-a1" in world.path("no1-ap-b201")
    assert world.recabled() == NOW + 9
    world.begin(Trouble.DOWN, "no1-sw-b2", NOW + 10)
    assert not world.answers("no1-ap-a101", NOW + 10)
    world.swap_cables("no1-ap-a101", "no1-ap-b201", NOW + 20)
    assert world.answers("no1-ap-a101", NOW + 20)
