"""Notifications from net-snmp's own tools, and from whoever else finds the port."""

from __future__ import annotations

import asyncio
import contextlib
import json
import random
import socket
import subprocess
from collections.abc import AsyncIterator, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import pytest
from pyasn1.codec.ber import encoder
from pysnmp.proto.api import v2c

from campuswatch.inventory.models import Device, DeviceKind, District, TrapListener
from campuswatch.measurements import CATALOGUE
from campuswatch.readings import Reading, now_ns
from edge_agents.sources.snmp.session import SYS_UP_TIME
from edge_agents.sources.snmp.traps.interfaces import InterfaceNames
from edge_agents.sources.snmp.traps.notification import TRAP_OID
from edge_agents.sources.snmp.traps.source import TrapSource, trap_accesses
from edge_agents.sources.snmp.traps.statistics import TrapStatistics
from tests.edge_agents.snmp.agents import oid
from tests.edge_agents.snmp.test_snmpv3 import NET_SNMP
from tests.edge_agents.waiting import until
from tests.servers import free_port, program

LINK_DOWN: Final = "1.3.6.1.6.3.1.1.5.3"
IF_INDEX: Final = "1.3.6.1.2.1.2.2.1.1"
DEVICE: Final = Device(
    id="sw-1", name="Switch", kind=DeviceKind.SWITCH, room="lab", address="127.0.0.1", snmp="user"
)
V3: Final = ["-v3", "-u", "watch", "-l", "authPriv", "-a", "SHA-256", "-A", "auth secret"]
AES: Final = [*V3, "-x", "AES", "-X", "priv secret"]
ENGINE: Final = ["-e", "0x8000000001020304"]
"""The sender's engine id: of a trap the sender is the authority (RFC 3414, 1.5.1)."""
V2C: Final = ["-v2c", "-c", "trapped"]


@pytest.fixture(autouse=True)
def _secrets(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("COMMUNITY", "trapped")
    monkeypatch.setenv("AUTH", "auth secret")
    monkeypatch.setenv("PRIV", "priv secret")
    monkeypatch.setenv("SNMP_PERSISTENT_DIR", str(tmp_path / "persistent"))


def user(auth: str | None, priv: str | None, name: str = "watch") -> dict[str, Any]:
    return {
        "version": "3",
        "user": name,
        "auth": auth,
        "auth_key": "env:AUTH" if auth else None,
        "priv": priv,
        "priv_key": "env:PRIV" if priv else None,
    }


@dataclass
class Listening:
    """A trap source that runs, and what came of it."""

    port: int
    source: TrapSource
    directory: Path
    interfaces: InterfaceNames
    readings: list[Reading] = field(default_factory=list)
    polled: list[str] = field(default_factory=list)
    storing: bool = True
    waiting: list[asyncio.Future[None]] = field(default_factory=list)

    def emit(self, readings: Iterable[Reading]) -> asyncio.Future[None]:
        self.readings += readings
        stored = asyncio.get_running_loop().create_future()
        if self.storing:
            stored.set_result(None)
        else:
            self.waiting.append(stored)
        return stored

    async def event(self, number: int = 1) -> Reading:
        await until(lambda: len(self.readings) >= number, f"event {number}")
        assert len(self.readings) == number
        return self.readings[-1]

    def journal(self) -> list[dict[str, Any]]:
        path = self.directory / "traps.jsonl"
        return [json.loads(line) for line in path.read_text().splitlines()]


@contextlib.asynccontextmanager
async def listening(
    directory: Path,
    *,
    credentials: dict[str, Any] | None = None,
    devices: Sequence[Device] = (DEVICE,),
    host: str = "127.0.0.1",
) -> AsyncIterator[Listening]:
    port = free_port(socket.SOCK_DGRAM)
    listener = TrapListener(listen=f"{host}:{port}", credentials=["community"])
    district = District.model_validate(
        {
            "id": "d",
            "name": "District",
            "timezone": "Asia/Shanghai",
            "country": "CN",
            "credentials": {
                "community": {"version": "2c", "community": "env:COMMUNITY"},
                "user": user("sha256", "aes128"),
                **(credentials or {}),
            },
        }
    )
    polled: list[str] = []
    interfaces = InterfaceNames()
    source = TrapSource(
        listener,
        devices,
        trap_accesses(listener, devices, district),
        interfaces=interfaces,
        poll=polled.append,
        directory=directory,
    )
    there = Listening(port, source, directory, interfaces, polled=polled)
    task = asyncio.create_task(source.run(there.emit))
    await until(lambda: listens(port), "the port")
    try:
        yield there
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


def listens(port: int) -> bool:
    """Return whether a UDP port is bound, without binding it (proc(5))."""
    sockets = Path("/proc/net/udp").read_text() + Path("/proc/net/udp6").read_text()
    return f":{port:04X} " in sockets


async def run(tool: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [program(tool), "-m", "", *arguments]
    return await asyncio.to_thread(
        subprocess.run, command, capture_output=True, text=True, check=False, timeout=20
    )


async def snmptrap(port: int, *arguments: str, kind: str = LINK_DOWN, how: Sequence[str]) -> None:
    done = await run("snmptrap", *how, f"127.0.0.1:{port}", "", kind, *arguments)
    assert done.returncode == 0, done.stderr


async def snmpinform(
    port: int, *arguments: str, kind: str = LINK_DOWN, how: Sequence[str], tries: int = 3
) -> subprocess.CompletedProcess[str]:
    options = [*how, "-t", "1", "-r", str(tries - 1)]
    return await run("snmpinform", *options, f"127.0.0.1:{port}", "", kind, *arguments)


def port_3() -> list[str]:
    return [f"{IF_INDEX}.3", "i", "3"]


# --- what arrives -------------------------------------------------------------


@pytest.mark.parametrize("how", [V2C, [*AES, *ENGINE]], ids=["v2c", "v3"])
async def test_a_trap_is_an_event_and_a_poll(how: list[str], tmp_path: Path) -> None:
    async with listening(tmp_path) as there:
        await snmptrap(there.port, *port_3(), how=how)
        event = await there.event()
        assert event.measurement == "event"
        assert event.tags == {"device": "sw-1", "event": "link-down", "room": "lab"}
        assert event.fields == {
            "severity": 4,
            "text": "port ifIndex 3 is down",
            "interface": "ifIndex 3",
            "oid": LINK_DOWN,
            "sender": "127.0.0.1",
        }
        assert there.polled == ["sw-1"]
        assert there.source.take_statistics() == TrapStatistics(received=1)


@pytest.mark.parametrize("how", [V2C, AES], ids=["v2c", "v3"])
async def test_an_inform_is_answered_once_it_is_stored(how: list[str], tmp_path: Path) -> None:
    async with listening(tmp_path) as there:
        done = await snmpinform(there.port, *port_3(), how=how)
        assert done.returncode == 0, done.stderr
        await there.event()
        there.storing = False
        refused = await snmpinform(there.port, *port_3(), how=how, tries=2)
        assert refused.returncode != 0
        assert "Timeout" in refused.stderr + refused.stdout
        await there.event(2)  # not once for each try
        for stored in there.waiting:
            stored.set_result(None)
        there.storing = True
        assert (await snmpinform(there.port, how=how)).returncode == 0


@pytest.mark.parametrize("auth", [name for name in NET_SNMP if name.startswith(("md5", "sha"))])
async def test_users_of_every_protocol_are_heard(auth: str, tmp_path: Path) -> None:
    users = {
        f"{auth}-{priv}": user(auth, priv, f"{auth}{priv}")
        for priv in ("des", "aes128", "aes192", "aes256", "aes192c", "aes256c")
    }
    users[f"{auth}-none"] = user(auth, None, f"{auth}none")
    others = [
        Device(
            id=name,
            name=name,
            kind=DeviceKind.SWITCH,
            address=f"127.0.1.{number}",
            snmp=name,
        )
        for number, name in enumerate(users, 1)
    ]
    async with listening(tmp_path, credentials=users, devices=[DEVICE, *others]) as there:
        for number, credential in enumerate(users.values(), 1):
            how = ["-v3", "-u", credential["user"], "-a", NET_SNMP[auth], "-A", "auth secret"]
            if credential["priv"]:
                how += ["-x", NET_SNMP[credential["priv"]], "-X", "priv secret", "-l", "authPriv"]
            else:
                how += ["-l", "authNoPriv"]
            await snmptrap(there.port, *port_3(), how=[*how, *ENGINE])
            await there.event(2 * number - 1)
            done = await snmpinform(there.port, *port_3(), how=how)
            assert done.returncode == 0, f"{credential}: {done.stderr}"
            await there.event(2 * number)
        assert there.source.take_statistics() == TrapStatistics(received=2 * len(users))


async def test_a_version_1_trap_is_converted(tmp_path: Path) -> None:
    elsewhere = Device(
        id="sw-2", name="Behind", kind=DeviceKind.SWITCH, address="10.9.9.9", snmp="user"
    )
    async with listening(tmp_path, devices=[elsewhere]) as there:
        place = f"127.0.0.1:{there.port}"
        v1 = ["-v1", "-c", "trapped", place, "1.3.6.1.4.1.9.1.1", "10.9.9.9"]
        assert (await run("snmptrap", *v1, "3", "0", "", *port_3())).returncode == 0
        event = await there.event()
        assert event.tags == {"device": "sw-2", "event": "link-up"}
        v1[4] = "1.3.6.1.4.1.14179.2.6.3"
        name = ["1.3.6.1.4.1.14179.2.2.1.1.3.1", "s", "AP-3"]
        assert (await run("snmptrap", *v1, "6", "8", "", *name)).returncode == 0
        event = await there.event(2)
        # RFC 3584 (3.1): enterprise, 0, specific-trap.
        assert event.fields["oid"] == "1.3.6.1.4.1.14179.2.6.3.0.8"
        assert (event.tags["event"], event.fields["subject"]) == ("ap-left", "AP-3")


async def test_a_port_is_called_what_polling_calls_it(tmp_path: Path) -> None:
    async with listening(tmp_path) as there:
        emit = there.interfaces.listening(there.emit)
        tags = {"device": "sw-1", "interface": "GE1/0/3"}
        emit([CATALOGUE["interface"].reading(tags, {"index": 3}, now_ns())])
        there.readings.clear()
        await snmptrap(there.port, *port_3(), how=V2C)
        assert (await there.event()).fields["interface"] == "GE1/0/3"
        other = [f"{IF_INDEX}.4", "i", "4", "1.3.6.1.2.1.31.1.1.1.1.4", "s", "GE1/0/4"]
        await snmptrap(there.port, *other, how=V2C)
        assert (await there.event(2)).fields["interface"] == "GE1/0/4"


KINDS: Final[list[tuple[str, list[str], str, int]]] = [
    ("1.3.6.1.6.3.1.1.5.1", [], "cold-start", 4),
    ("1.3.6.1.6.3.1.1.5.2", [], "warm-start", 5),
    ("1.3.6.1.6.3.1.1.5.4", port_3(), "link-up", 5),
    ("1.3.6.1.6.3.1.1.5.5", [], "authentication-failure", 4),
    ("1.3.6.1.2.1.105.0.1", ["1.3.6.1.2.1.105.1.1.1.6.1.12", "i", "3"], "poe-on", 5),
    ("1.3.6.1.2.1.105.0.1", ["1.3.6.1.2.1.105.1.1.1.6.1.12", "i", "2"], "poe-off", 4),
    ("1.3.6.1.2.1.105.0.1", ["1.3.6.1.2.1.105.1.1.1.6.1.12", "i", "4"], "poe-fault", 3),
    ("1.3.6.1.2.1.105.0.2", ["1.3.6.1.2.1.105.1.3.1.1.4.1", "u", "350"], "poe-power-high", 4),
    ("1.3.6.1.4.1.14179.2.6.3.8", ["1.3.6.1.4.1.14179.2.2.1.1.3.1", "s", "AP-3"], "ap-left", 3),
    ("1.3.6.1.4.1.14823.2.3.1.11.1.2.1040", [], "ap-joined", 5),
    ("1.3.6.1.4.1.4881.1.1.10.2.56.6.2.14", [], "ap-left", 3),
    ("1.3.6.1.4.1.2011.6.139.13.1.1.2", [], "ap-joined", 5),
]


async def test_known_notifications_are_understood(tmp_path: Path) -> None:
    async with listening(tmp_path) as there:
        for number, (name, varbinds, kind, severity) in enumerate(KINDS, 1):
            await snmptrap(there.port, *varbinds, kind=name, how=V2C)
            event = await there.event(number)
            assert (event.tags["event"], event.fields["severity"]) == (kind, severity), name
        assert not (tmp_path / "traps.jsonl").exists()
        texts = [str(reading.fields["text"]) for reading in there.readings]
        assert "PoE delivers power: PoE port 1.12" in texts
        assert "an access point left: AP-3" in texts


async def test_one_that_is_not_understood_is_kept_decoded_and_its_values_stay(
    tmp_path: Path,
) -> None:
    async with listening(tmp_path) as there:
        varbinds = ["1.3.6.1.2.1.1.6.0", "x", "三楼机房".encode("gbk").hex()]
        await snmptrap(there.port, *varbinds, kind="1.3.6.1.4.1.99999.1", how=V2C)
        event = await there.event()
        assert event.tags["event"] == "other"
        assert event.fields["text"] == "sent enterprises.99999.1"
        (entry,) = there.journal()
        assert entry["device"] == "sw-1"
        assert entry["varbinds"] == {"sysLocation.0 (1.3.6.1.2.1.1.6.0)": "三楼机房"}
        assert there.polled == ["sw-1"]


async def test_ipv6(tmp_path: Path) -> None:
    device = DEVICE.model_copy(update={"address": "::1"})
    async with listening(tmp_path, devices=[device], host="[::1]") as there:
        done = await run("snmpinform", *V2C, f"udp6:[::1]:{there.port}", "", LINK_DOWN)
        assert done.returncode == 0, done.stderr
        assert (await there.event()).fields["sender"] == "::1"


# --- what does not ------------------------------------------------------------


@pytest.mark.parametrize(
    ("how", "reason"),
    [
        (["-v2c", "-c", "guessed"], "unknown community"),
        (["-v3", "-u", "nobody", "-l", "noAuthNoPriv", *ENGINE], "unknown user 'nobody'"),
        (["-v3", "-u", "watch", "-l", "noAuthNoPriv", *ENGINE], "not signed by user 'watch'"),
        ([*V3[:-1], "wrong secret", "-x", "AES", "-X", "priv secret", *ENGINE], "not signed"),
        ([*V3[:3], "-l", "authNoPriv", *V3[5:], *ENGINE], "not encrypted, as user 'watch'"),
    ],
)
async def test_one_that_may_not_is_counted_and_named(
    how: list[str], reason: str, tmp_path: Path
) -> None:
    async with listening(tmp_path) as there:
        await snmptrap(there.port, *port_3(), how=how)
        await until((tmp_path / "traps.jsonl").exists, "the journal")
        (entry,) = there.journal()
        assert reason in entry["reason"]
        assert entry["sender"] == "127.0.0.1"
        assert there.source.take_statistics() == TrapStatistics(rejected=1)
        assert not there.readings
        assert not there.polled


async def test_one_of_an_unknown_device_is_kept(tmp_path: Path) -> None:
    stranger = DEVICE.model_copy(update={"address": "10.1.1.1"})
    async with listening(tmp_path, devices=[stranger]) as there:
        await snmptrap(there.port, *port_3(), how=V2C)
        await until((tmp_path / "traps.jsonl").exists, "the journal")
        assert "no device" in there.journal()[0]["reason"]
        assert there.source.take_statistics() == TrapStatistics(rejected=1)
    known = stranger.model_copy(update={"addresses": ["127.0.0.1"]})
    async with listening(tmp_path / "known", devices=[known]) as there:
        await snmptrap(there.port, *port_3(), how=V2C)
        await there.event()


async def test_a_replay_is_none(tmp_path: Path) -> None:
    """A trap of an engine's earlier life, or from long ago, is not believed again."""
    async with listening(tmp_path) as there:
        for clock in ("7,5000", "7,4900", "7,4000", "6,9000"):
            await snmptrap(there.port, *port_3(), how=[*AES, *ENGINE, "-Z", clock])
        await until(
            lambda: (tmp_path / "traps.jsonl").exists() and len(there.journal()) == 2, "refusals"
        )
        assert all("time window" in entry["reason"] for entry in there.journal())
        await snmptrap(there.port, *port_3(), how=[*AES, *ENGINE, "-Z", "8,1"])
        await there.event(3)


async def test_a_storm_is_bounded_and_ends_in_few_polls(tmp_path: Path) -> None:
    async with listening(tmp_path) as there:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
            for uptime in range(400):
                sender.sendto(link_down(uptime), ("127.0.0.1", there.port))
                await asyncio.sleep(0)
        await until(lambda: len(there.readings) >= 100, "the burst")
        statistics = there.source.take_statistics()
        assert statistics.received == len(there.readings) <= 150
        assert statistics.dropped >= 200
        assert there.polled == ["sw-1"]


async def test_noise_is_counted_and_ends_nothing(tmp_path: Path) -> None:
    draw = random.Random(1)
    originals = [await captured(how) for how in (V2C, [*AES, *ENGINE])]
    datagrams = 90  # below the burst that one sender may send
    async with listening(tmp_path) as there:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
            for number in range(datagrams):
                datagram = bytearray(originals[number % 2])
                for _ in range(draw.randrange(1, 6)):
                    datagram[draw.randrange(len(datagram))] = draw.randrange(256)
                noise = draw.randbytes(draw.randrange(1, 300)) if number % 3 == 0 else datagram
                sender.sendto(noise[: draw.randrange(1, len(noise) + 1)], ("127.0.0.1", there.port))
                await asyncio.sleep(0)
            sender.sendto(originals[0], ("127.0.0.1", there.port))
        await until(
            lambda: any(reading.tags["event"] == "link-down" for reading in there.readings),
            "the trap after the noise",
        )
        statistics = there.source.take_statistics()
        assert statistics.received == len(there.readings)
        assert statistics.rejected > datagrams // 2


async def test_a_trap_that_arrives_twice_is_one_event(tmp_path: Path) -> None:
    async with listening(tmp_path) as there:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
            for uptime in (1, 1, 2, 1, 2, 3):
                sender.sendto(link_down(uptime), ("127.0.0.1", there.port))
        await until(lambda: len(there.readings) >= 3, "three events")
    assert len(there.readings) == 3


def link_down(uptime: int) -> bytes:
    pdu = v2c.TrapPDU()
    v2c.apiTrapPDU.set_defaults(pdu)
    v2c.apiTrapPDU.set_varbinds(
        pdu,
        [
            (oid(SYS_UP_TIME), v2c.TimeTicks(uptime)),
            (oid(TRAP_OID), v2c.ObjectIdentifier(oid(LINK_DOWN))),
            (oid(f"{IF_INDEX}.3"), v2c.Integer(3)),
        ],
    )
    message = v2c.Message()
    v2c.apiMessage.set_defaults(message)
    v2c.apiMessage.set_community(message, "trapped")
    v2c.apiMessage.set_pdu(message, pdu)
    encoded: bytes = encoder.encode(message)
    return encoded


async def captured(how: Sequence[str]) -> bytes:
    """Return the datagram that snmptrap sends."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        server.bind(("127.0.0.1", 0))
        server.settimeout(10)
        await snmptrap(server.getsockname()[1], *port_3(), how=how)
        return server.recv(65535)


async def test_a_restart_is_another_boot_of_the_same_engine(tmp_path: Path) -> None:
    engines = []
    for _ in range(2):
        async with listening(tmp_path) as there:
            done = await snmpinform(there.port, *port_3(), how=AES)
            assert done.returncode == 0, done.stderr
            engines.append(json.loads((tmp_path / "engine.json").read_text()))
    assert engines[0]["engine_id"] == engines[1]["engine_id"]
    assert engines[1]["boots"] == engines[0]["boots"] + 1
