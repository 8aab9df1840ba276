"""The TCP and ICMP probes."""

from __future__ import annotations

import asyncio

import pytest

from tests.edge_agents.probes.trying import bad, good
from tests.servers import free_port


async def test_a_port_that_accepts() -> None:
    listening = await asyncio.start_server(lambda _, writer: writer.close(), "127.0.0.1", 0)
    async with listening:
        port = listening.sockets[0].getsockname()[1]
        fields = await good("tcp", address="localhost", port=port)
    assert 0 < fields["duration"] < 1


async def test_a_port_that_refuses() -> None:
    fields = await bad("tcp", address="127.0.0.1", port=free_port())
    assert fields["reason"] == "Connection refused"
    assert "duration" not in fields


@pytest.mark.parametrize("kind", ["tcp", "icmp"])
async def test_a_name_without_an_address(kind: str) -> None:
    port = {"port": 80} if kind == "tcp" else {}
    fields = await bad(kind, address="nobody.invalid", timeout="10s", **port)
    assert fields["reason"] == "host name 'nobody.invalid' does not resolve"


async def test_echoes_of_the_loopback() -> None:
    fields = await good("icmp", address="127.0.0.1", count=3)
    assert fields["loss"] == 0
    assert 0 < fields["rtt"] < 1
    assert 0 <= fields["jitter"] < 1


async def test_one_echo_has_no_jitter() -> None:
    assert "jitter" not in await good("icmp", address="::1", count=1)


async def test_no_echo() -> None:
    fields = await bad("icmp", address="fe80::1", count=1)  # the kernel has no way to send it
    assert fields["loss"] == 100
    assert fields["reason"] == "no ICMP echo"
