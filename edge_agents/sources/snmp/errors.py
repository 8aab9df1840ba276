"""What can go wrong between us and an SNMP agent, by what to do about it."""

from __future__ import annotations

from typing import ClassVar

from edge_agents.sources.snmp.faults import Fault


class SnmpError(Exception):
    """An agent did not give what it was asked for; the message is for people.

    Attributes:
        fault: the misbehaviour that it is, if it is one.
    """

    fault: ClassVar[Fault | None] = None


class SnmpTimeoutError(SnmpError):
    """No answer to any try: stop asking until the next poll."""


class SnmpIgnoredError(SnmpTimeoutError):
    """An SNMPv3 agent that is there answers nothing that the user asks."""


class SnmpUnreachableError(SnmpError):
    """The network itself says that nobody can answer: stop asking until the next poll."""


class SnmpAuthError(SnmpError):
    """The agent refuses the user or its keys (RFC 3414, 3.2): mend the credential."""


class SnmpAccessError(SnmpAuthError):
    """The agent knows the user or community but does not let it read (authorizationError)."""


class SnmpDecodeError(SnmpError):
    """The answer is no SNMP message (RFC 3416): leave the part out."""

    fault = Fault.UNDECODABLE


class SnmpLoopError(SnmpError):
    """The agent's OIDs don't increase (RFC 3416, 4.2.2): leave the part out."""

    fault = Fault.NOT_INCREASING


class SnmpStatusError(SnmpError):
    """The agent can't read what comes next (RFC 3416, 3): ask for the rest by name."""

    fault = Fault.ERROR_STATUS


class SnmpEngineError(SnmpAuthError):
    """An SNMPv3 engine's id or clock is not what was discovered: discover it anew."""
