"""Devices behind pseudo-terminals that answer late, garble, fall silent and vanish."""

from __future__ import annotations

import asyncio
import contextlib
import os
import struct
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import pytest
from pymodbus.framer.rtu import FramerRTU

from campuswatch.inventory.models import Agent, Device
from campuswatch.readings import FieldValue, Reading
from edge_agents.gatherer import Gatherer
from edge_agents.health import AgentHealth
from edge_agents.host import HostVitals
from edge_agents.schedule import PollStatistics
from edge_agents.sources.base import PolledSource
from edge_agents.sources.mqtt.rejected import RejectedPayloads
from edge_agents.sources.serial.building import SerialLines
from edge_agents.sources.serial.register_maps import load_maps
from edge_agents.spool import Spool
from tests.edge_agents.serial.adapters import Adapter, ModbusBus
from tests.edge_agents.serial.test_frames import MHZ19, pms5003

MAPS = load_maps()
METER = [2301, 500, 0, 1150, 0, 1000, 0, 500, 0, 0]
AIR = [0, 215, 456]


class Lines:
    """The serial lines of an agent with one port, and what its devices said last."""

    def __init__(self, port: Path) -> None:
        line = {"id": "line-1", "port": str(port)}
        self._agent = Agent.model_validate({"id": "a", "serial": [line]})
        self.lines = SerialLines(self._agent, MAPS)
        self.sources: dict[str, PolledSource] = {}

    def add(self, identity: str, serial: dict[str, object], **device: object) -> PolledSource:
        given = {"interval": "1s", "timeout": "300ms", "retries": 0, **device}
        what = {"id": identity, "name": identity, "kind": "sensor", **given}
        entry = Device.model_validate({**what, "serial": {"line": "line-1", **serial}})
        (source,) = self.lines.sources([entry]).values()
        self.sources[identity] = source
        return source


@contextlib.asynccontextmanager
async def lines(port: Path) -> AsyncIterator[Lines]:
    made = Lines(port)
    try:
        yield made
    finally:
        for source in made.sources.values():
            await source.close()


@contextlib.contextmanager
def plugged(path: Path, hear: Callable[[bytes], None]) -> Iterator[Adapter]:
    adapter = Adapter(path, hear)
    adapter.plug()
    try:
        yield adapter
    finally:
        if adapter.path.is_symlink():
            adapter.unplug()


@contextlib.contextmanager
def bus(path: Path, garble: Callable[[bytes], bytes] = lambda data: data) -> Iterator[ModbusBus]:
    made = ModbusBus(path, {1: METER, 3: AIR}, garble)
    made.start()
    try:
        yield made
    finally:
        made.stop()


def fields(readings: list[Reading], measurement: str) -> dict[str, FieldValue]:
    (found,) = (dict(each.fields) for each in readings if each.measurement == measurement)
    return found


def slave(unit: int, name: str) -> dict[str, object]:
    return {"driver": "modbus", "unit": unit, "map": name}


async def test_slaves_share_a_line(tmp_path: Path) -> None:
    with bus(tmp_path / "bus"):
        async with lines(tmp_path / "bus") as made:
            meter = made.add("meter", slave(1, "pzem-004t"))
            air = made.add("air", slave(3, "xy-md02"))
            of_meter, of_air = await asyncio.gather(meter.poll(), air.poll())
    assert fields(of_meter, "power") == pytest.approx(
        {"voltage": 230.1, "current": 0.5, "power": 115.0, "energy": 3.6e6}
    )
    assert fields(of_air, "environment") == pytest.approx({"temperature": 21.5, "humidity": 45.6})
    assert fields(of_air, "availability")["up"] == 1


async def test_a_dead_slave_waits_longer_and_longer_while_the_others_are_read(
    tmp_path: Path,
) -> None:
    with bus(tmp_path / "bus") as there:
        async with lines(tmp_path / "bus") as made:
            dead = made.add("dead", slave(9, "xy-md02"), interval="200ms", retries=2)
            air = made.add("air", slave(3, "xy-md02"))
            for _ in range(12):
                answers = await asyncio.gather(dead.poll(), air.poll())
                assert fields(answers[1], "availability")["up"] == 1
                assert fields(answers[0], "availability")["up"] == 0
                await asyncio.sleep(0.05)
            reason = fields(await dead.poll(), "availability")["reason"]
        # Three tries at first, then one after 0.1 s, 0.3 s, 0.7 s, ... of silence.
        assert 3 <= there.asked.count(9) <= 6
        assert there.asked.count(3) == 12
    assert reason == "no Modbus RTU answer: silence"


async def test_answers_that_are_garbled_are_counted_and_asked_for_again(tmp_path: Path) -> None:
    spoilt = iter([True, True, False])

    def garble(data: bytes) -> bytes:
        return data[:-1] + bytes((data[-1] ^ 4,)) if next(spoilt, False) else b"\xff\x03" + data

    with bus(tmp_path / "bus", garble):
        async with lines(tmp_path / "bus") as made:
            air = made.add("air", slave(3, "xy-md02"), timeout="100ms", retries=2)
            assert fields(await air.poll(), "environment")["temperature"] == pytest.approx(21.5)
            statistics = made.lines.take_statistics()
    assert (statistics.damaged, statistics.unanswered) == (2, 2)


async def test_the_agents_health_tells_of_damage_and_silence(tmp_path: Path) -> None:
    with (
        plugged(tmp_path / "co2", lambda _: adapter.send(MHZ19[:-1] + b"\0")) as adapter,
        contextlib.closing(Spool(tmp_path / "spool", max_bytes=10**6, max_age=10**6)) as spool,
    ):
        async with lines(tmp_path / "co2") as made:
            health = AgentHealth(
                spool,
                Gatherer(spool, lambda: None),
                RejectedPayloads(tmp_path / "rejected"),
                HostVitals(tmp_path),
                PollStatistics,
                take_serial=made.lines.take_statistics,
            )
            await made.add("co2", {"driver": "mh-z19"}, timeout="100ms").poll()
            told = [fields(await health.poll(), "agent") for _ in range(2)]
    assert [each["serial_damaged"] for each in told] == [1, 0]
    assert [each["serial_unanswered"] for each in told] == [1, 0]


async def test_late_answers_are_not_taken_for_those_of_the_next_request(tmp_path: Path) -> None:
    """A slave that is slower than its timeout answers every request twice."""

    def hear(request: bytes) -> None:
        value = struct.pack(">f", int.from_bytes(request[2:4], "big"))
        frame = request[:2] + b"\x04" + value
        answer = frame + FramerRTU.compute_CRC(frame).to_bytes(2, "big")
        threading.Timer(0.15, adapter.send, [answer]).start()

    with plugged(tmp_path / "bus", hear) as adapter:
        async with lines(tmp_path / "bus") as made:
            meter = made.add("meter", slave(1, "sdm120"), timeout="100ms", retries=1)
            said = fields(await meter.poll(), "power")
    assert said == {"voltage": 0.0, "current": 6.0, "power": 12.0, "energy": 0x156 * 3.6e6}


async def test_a_slave_that_refuses_is_there(tmp_path: Path) -> None:
    with bus(tmp_path / "bus"):
        async with lines(tmp_path / "bus") as made:
            meter = made.add("meter", slave(3, "sdm120"))
            said = fields(await meter.poll(), "availability")
    assert said["up"] == 1
    assert said["reason"] == "refuses: exception 2 (illegal data address)"


async def test_a_port_that_vanishes_takes_its_devices_with_it_until_it_is_back(
    tmp_path: Path,
) -> None:
    path = tmp_path / "bus"
    with bus(path) as there:
        async with lines(path) as made:
            both = made.add("meter", slave(1, "pzem-004t")), made.add("air", slave(3, "xy-md02"))
            seen: list[list[FieldValue]] = [[], []]

            async def look() -> None:
                for history, source in zip(seen, both, strict=True):
                    history.append(fields(await source.poll(), "availability")["up"])

            await look()
            there.adapter.unplug()
            await look()
            gone = fields(await both[0].poll(), "availability")
            await look()
            there.adapter.plug()
            await look()
            await look()
    assert gone["reason"] == f"serial port {path} is gone"
    assert seen == [[1, 0, 0, 1, 1]] * 2


async def test_a_port_that_vanishes_while_it_is_asked_ends_the_wait(tmp_path: Path) -> None:
    asked, loop = asyncio.Event(), asyncio.get_running_loop()

    def hear(_: bytes) -> None:
        loop.call_soon_threadsafe(asked.set)

    with plugged(tmp_path / "co2", hear) as adapter:
        async with lines(tmp_path / "co2") as made:
            co2 = made.add("co2", {"driver": "mh-z19"}, interval="60s", timeout="20s")
            polling = asyncio.create_task(co2.poll())
            await asked.wait()
            await asyncio.to_thread(adapter.unplug)
            async with asyncio.timeout(10):
                said = fields(await polling, "availability")
    assert str(said["reason"]).endswith("is gone")


async def test_a_port_in_use_elsewhere_says_so(tmp_path: Path) -> None:
    with plugged(tmp_path / "co2", lambda _: adapter.send(MHZ19)) as adapter:
        async with lines(tmp_path / "co2") as owner, lines(tmp_path / "co2") as late:
            first, second = (each.add("co2", {"driver": "mh-z19"}) for each in (owner, late))
            assert fields(await first.poll(), "environment") == {"co2": 400.0}
            said = fields(await second.poll(), "availability")
    assert str(said["reason"]).endswith("is used by another program")


async def test_a_sensor_that_speaks_by_itself_is_heard_until_it_falls_silent(
    tmp_path: Path,
) -> None:
    path = tmp_path / "dust"
    with plugged(path, lambda _: None) as adapter:
        async with lines(path) as made:
            dust = made.add("dust", {"driver": "pms5003"}, interval="30s")
            assert await dust.poll() == [], "nothing is known of it yet"
            adapter.send(pms5003(1, 2)[9:] + b"\x42\x00" + pms5003(12, 15)[:20])
            adapter.send(pms5003(12, 15)[20:])
            heard: list[Reading] = []
            while not any(each.measurement == "environment" for each in heard):
                heard = await dust.poll()
                await asyncio.sleep(0.02)
            assert fields(heard, "environment") == {"pm2_5": 12.0, "pm10": 15.0}
            assert fields(heard, "availability")["up"] == 1
            adapter.unplug()
            gone: dict[str, FieldValue] = {"up": 1}
            while gone["up"]:
                gone = fields(await dust.poll(), "availability")
                await asyncio.sleep(0.02)
            assert gone["reason"] == f"serial port {path} is gone"


async def test_a_passive_sensor_is_told_so_and_asked(tmp_path: Path) -> None:
    asked: list[bytes] = []

    def hear(data: bytes) -> None:
        asked.append(data)
        echo = b"BM\x00\x04\xe1\x00\x01\x74"
        adapter.send(echo + pms5003(7, 9))

    with plugged(tmp_path / "dust", hear) as adapter:
        async with lines(tmp_path / "dust") as made:
            dust = made.add("dust", {"driver": "pms5003", "mode": "passive"})
            assert fields(await dust.poll(), "environment") == {"pm2_5": 7.0, "pm10": 9.0}
    assert b"".join(asked) == bytes.fromhex("42 4D E1 00 00 01 70 42 4D E2 00 00 01 71")


PROJECTORS: dict[str, tuple[dict[bytes, bytes], dict[str, FieldValue]]] = {
    "epson": (
        {
            b"PWR?\r": b"PWR=01\r:",
            b"LAMP?\r": b"LAMP=1234\r:",
            b"SOURCE?\r": b"SOURCE=30\r:",
            b"ERR?\r": b"ERR=07\r:",
        },
        {"power": 1, "lamp_hours": 1234.0, "input": "30", "cover_error": 2, "fan_error": 0},
    ),
    "benq": (
        {
            b"\r*pow=?#\r": b">*pow=?#\r\n*POW=ON#\r\n",
            b"\r*ltim=?#\r": b"*LTIM=321#\r\n",
            b"\r*sour=?#\r": b"*Block item#\r\n",
        },
        {"power": 1, "lamp_hours": 321.0},
    ),
    "optoma": (
        {b"~00124 1\r": b"OK0\r", b"~00108 1\r": b"OK00987\r", b"~00121 1\r": b"F\r"},
        {"power": 0, "lamp_hours": 987.0},
    ),
}


@pytest.mark.parametrize("maker", PROJECTORS)
async def test_projectors_tell_of_themselves(tmp_path: Path, maker: str) -> None:
    answers, expected = PROJECTORS[maker]
    with plugged(tmp_path / "lamp", lambda data: adapter.send(answers[data])) as adapter:
        async with lines(tmp_path / "lamp") as made:
            said = await made.add("lamp", {"driver": maker}).poll()
    found = fields(said, "projector")
    assert {name: found[name] for name in expected} == expected
    assert ("input" in found) == ("input" in expected)


async def test_the_s8_and_a_device_of_random_bytes(tmp_path: Path) -> None:
    answer = bytes.fromhex("FE 04 02 01 90 AC D8")
    with plugged(tmp_path / "co2", lambda _: adapter.send(answer)) as adapter:
        async with lines(tmp_path / "co2") as made:
            s8 = made.add("s8", {"driver": "senseair-s8"})
            assert fields(await s8.poll(), "environment") == {"co2": 400.0}
            answer = os.urandom(64)
            said = fields(await s8.poll(), "availability")
    assert str(said["reason"]).startswith("no Senseair S8 answer: noise")


async def test_lines_of_text_become_readings(tmp_path: Path) -> None:
    entry: dict[str, object] = {"driver": "text", "columns": ["environment.noise"]}
    with plugged(tmp_path / "noise", lambda _: None) as adapter:
        async with lines(tmp_path / "noise") as made:
            noise = made.add("noise", entry)
            await noise.poll()
            adapter.send(b"54.1\r\n55.2\r\n")
            said: list[Reading] = []
            deadline = time.monotonic() + 10
            while not said and time.monotonic() < deadline:
                said = await noise.poll()
                await asyncio.sleep(0.02)
    assert fields(said, "environment") == {"noise": 55.2}
    assert fields(said, "availability")["up"] == 1
