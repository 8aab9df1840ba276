"""A switch whose MIB a test changes between polls."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

from pysnmp.proto.api import v2c

from tests.edge_agents.snmp.agents import UPTIME, Agent, Oid, oid, running_agent

IF = "1.3.6.1.2.1.2.2.1"
IFX = "1.3.6.1.2.1.31.1.1.1"
OBJECT_ID = oid("1.3.6.1.2.1.1.2.0")
TABLE_CHANGED = oid("1.3.6.1.2.1.31.1.5.0")
GIGABIT = 1000


class Switch:
    """A switch with a few ports, whose MIB a test changes between polls."""

    def __init__(self, agent: Agent, mib: dict[Oid, Any]) -> None:
        self.agent = agent
        self.mib = mib

    def set(self, root: str, row: int, value: Any) -> None:
        self.mib[*oid(root), row] = value

    def add_port(self, row: int, name: str, *, speed: int = GIGABIT) -> None:
        self.set(f"{IF}.1", row, v2c.Integer32(row))
        self.set(f"{IF}.2", row, v2c.OctetString(f"Ethernet port {row}"))
        self.set(f"{IF}.3", row, v2c.Integer32(6))
        self.set(f"{IF}.7", row, v2c.Integer32(1))
        self.set(f"{IF}.8", row, v2c.Integer32(1))
        self.set(f"{IF}.9", row, v2c.TimeTicks(100))
        self.set(f"{IFX}.1", row, v2c.OctetString(name))
        self.set(f"{IFX}.15", row, v2c.Gauge32(speed))
        self.set(f"{IFX}.18", row, v2c.OctetString(f"to room {row}"))
        self.set(f"{IFX}.19", row, v2c.TimeTicks(0))
        self.count(row, 0)

    def count(self, row: int, octets: int) -> None:
        self.set(f"{IFX}.6", row, v2c.Counter64(octets))

    def asked_for(self, root: str) -> bool:
        """Return whether a column was walked since the last call."""
        position = oid(root)
        found = any(
            request.repetitions and tuple(request.pdu[3][0][0])[: len(position)] == position
            for request in self.agent.requests
        )
        self.agent.requests.clear()
        return found


@contextlib.contextmanager
def running_switch(ports: int) -> Iterator[Switch]:
    """Run a switch with some ports until the block ends."""
    mib: dict[Oid, Any] = {
        oid("1.3.6.1.2.1.1.1.0"): v2c.OctetString("A switch"),
        OBJECT_ID: v2c.ObjectIdentifier("1.3.6.1.4.1.2011.2.23.1"),
        UPTIME: v2c.TimeTicks(100_000),
        TABLE_CHANGED: v2c.TimeTicks(5),
    }
    with running_agent(mib) as agent:
        made = Switch(agent, mib)
        for row in range(1, ports + 1):
            made.add_port(row, f"GE0/0/{row}")
        yield made
