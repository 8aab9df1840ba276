"""What the agents' probes of a world ask: name and time servers, and pages to fetch."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import suppress
from functools import partial
from typing import Final
from urllib.parse import urlsplit

from dns.exception import DNSException
from dns.message import from_wire, make_response
from dns.rrset import from_text

from campuswatch.inventory import models
from campuswatch.readings import now_ns
from edge_agents.sources.probes import ntp
from simulator.udp import Respond, respond_at
from simulator.world import Trouble, World

_PAGE: Final = b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\nConnection: close\r\n\r\nok\n"
_TTL: Final = 300
_PATIENCE: Final = 5.0
_STRATUM: Final = 2


class Probed:
    """Answers every probe of a world's agents, unless their school's line is cut."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._open: list[asyncio.DatagramTransport | asyncio.Server] = []

    async def start(self) -> None:
        """Answer at every address that a probe asks.

        Raises:
            OSError: an address can't be bound.
        """
        for school in self._world.inventory.schools:
            for agent in school.agents:
                for probe in agent.probes:
                    await self._answer(probe, school.id)

    def close(self) -> None:
        """Close every socket."""
        for one in self._open:
            one.close()

    async def _answer(self, probe: models.Probe, school: str) -> None:
        match probe:
            case models.DnsProbe():
                await self._udp(probe.server, probe.port, school, partial(_resolve, probe))
            case models.NtpProbe():
                await self._udp(probe.address, probe.port, school, _tell_time)
            case models.TcpProbe():
                await self._tcp(probe.address, probe.port, school)
            case models.HttpProbe():
                place = urlsplit(probe.url)
                await self._tcp(place.hostname or "", place.port or 80, school)

    async def _udp(self, host: str, port: int, school: str, respond: Respond) -> None:
        def answer(data: bytes) -> Iterator[bytes]:
            if not self._is_cut(school):
                yield from respond(data)

        self._open.append(await respond_at(host, port, answer))

    async def _tcp(self, host: str, port: int, school: str) -> None:
        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            with suppress(asyncio.IncompleteReadError, asyncio.LimitOverrunError, OSError):
                async with asyncio.timeout(_PATIENCE):
                    await reader.readuntil(b"\r\n\r\n")
                if not self._is_cut(school):
                    writer.write(_PAGE)
            writer.close()

        self._open.append(await asyncio.start_server(serve, host, port))

    def _is_cut(self, school: str) -> bool:
        return self._world.has(Trouble.WAN_CUT, school)


def _resolve(probe: models.DnsProbe, data: bytes) -> Iterator[bytes]:
    try:
        response = make_response(from_wire(data))
    except DNSException:
        return
    question = response.question[0]
    if probe.expect:
        answer = from_text(question.name, _TTL, "IN", probe.type, *probe.expect)
        response.answer.append(answer)
    yield response.to_wire()


def _tell_time(data: bytes) -> Iterator[bytes]:
    answer = ntp.answer(data, ntp.timestamp(now_ns()), _STRATUM)
    if answer is not None:
        yield answer
