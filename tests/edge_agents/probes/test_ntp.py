"""The NTP probe, against servers that are right, wrong and hostile."""

from __future__ import annotations

import socket
import struct
from collections.abc import Callable, Iterable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from campuswatch.readings import now_ns
from edge_agents.sources.probes import ntp
from edge_agents.sources.probes.base import ProbeFailedError
from tests.edge_agents.probes.trying import bad, good, responder
from tests.servers import free_port

PACKET = struct.Struct("!BBbbII4sQQQQ")


def answer(
    request: bytes, *, ahead: float = 0.0, first: int = 0x24, stratum: int = 2, code: bytes = b""
) -> bytes:
    cookie = PACKET.unpack(request)[-1]
    now = ntp.timestamp(now_ns() + int(ahead * 1e9))
    return PACKET.pack(first, stratum, 6, -20, 0, 0, code.ljust(4, b"\0"), now, cookie, now, now)


async def test_the_offset_of_a_server_that_is_ahead() -> None:
    async with responder(lambda data: [answer(data, ahead=12.5)]) as port:
        fields = await good("ntp", address="127.0.0.1", port=port)
    assert fields["offset"] == pytest.approx(12.5, abs=0.5)
    assert fields["stratum"] == 2
    assert fields["duration"] > 0


async def test_datagrams_that_answer_nothing_are_waited_past() -> None:
    def respond(data: bytes) -> Iterable[bytes]:
        forged = answer(data, ahead=1e6)[:24] + bytes(24)
        return [b"", b"x" * 1000, data, forged, answer(data)]

    async with responder(respond) as port:
        fields = await good("ntp", address="127.0.0.1", port=port)
    assert abs(fields["offset"]) < 1


@pytest.mark.parametrize(
    ("respond", "reason"),
    [
        (lambda data: [answer(data, stratum=0, code=b"RATE")], "kiss code 'RATE'"),
        (lambda data: [answer(data, first=0xE4)], "not synchronised"),
        (lambda data: [answer(data, stratum=16)], "not synchronised"),
        (lambda data: [], "longer than 0.3 s"),
    ],
)
async def test_servers_without_a_time(
    respond: Callable[[bytes], Iterable[bytes]], reason: str
) -> None:
    async with responder(respond) as port:
        fields = await bad("ntp", address="127.0.0.1", port=port, timeout="300ms")
    assert reason in fields["reason"]


async def test_nobody_there() -> None:
    port = free_port(socket.SOCK_DGRAM)
    fields = await bad("ntp", address="127.0.0.1", port=port)
    assert fields["reason"] == "Connection refused"


@given(
    began=st.integers(0, 2**32 * 10**9),
    ahead=st.integers(-(10**16), 10**16),
    way=st.integers(0, 10**10),
)
def test_the_offset_is_right_in_any_era(began: int, ahead: int, way: int) -> None:
    found = ntp.offset(
        ntp.timestamp(began),
        ntp.timestamp(began + way + ahead),
        ntp.timestamp(began + way + ahead),
        ntp.timestamp(began + 2 * way),
    )
    assert found == pytest.approx(ahead / 1e9, abs=1e-6, rel=1e-12)


@given(st.binary(max_size=100), st.integers(0, 2**64 - 1))
def test_any_datagram_is_an_answer_nothing_or_a_refusal(data: bytes, cookie: int) -> None:
    try:
        found = ntp.read_answer(data, cookie)
    except ProbeFailedError:
        return
    assert found is None or 1 <= found.stratum <= 15


def test_a_timestamp_of_rfc_5905() -> None:
    # The first day of Unix, in the table of section 6.
    assert ntp.timestamp(0) == 2_208_988_800 << 32
