"""The DNS probe, against name servers that are right, wrong and hostile."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import pytest
from dns.message import Message, from_wire, make_response
from dns.rcode import NXDOMAIN, SERVFAIL, Rcode
from dns.rrset import from_text

from tests.edge_agents.probes.trying import bad, good, responder

NAME = "www.school.example"


def answered(data: bytes, *addresses: str, rcode: Rcode | None = None) -> Message:
    response = make_response(from_wire(data))
    if rcode is not None:
        response.set_rcode(rcode)
    if addresses:
        response.answer.append(from_text(NAME + ".", 60, "IN", "A", *addresses))
    return response


async def test_an_answer_as_expected() -> None:
    async with responder(lambda data: [answered(data, "10.0.0.1", "10.0.0.2").to_wire()]) as port:
        fields = await good("dns", server="127.0.0.1", port=port, name=NAME, expect=["10.0.0.2"])
    assert fields["rcode"] == "NOERROR"
    assert fields["duration"] > 0


async def test_an_answer_that_was_not_expected() -> None:
    async with responder(lambda data: [answered(data, "10.6.6.6").to_wire()]) as port:
        fields = await bad("dns", server="127.0.0.1", port=port, name=NAME, expect=["10.0.0.1"])
    assert fields["reason"] == "10.0.0.1 is not among the answers"
    assert fields["rcode"] == "NOERROR"


@pytest.mark.parametrize("rcode", [NXDOMAIN, SERVFAIL])
async def test_errors_by_name(rcode: Rcode) -> None:
    async with responder(lambda data: [answered(data, rcode=rcode).to_wire()]) as port:
        fields = await bad("dns", server="127.0.0.1", port=port, name=NAME)
    assert fields["rcode"] in fields["reason"]


async def test_forged_and_broken_answers_are_waited_past() -> None:
    def respond(data: bytes) -> Iterable[bytes]:
        right = answered(data, "10.0.0.1").to_wire()
        forged = bytes([right[0] ^ 0xFF]) + right[1:]
        return [b"", b"\xff" * 500, forged, right[:20], right]

    async with responder(respond) as port:
        await good("dns", server="127.0.0.1", port=port, name=NAME, expect=["10.0.0.1"])


@pytest.mark.parametrize("respond", [lambda _: [], lambda _: [b"\0" * 12]])
async def test_silence(respond: Callable[[bytes], Iterable[bytes]]) -> None:
    async with responder(respond) as port:
        fields = await bad("dns", server="127.0.0.1", port=port, name=NAME, timeout="300ms")
    assert fields["reason"] == "it took longer than 0.3 s"
