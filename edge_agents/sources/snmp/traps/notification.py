"""A trap or inform as it was received, whatever version of SNMP carried it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from edge_agents.sources.snmp.session import SYS_UP_TIME, Value

TRAP_OID: Final = "1.3.6.1.6.3.1.1.4.1.0"
TRAP_ENTERPRISE: Final = "1.3.6.1.6.3.1.1.4.3.0"
TRAP_ADDRESS: Final = "1.3.6.1.6.3.18.1.3.0"
TRAP_COMMUNITY: Final = "1.3.6.1.6.3.18.1.4.0"

_ENVELOPE: Final = {SYS_UP_TIME, TRAP_OID, TRAP_ENTERPRISE, TRAP_ADDRESS, TRAP_COMMUNITY}


@dataclass(frozen=True)
class Notification:
    """One trap or inform (RFC 3416, 4.2.6 and 4.2.7); version 1 as RFC 3584 (3.1) converts it.

    Attributes:
        sender: IP address it came from.
        oid: snmpTrapOID, dotted.
        varbinds: what it carries besides sysUpTime and snmpTrapOID.
        agent_address: of the device itself, if a proxy or version 1 gave it.
        uptime: sysUpTime, in hundredths of a second.
    """

    sender: str
    oid: str
    varbinds: tuple[tuple[str, Value], ...]
    agent_address: str | None = None
    uptime: int | None = None

    def column(self, oid: str) -> tuple[str, Value] | None:
        """Return the index and value of the first instance of a column or scalar."""
        start = f"{oid}."
        for name, value in self.varbinds:
            if name.startswith(start):
                return name.removeprefix(start), value
        return None


def notification(sender: str, varbinds: list[tuple[str, Value]]) -> Notification:
    """Take apart what a notification carries.

    Raises:
        ValueError: it does not say which notification it is.
    """
    first = dict(reversed(varbinds))
    oid, address, uptime = (first.get(name) for name in (TRAP_OID, TRAP_ADDRESS, SYS_UP_TIME))
    if not isinstance(oid, str):
        raise ValueError("no snmpTrapOID.0")
    return Notification(
        sender,
        oid,
        tuple((name, value) for name, value in varbinds if name not in _ENVELOPE),
        address if isinstance(address, str) and address != "0.0.0.0" else None,  # noqa: S104
        uptime if isinstance(uptime, int) else None,
    )
