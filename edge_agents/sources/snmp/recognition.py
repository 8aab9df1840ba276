"""Which profile a device is read by."""

from __future__ import annotations

from edge_agents.sources.snmp.registry import Profile, ProfileRegistry
from edge_agents.sources.snmp.session import SnmpSession


async def recognised(
    session: SnmpSession, profiles: ProfileRegistry, object_id: str, description: str
) -> Profile:
    """Return the profile that fits a device, asking it what decides between several.

    Args:
        session: with the device.
        profiles: to choose from.
        object_id: sysObjectID, dotted.
        description: sysDescr.

    Raises:
        SnmpError: the device stopped answering.
    """
    probes = profiles.probes(object_id, description)
    answering = [oid for oid in probes if await _answers(session, oid)]
    return profiles.choose(object_id, description, answering)


async def _answers(session: SnmpSession, oid: str) -> bool:
    """Return whether there is a value at an OID or below it."""
    if oid in await session.get([oid]):
        return True
    async for page in session.walk(oid, rows=0):
        return bool(page.varbinds)
    return False
