"""What can go wrong between us and an SNMP agent, by what to do about it."""

from __future__ import annotations


class SnmpError(Exception):
    """An agent did not give what it was asked for; the message is for people."""


class SnmpTimeoutError(SnmpError):
    """No answer to any try: stop asking until the next poll."""


class SnmpUnreachableError(SnmpError):
    """The network itself says that nobody can answer: stop asking until the next poll."""


class SnmpAuthError(SnmpError):
    """The agent refuses the user or its keys (RFC 3414, 3.2): mend the credential."""


class SnmpDecodeError(SnmpError):
    """The answer is no SNMP message (RFC 3416): leave the part out."""


class SnmpLoopError(SnmpError):
    """The agent's OIDs don't increase (RFC 3416, 4.2.2): leave the part out."""
