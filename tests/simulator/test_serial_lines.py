"""The demo's serial lines: each kind of device read as an agent reads it, and unplugged."""

from __future__ import annotations

import asyncio
import datetime as dt
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from campuswatch.inventory.models import Device, Inventory, School, SerialLine
from campuswatch.readings import Reading
from edge_agents.sources.base import PolledSource
from edge_agents.sources.serial.building import SerialLines
from edge_agents.sources.serial.register_maps import Register, load_maps
from simulator.district import Ports, simulated
from simulator.serial_lines import SerialPorts
from simulator.world import Trouble, World
from tests.simulator.districts import example, only

SCHOOL = "yunshan-village"
INTERVAL = dt.timedelta(seconds=10)
BUS = ("ys-201-meter", "ys-102-air")


def village(serial: Path | None, secrets: Path) -> Inventory:
    udp, tcp = iter(range(20_000, 21_000)), iter(range(21_000, 22_000))
    ports = Ports(udp, tcp, 1, serial)
    district = only(example(), SCHOOL)
    return simulated(district, ports, "mqtt://127.0.0.1:1", INTERVAL, secrets)


def with_alone(tmp_path: Path, driver: str) -> Inventory:
    """Return the village with one device more, alone on a line."""
    inventory = village(tmp_path / "serial", tmp_path / "secrets")
    (school,) = inventory.schools
    line = SerialLine(id="alone", port=str(tmp_path / "serial" / "alone"))
    serial: dict[str, object] = {"line": "alone", "driver": driver.removesuffix(" passive")}
    if driver.endswith(" passive"):
        serial["mode"] = "passive"
    device = Device.model_validate(
        {"id": "alone", "name": "Alone", "kind": "sensor", "room": "ys-101", "serial": serial}
    )
    agent = school.agents[0].model_copy(update={"serial": [line]})
    change = {"agents": [agent], "devices": [device]}
    return inventory.model_copy(update={"schools": [school.model_copy(update=change)]})


@asynccontextmanager
async def playing(world: World) -> AsyncIterator[dict[str, PolledSource]]:
    """Play the lines of a world, and yield the sources of its agent by device."""
    ports = SerialPorts(world, load_maps())
    ports.start()
    task = asyncio.create_task(ports.run())
    school: School = world.inventory.schools[0]
    sources = SerialLines(school.agents[0], load_maps()).sources(school.devices)
    try:
        yield sources
    finally:
        for source in sources.values():
            await source.close()
        task.cancel()
        ports.close()


def leave_behind(world: World) -> None:
    """Leave what a killed simulator leaves: a path to a terminal that is gone."""
    port = Path(world.inventory.schools[0].agents[0].serial[0].port)
    port.parent.mkdir()
    port.symlink_to(port.parent / "gone")


async def polled(source: PolledSource, fits: Callable[[list[Reading]], bool]) -> list[Reading]:
    """Poll until the readings fit."""
    async with asyncio.timeout(20):
        while True:
            readings = await source.poll()
            if fits(readings):
                return readings
            await asyncio.sleep(0.05)


def is_up(readings: list[Reading]) -> bool:
    """Return whether a device is up and delivers more than that."""
    return len(readings) > 1 and readings[-1].fields["up"] == 1


def is_down(readings: list[Reading]) -> bool:
    return bool(readings) and readings[-1].fields["up"] == 0


async def test_the_example_delivers_what_its_rooms_have(tmp_path: Path) -> None:
    world = World(village(tmp_path / "serial", tmp_path / "secrets"), 1, time.time())
    found: dict[str, object] = {}
    async with playing(world) as sources:
        for device, source in sources.items():
            for reading in await polled(source, is_up):
                found |= {f"{device} {name}": value for name, value in reading.fields.items()}
    plausible = {
        "ys-201-meter voltage": (220, 236),
        "ys-201-meter power": (1, 300),
        "ys-201-meter energy": (1, 1e10),
        "ys-102-air temperature": (10, 30),
        "ys-102-air humidity": (20, 80),
        "ys-103-co2 co2": (400, 1800),
        "ys-104-dust pm2_5": (5, 45),
        "ys-201-projector lamp_hours": (1, 100_000),
        "ys-201-projector lamp_error": (0, 0),
    }
    for name, (least, most) in plausible.items():
        value = found[name]
        assert isinstance(value, int | float)
        assert least <= value <= most, name


@pytest.mark.parametrize(
    ("driver", "field"),
    [
        ("mh-z19", "co2"),
        ("senseair-s8", "co2"),
        ("pms5003", "pm2_5"),
        ("pms5003 passive", "pm2_5"),
        ("epson", "power"),
        ("benq", "power"),
        ("optoma", "lamp_hours"),
    ],
)
async def test_every_driver_finds_its_device(tmp_path: Path, driver: str, field: str) -> None:
    async with playing(World(with_alone(tmp_path, driver), 1, time.time())) as sources:
        readings = await polled(sources["alone"], is_up)
        assert readings[0].fields[field] is not None


async def test_a_pulled_adapter_takes_its_line_along_and_comes_back(tmp_path: Path) -> None:
    world = World(village(tmp_path / "serial", tmp_path / "secrets"), 1, time.time())
    async with playing(world) as sources:
        for device in BUS:
            await polled(sources[device], is_up)
        world.begin(Trouble.UNPLUGGED, BUS[0], 1.0)
        for device in BUS:
            (down,) = await polled(sources[device], is_down)
            assert "is gone" in str(down.fields["reason"])
        assert is_up(await polled(sources["ys-103-co2"], is_up))
        world.end(Trouble.UNPLUGGED, BUS[0], 2.0)
        for device in BUS:
            await polled(sources[device], is_up)


async def test_a_slave_without_power_leaves_the_line_to_the_others(tmp_path: Path) -> None:
    world = World(village(tmp_path / "serial", tmp_path / "secrets"), 1, time.time())
    world.begin(Trouble.DOWN, BUS[0], 1.0)
    async with playing(world) as sources:
        await polled(sources[BUS[0]], is_down)
        await polled(sources[BUS[1]], is_up)


async def test_a_port_left_behind_is_no_hindrance(tmp_path: Path) -> None:
    world = World(village(tmp_path / "serial", tmp_path / "secrets"), 1, time.time())
    leave_behind(world)
    async with playing(world) as sources:
        await polled(sources[BUS[0]], is_up)


def test_without_pseudo_terminals_there_are_no_serial_devices(tmp_path: Path) -> None:
    (school,) = village(None, tmp_path / "secrets").schools
    assert not any(device.serial for device in school.devices)
    assert not school.agents[0].serial
    assert {device.id for device in school.devices} >= {"ys-router", "ys-101-climate"}


INTEGERS = {"u16": (0, 2**16 - 1), "s16": (-(2**15), 2**15 - 1), "u32": (0, 2**32 - 1)}


@given(
    st.sampled_from(sorted(INTEGERS)),
    st.sampled_from(["big", "little"]),
    st.sampled_from([1.0, 0.1, 0.01, 10.0]),
    st.data(),
)
def test_registers_read_back_what_was_written(
    kind: str, order: str, scale: float, data: st.DataObject
) -> None:
    register = Register.model_validate(
        {"field": "power.power", "function": "input", "address": 0}
        | {"type": kind, "word_order": order, "scale": scale}
    )
    number = data.draw(st.integers(*INTEGERS[kind])) * scale
    words = register.words(number)
    assert len(words) == register.block.count
    assert register.number(words) == pytest.approx(number)
