"""A question to a name server (RFC 1035)."""

from __future__ import annotations

from dns.asyncquery import udp_with_fallback
from dns.exception import DNSException
from dns.message import Message, make_query
from dns.rcode import NOERROR
from dns.rcode import to_text as rcode_text
from dns.rdatatype import from_text as type_number

from campuswatch.inventory.models import DnsProbe
from edge_agents.sources.probes.base import Fields, ProbeFailedError


async def measure(probe: DnsProbe) -> Fields:
    """Return how long the answer took, and its response code.

    What is no answer to the question is waited past, so that a stray or forged
    datagram decides nothing.

    Raises:
        ProbeFailedError: there is no answer, it is an error, or not the expected one.
        OSError: the server can't be reached.
    """
    try:
        answer, _ = await udp_with_fallback(
            make_query(probe.name, probe.type),
            probe.server,
            port=probe.port,
            ignore_unexpected=True,
            ignore_errors=True,
        )
    except DNSException as error:
        raise ProbeFailedError(str(error)) from None
    fields: Fields = {"duration": answer.time, "rcode": rcode_text(answer.rcode())}
    if answer.rcode() != NOERROR:
        raise ProbeFailedError(f"the answer is {fields['rcode']}", fields)
    if missing := set(probe.expect) - answers(answer, probe.type):
        raise ProbeFailedError(f"{min(missing)} is not among the answers", fields)
    return fields


def answers(message: Message, kind: str) -> set[str]:
    """Return the records of a type in a message's answer section, as a zone file has them."""
    wanted = type_number(kind)
    return {
        record.to_text() for found in message.answer if found.rdtype == wanted for record in found
    }
