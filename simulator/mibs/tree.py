"""The objects of one simulated agent, in the order in which SNMP walks them."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Mapping
from typing import TypeAlias

from pyasn1.type.base import Asn1Item
from pysnmp.proto.rfc1902 import ObjectName

Oid = tuple[int, ...]
Value: TypeAlias = Asn1Item | Callable[[float], Asn1Item]
"""A value that never changes, or what it is at a time (Unix seconds)."""


class MibTree:
    """An agent's objects, sorted lexicographically (RFC 3416, section 4.2.2)."""

    def __init__(self, objects: Mapping[Oid, Value]) -> None:
        self._objects = dict(objects)
        self._sort()

    def replace(self, root: Oid, objects: Mapping[Oid, Value]) -> None:
        """Let `objects` be all there is below `root`."""
        kept = {oid: value for oid, value in self._objects.items() if oid[: len(root)] != root}
        self._objects = kept | dict(objects)
        self._sort()

    def _sort(self) -> None:
        objects = self._objects
        self._oids = sorted(objects)
        self._names = [ObjectName(oid) for oid in self._oids]
        self._values = [objects[oid] for oid in self._oids]
        self._positions = {oid: position for position, oid in enumerate(self._oids)}

    def __len__(self) -> int:
        return len(self._oids)

    def get(self, oid: Oid, now: float) -> tuple[ObjectName, Asn1Item] | None:
        """Return the object with this very name, or None."""
        position = self._positions.get(oid)
        return None if position is None else self._at(position, now)

    def get_next(self, oid: Oid, now: float) -> tuple[ObjectName, Asn1Item] | None:
        """Return the first object after `oid`, or None at the end of the view."""
        position = self._positions.get(oid)
        following = bisect_right(self._oids, oid) if position is None else position + 1
        return None if following == len(self._oids) else self._at(following, now)

    def _at(self, position: int, now: float) -> tuple[ObjectName, Asn1Item]:
        value = self._values[position]
        return self._names[position], value(now) if callable(value) else value
