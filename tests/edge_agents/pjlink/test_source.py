"""Projectors on real sockets: those that behave, and those that do not."""

from __future__ import annotations

import asyncio
import contextlib
import datetime as dt
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from campuswatch.inventory.models import Device, DeviceKind, PjLink
from campuswatch.readings import Reading
from campuswatch.secrets import SecretError
from edge_agents.sources.pjlink.source import PjLinkSource, pjlink_source
from simulator.pjlink import Projector, ProjectorState
from tests.servers import free_port

Handler = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


def source(port: int, password: str | None = None, **more: Any) -> PjLinkSource:
    pjlink = PjLink(password=password, port=port)
    given: dict[str, Any] = {
        "timeout": dt.timedelta(seconds=0.5),
        "retries": 0,
        "ping": False,
    } | more
    device = Device(
        id="proj-1",
        name="Projector",
        kind=DeviceKind.PROJECTOR,
        room="lab",
        address="127.0.0.1",
        pjlink=pjlink,
        **given,
    )
    return pjlink_source(device, "127.0.0.1", pjlink)


@contextlib.asynccontextmanager
async def projector(state: ProjectorState, **options: Any) -> AsyncIterator[int]:
    simulated = Projector(lambda: state, **options)
    port = await simulated.start("127.0.0.1", 0)
    try:
        yield port
    finally:
        simulated.close()


@contextlib.asynccontextmanager
async def listening(handler: Handler) -> AsyncIterator[int]:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError, asyncio.IncompleteReadError):
            await handler(reader, writer)
        writer.close()

    def begin(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        conversations.append(asyncio.create_task(serve(reader, writer)))

    conversations: list[asyncio.Task[None]] = []
    server = await asyncio.start_server(begin, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        for conversation in conversations:
            conversation.cancel()
        await asyncio.gather(*conversations, return_exceptions=True)


def named(readings: list[Reading], measurement: str) -> Reading:
    (found,) = [reading for reading in readings if reading.measurement == measurement]
    return found


async def only_availability(polled: PjLinkSource) -> dict[str, Any]:
    (reading,) = await polled.poll()
    assert reading.measurement == "availability"
    return dict(reading.fields)


async def test_a_projector_of_class_2_tells_everything() -> None:
    state = ProjectorState(power=1, lamps=(900, 1500), errors="000010", name="报告厅")
    async with projector(state) as port:
        readings = await source(port).poll()
    available = named(readings, "availability")
    assert available.tags == {"device": "proj-1", "room": "lab"}
    assert available.fields["up"] == available.fields["service_up"] == 1
    assert "reason" not in available.fields
    assert named(readings, "projector").fields == {
        "power": 1,
        "input": "digital 1",
        "lamp_hours": 1500.0,
        "filter_hours": 310.0,
        "fan_error": 0,
        "lamp_error": 0,
        "temperature_error": 0,
        "cover_error": 0,
        "filter_error": 1,
        "other_error": 0,
        "lamp_model": "CO-LAMP-5",
        "filter_model": "CO-FILTER-2",
    }
    assert named(readings, "device_info").fields == {
        "name": "报告厅",
        "vendor": "Campus Optics",
        "model": "CO-500",
        "description": "simulated",
        "serial_number": "CO500-0042",
        "firmware": "1.04",
    }


async def test_who_it_is_is_asked_once_in_a_while() -> None:
    async with projector(ProjectorState(power=1)) as port:
        polled = source(port)
        await polled.poll()
        readings = await polled.poll()
    assert [reading.measurement for reading in readings] == ["availability", "projector"]
    assert named(readings, "projector").fields["filter_hours"] == 310


async def test_a_laser_of_class_1_in_standby_tells_little_and_is_well() -> None:
    state = ProjectorState(power=0, lamps=(), filter_hours=None)
    async with projector(state, level=1) as port:
        readings = await source(port).poll()
    fields = named(readings, "projector").fields
    assert fields["power"] == 0
    assert not fields.keys() & {"input", "lamp_hours", "filter_hours"}
    assert "reason" not in named(readings, "availability").fields


async def test_a_password_opens_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PROJECTOR_PASSWORD", "JBMIAProjectorLink")
    async with projector(ProjectorState(), password="JBMIAProjectorLink") as port:
        readings = await source(port, "env:PROJECTOR_PASSWORD").poll()
    assert named(readings, "availability").fields["service_up"] == 1


async def test_a_wrong_password_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PROJECTOR_PASSWORD", "wrong")
    async with projector(ProjectorState(), password="right") as port:
        fields = await only_availability(source(port, "env:PROJECTOR_PASSWORD"))
    assert fields["up"] == 0
    assert fields["reason"] == "no PJLink answer: it refuses the password"


async def test_a_missing_password_is_said() -> None:
    async with projector(ProjectorState(), password="right") as port:
        fields = await only_availability(source(port))
    assert "pjlink.password is not given" in fields["reason"]


def test_a_secret_that_is_nowhere(tmp_path: Path) -> None:
    with pytest.raises(SecretError):
        source(4352, f"file:{tmp_path}/missing")


async def test_nobody_there() -> None:
    fields = await only_availability(source(free_port()))
    assert fields["service_up"] == 0
    assert fields["reason"] == "no PJLink answer: no connection: Connection refused"


async def test_a_projector_that_serves_somebody_else_is_asked_again() -> None:
    async with projector(ProjectorState()) as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        await reader.readuntil(b"\r")
        assert "closed the connection" in (await only_availability(source(port)))["reason"]
        patient = asyncio.create_task(source(port, retries=10).poll())
        writer.transport.abort()
        readings = await patient
    assert named(readings, "availability").fields["service_up"] == 1


async def test_err4_is_the_projector_s_own_failure() -> None:
    async def failing(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"PJLINK 0\r")
        while True:
            command = await reader.readuntil(b"\r")
            writer.write(command[:6] + b"=ERR4\r")

    async with listening(failing) as port:
        readings = await source(port).poll()
    available = named(readings, "availability").fields
    assert available["service_up"] == 1
    assert "ERST: ERR4, failure of the projector" in str(available["reason"])


async def test_what_it_said_before_it_hung_up_is_kept() -> None:
    async def short(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"PJLINK 0\r")
        await reader.readuntil(b"\r")
        writer.write(b"%1POWR=2\r")
        await writer.drain()

    async with listening(short) as port:
        readings = await source(port).poll()
    assert named(readings, "projector").fields == {"power": 2}
    available = named(readings, "availability").fields
    assert available["service_up"] == 1
    assert "closed the connection" in str(available["reason"])


async def test_a_value_that_makes_no_sense_is_left_out() -> None:
    async def odd(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"PJLINK 0\r")
        values = {b"POWR": b"1", b"CLSS": b"1", b"LAMP": b"many", b"ERST": b"000000"}
        while True:
            command = await reader.readuntil(b"\r")
            writer.write(command[:6] + b"=" + values.get(command[2:6], b"ERR1") + b"\r")

    async with listening(odd) as port:
        readings = await source(port).poll()
    assert "lamp_hours" not in named(readings, "projector").fields
    assert named(readings, "projector").fields["fan_error"] == 0
    reason = named(readings, "availability").fields["reason"]
    assert reason == "LAMP makes no sense: 'many'"


async def _greets_with(data: bytes) -> str:
    async def greet(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(data)
        await reader.read()

    async with listening(greet) as port:
        fields = await only_availability(source(port))
    return str(fields["reason"])


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "took longer than 0.5 s for its greeting"),
        (b"PJLI", "took longer than 0.5 s for its greeting"),
        (b"\xff\xfe\r", "no PJLink greeting"),
        (b"HTTP/1.1 400 Bad Request\r\n", "no PJLink greeting"),
        (b"P" * 100_000, "line without an end"),
        (b"PJLINK 0\r" + b"\0" * 600, "line without an end"),
    ],
)
async def test_what_is_no_projector(data: bytes, reason: str) -> None:
    assert reason in await _greets_with(data)


async def test_one_that_drips_is_left_within_the_interval() -> None:
    async def drip(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"PJLINK 0\r")
        while True:
            command = await reader.readuntil(b"\r")
            await asyncio.sleep(0.3)
            writer.write(command[:6] + b"=1\r")

    async with listening(drip) as port:
        polled = source(port, interval=dt.timedelta(seconds=1))
        readings = await polled.poll()
    assert "a poll takes longer than 1 s" in str(named(readings, "availability").fields["reason"])
    assert named(readings, "projector").fields["power"] == 1
