"""Which implementation of `SnmpSession` a device needs."""

from __future__ import annotations

from edge_agents.sources.snmp.credentials import Access, UserAccess
from edge_agents.sources.snmp.faults import Faults
from edge_agents.sources.snmp.session import GufoSession, SnmpSession


def open_session(
    address: str,
    port: int,
    access: Access,
    *,
    timeout: float,
    retries: int,
    faults: Faults | None = None,
) -> SnmpSession:
    """Return a session with a device; nothing is sent before the first request.

    Args:
        address: IPv4 or IPv6 address.
        port: UDP port.
        access: community or user.
        timeout: of one try, in seconds.
        retries: further tries.
        faults: takes what the agent does wrong.
    """
    if isinstance(access, UserAccess) and access.context:
        # pysnmp takes 30 MB, which agents without contexts are spared.
        from edge_agents.sources.snmp.contexts import ContextSession  # noqa: PLC0415

        return ContextSession(address, port, access, timeout=timeout, retries=retries)
    return GufoSession(address, port, access, timeout=timeout, retries=retries, faults=faults)
