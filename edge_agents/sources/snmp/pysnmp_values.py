"""What pysnmp decodes, in the types of a session."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

from pyasn1.type.univ import Choice, Null, ObjectIdentifier, OctetString
from pysnmp.proto import rfc1155, rfc1902
from pysnmp.proto.rfc1905 import EndOfMibView, NoSuchInstance, NoSuchObject

from edge_agents.sources.snmp.session import Value

_NO_VALUE: Final = (EndOfMibView, NoSuchInstance, NoSuchObject, Null)


def values(varbinds: Iterable[tuple[Any, Any]]) -> list[tuple[str, Value]]:
    """Return the varbinds that have a value."""
    return [
        (str(name), _value(value)) for name, value in varbinds if not isinstance(value, _NO_VALUE)
    ]


def _value(value: Any) -> Value:
    if isinstance(value, Choice):  # the agent-addr of a version 1 trap
        value = value.getComponent()
    if isinstance(value, rfc1155.IpAddress | rfc1902.IpAddress | ObjectIdentifier):
        text: str = value.prettyPrint()
        return text
    return bytes(value) if isinstance(value, OctetString) else int(value)
