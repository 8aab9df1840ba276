"""OIDs as names, and values as text, for people."""

from __future__ import annotations

from typing import Any

from pysnmp.smi.builder import MibBuilder
from pysnmp.smi.view import MibViewController

from edge_agents.sources.snmp.session import Value
from edge_agents.sources.snmp.text import decode_text


class OidNames:
    """Names of the MIBs that come with pysnmp; most of an enterprise's own stay numbers."""

    def __init__(self) -> None:
        builder = MibBuilder()
        builder.load_modules("SNMPv2-MIB", "RFC1213-MIB", "SNMP-USER-BASED-SM-MIB")
        self._view: Any = MibViewController(builder)

    def name(self, oid: str) -> str:
        """Return the longest name there is, and what follows it in numbers."""
        _, labels, rest = self._view.get_node_name(tuple(map(int, oid.split("."))))
        return ".".join((labels[-1], *map(str, rest)))


def value_text(value: Value) -> str:
    """Return a value as text; octets that are none in hexadecimal."""
    if not isinstance(value, bytes):
        return str(value)
    text = decode_text(value)
    readable = text and len(text.encode()) >= len(value.rstrip(b"\0"))
    return text if readable else value.hex(" ")
