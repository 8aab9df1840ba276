"""A tiny SNMPv2c agent on a real socket, that misbehaves on request.

net-snmp and snmpsim are too well-behaved to show what a poller must survive.
"""

from __future__ import annotations

import contextlib
import socket
import threading
from bisect import bisect_right
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from pyasn1.codec.ber import decoder, encoder
from pysnmp.proto.api import v2c

Oid = tuple[int, ...]
UPTIME: Oid = (1, 3, 6, 1, 2, 1, 1, 3, 0)


def oid(text: str) -> Oid:
    return tuple(int(part) for part in text.split("."))


@dataclass
class Request:
    """A request, and the right answer to it."""

    message: Any
    pdu: Any
    varbinds: list[tuple[Oid, Any]]

    @property
    def repetitions(self) -> int:
        """max-repetitions of a GETBULK, 0 of anything else."""
        return int(self.pdu[2]) if isinstance(self.pdu, v2c.GetBulkRequestPDU) else 0

    def answer(
        self, varbinds: list[tuple[Oid, Any]] | None = None, *, error: int = 0, request_id: int = 0
    ) -> bytes:
        """Encode an answer; the right one unless told otherwise."""
        pdu = v2c.GetResponsePDU()
        v2c.apiPDU.set_defaults(pdu)
        v2c.apiPDU.set_request_id(pdu, request_id or int(self.pdu[0]))
        v2c.apiPDU.set_error_status(pdu, error)
        v2c.apiPDU.set_varbinds(pdu, self.varbinds if varbinds is None else varbinds)
        message = v2c.Message()
        v2c.apiMessage.set_defaults(message)
        v2c.apiMessage.set_community(message, v2c.apiMessage.get_community(self.message))
        v2c.apiMessage.set_pdu(message, pdu)
        encoded: bytes = encoder.encode(message)
        return encoded


Behaviour = Callable[[Request], list[bytes]]
"""What is sent for a request, datagram by datagram."""


def behave(request: Request) -> list[bytes]:
    return [request.answer()]


@dataclass
class Agent:
    """Answers from `mib` as `behaviour` says.

    Attributes:
        port: of 127.0.0.1.
        mib: instances and their values; may be changed while it runs.
        behaviour: may be changed while it runs.
        requests: everything it was asked, oldest first.
    """

    port: int
    mib: Mapping[Oid, Any]
    behaviour: Behaviour = behave
    requests: list[Request] = field(default_factory=list)

    def serve(self, server: socket.socket, sender: socket.socket) -> None:
        while True:
            datagram, asker = server.recvfrom(65535)
            if not datagram:
                return
            message, _ = decoder.decode(datagram, asn1Spec=v2c.Message())
            pdu = v2c.apiMessage.get_pdu(message)
            request = Request(message, pdu, self._right_answer(pdu))
            self.requests.append(request)
            for answer in self.behaviour(request):
                sender.sendto(answer, asker)

    def _right_answer(self, pdu: Any) -> list[tuple[Oid, Any]]:
        if isinstance(pdu, v2c.GetRequestPDU):
            asked = [tuple(name) for name, _ in v2c.apiPDU.get_varbinds(pdu)]
            return [(name, self.mib.get(name, v2c.NoSuchInstance(""))) for name in asked]
        known = sorted(self.mib)
        start = bisect_right(known, tuple(pdu[3][0][0]))
        found = [(name, self.mib[name]) for name in known[start : start + int(pdu[2])]]
        if len(found) < int(pdu[2]):
            found.append((known[-1] if known else UPTIME, v2c.EndOfMibView("")))
        return found


@contextlib.contextmanager
def running_agent(
    mib: Mapping[Oid, Any], behaviour: Behaviour = behave, *, answers_from: str = ""
) -> Iterator[Agent]:
    """Run an agent in a thread until the block ends.

    Args:
        mib: instances and their values.
        behaviour: what it sends.
        answers_from: another address that its answers come from.
    """
    with (
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server,
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other,
    ):
        server.bind(("127.0.0.1", 0))
        port = server.getsockname()[1]
        if answers_from:
            other.bind((answers_from, port))
        agent = Agent(port, mib, behaviour)
        sender = other if answers_from else server
        thread = threading.Thread(target=agent.serve, args=(server, sender))
        thread.start()
        try:
            yield agent
        finally:
            server.sendto(b"", server.getsockname())
            thread.join()


def column(root: str, values: Mapping[int, Any]) -> dict[Oid, Any]:
    """Return the instances of one column."""
    return {(*oid(root), index): value for index, value in values.items()}
