"""Simulated agents, asked by net-snmp's tools."""

import asyncio
import socket
import subprocess
from collections.abc import AsyncIterator
from functools import partial

import pytest

from campuswatch.inventory.models import CommunityCredential, SnmpCredential, UserCredential
from simulator.hardware import Hardware
from simulator.snmp_agents import SnmpAgents
from simulator.world import Trouble, World
from tests.servers import free_port, program
from tests.simulator.districts import example

NOW = 1_795_500_000.0
IF_NAME = "1.3.6.1.2.1.31.1.1.1.1"
V2C = ("-v2c", "-cpublic")
V3 = ("-v3", "-lauthPriv", "-ucampus", "-aSHA-256", "-Aauth-secret", "-xAES", "-Xpriv-secret")


@pytest.fixture
def credentials(monkeypatch: pytest.MonkeyPatch) -> dict[str, SnmpCredential]:
    monkeypatch.setenv("COMMUNITY", "public")
    monkeypatch.setenv("AUTH", "auth-secret")
    monkeypatch.setenv("PRIV", "priv-secret")
    return {
        "old": CommunityCredential(version="2c", community="env:COMMUNITY"),
        "new": UserCredential(
            version="3",
            user="campus",
            auth="sha256",
            auth_key="env:AUTH",
            priv="aes128",
            priv_key="env:PRIV",
        ),
    }


@pytest.fixture
def world() -> World:
    return World(example(), seed=1, started=NOW)


@pytest.fixture
async def ports(
    world: World, credentials: dict[str, SnmpCredential]
) -> AsyncIterator[dict[str, int]]:
    agents, hardware = SnmpAgents(credentials), Hardware(world)
    found = {}
    for name in ("no1-sw-a2", "no1-server", "no1-ups-a"):
        device, port = world.device(name), free_port(socket.SOCK_DGRAM)
        await agents.add(
            ("127.0.0.1", port),
            hardware.objects(device),
            partial(world.answers, name),
        )
        found[name] = port
    yield found
    agents.close()


async def ask(tool: str, *arguments: str) -> tuple[int, list[str]]:
    done = await asyncio.to_thread(
        subprocess.run,
        [program(tool), "-On", "-Oq", "-t2", "-r0", *arguments],
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout.splitlines()


@pytest.mark.parametrize("credential", [V2C, V3], ids=["v2c", "v3"])
async def test_walks_in_order_to_the_end(ports: dict[str, int], credential: list[str]) -> None:
    place = f"127.0.0.1:{ports['no1-sw-a2']}"
    by_next = await ask("snmpwalk", *credential, place, "1.3.6.1.2.1.2")
    in_bulk = await ask("snmpbulkwalk", "-Cr40", *credential, place, "1.3.6.1.2.1.2")
    assert by_next[0] == in_bulk[0] == 0
    names = [line.split(" ")[0] for line in in_bulk[1]]
    assert names == [line.split(" ")[0] for line in by_next[1]]
    oids = [tuple(map(int, name.strip(".").split("."))) for name in names]
    assert oids == sorted(oids)
    assert len(set(oids)) == len(oids) > 100


async def test_names_its_ports_as_its_maker_does(ports: dict[str, int]) -> None:
    _, lines = await ask("snmpwalk", *V2C, f"127.0.0.1:{ports['no1-sw-a2']}", IF_NAME)
    names = [line.split(" ", 1)[1].strip('"') for line in lines]
    assert names[0] == "GigabitEthernet1/0/1"
    assert "Ten-GigabitEthernet1/0/9" in names


async def test_says_what_it_does_not_have(ports: dict[str, int]) -> None:
    _, lines = await ask("snmpget", *V2C, f"127.0.0.1:{ports['no1-sw-a2']}", "1.3.6.1.2.1.99.9.0")
    assert "No Such Object" in lines[0]


async def test_servers_and_supplies_have_their_own_tables(ports: dict[str, int]) -> None:
    _, load = await ask("snmpwalk", *V2C, f"127.0.0.1:{ports['no1-server']}", "1.3.6.1.2.1.25.3.3")
    assert len(load) == 8
    _, battery = await ask(
        "snmpget", *V2C, f"127.0.0.1:{ports['no1-ups-a']}", "1.3.6.1.2.1.33.1.2.1.0"
    )
    assert battery[0].endswith(" 2")


async def test_refuses_a_wrong_community(ports: dict[str, int]) -> None:
    place = f"127.0.0.1:{ports['no1-sw-a2']}"
    assert (await ask("snmpget", "-v2c", "-cwrong", place, "1.3.6.1.2.1.1.5.0"))[0] != 0


async def test_a_device_without_power_does_not_answer(world: World, ports: dict[str, int]) -> None:
    question = (*V2C, f"127.0.0.1:{ports['no1-sw-a2']}", "1.3.6.1.2.1.1.5.0")
    assert (await ask("snmpget", *question))[0] == 0
    world.begin(Trouble.DOWN, "no1-core", NOW)
    assert (await ask("snmpget", *question))[0] != 0
    world.end(Trouble.DOWN, "no1-core", NOW + 9)
    assert (await ask("snmpget", *question))[0] == 0
