"""HOST-RESOURCES-MIB (RFC 2790): processors, memory and disks of a server."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from pyasn1.type.base import Asn1Item
from pysnmp.proto.rfc1902 import Gauge32, Integer32, ObjectIdentifier, OctetString

from simulator.mibs.system import ticks
from simulator.mibs.tree import Oid, Value

_HOST: Final = (1, 3, 6, 1, 2, 1, 25)
_STORAGE: Final = (*_HOST, 2, 3, 1)
_DEVICE: Final = (*_HOST, 3, 2, 1)
_PROCESSOR: Final = (*_HOST, 3, 3, 1)
_FIRST_PROCESSOR: Final = 196608
RAM: Final = (*_HOST, 2, 1, 2)
FIXED_DISK: Final = (*_HOST, 2, 1, 4)


@dataclass(frozen=True)
class Storage:
    """A row of hrStorageTable.

    Attributes:
        description: hrStorageDescr.
        type: hrStorageType, `RAM` or `FIXED_DISK`.
        unit: bytes in an allocation unit.
        size: units in all.
        used: share of them in use at a time (Unix seconds), from 0 to 1.
    """

    description: str
    type: Oid
    unit: int
    size: int
    used: Callable[[float], float]


def host(
    storages: Sequence[Storage],
    loads: Sequence[Callable[[float], float]],
    booted: Callable[[], float],
) -> dict[Oid, Value]:
    """Return hrSystem, hrStorageTable and hrProcessorTable.

    Args:
        storages: memory and disks.
        loads: for each processor, its load at a time, from 0 to 1.
        booted: when the host started, Unix seconds.
    """
    objects: dict[Oid, Value] = {(*_HOST, 1, 1, 0): lambda now: ticks(now - booted())}
    for index, storage in enumerate(storages, start=1):
        objects |= _storage(index, storage)
    for index, load in enumerate(loads, start=_FIRST_PROCESSOR):
        objects |= _processor(index, load)
    return objects


def _storage(index: int, storage: Storage) -> dict[Oid, Value]:
    def used(now: float) -> Asn1Item:
        return Integer32(int(storage.size * storage.used(now)))

    return {
        (*_STORAGE, 1, index): Integer32(index),
        (*_STORAGE, 2, index): ObjectIdentifier(storage.type),
        (*_STORAGE, 3, index): OctetString(storage.description.encode()),
        (*_STORAGE, 4, index): Integer32(storage.unit),
        (*_STORAGE, 5, index): Integer32(storage.size),
        (*_STORAGE, 6, index): used,
    }


def _processor(index: int, load: Callable[[float], float]) -> dict[Oid, Value]:
    return {
        (*_DEVICE, 1, index): Integer32(index),
        (*_DEVICE, 2, index): ObjectIdentifier((*_HOST, 3, 1, 3)),
        (*_DEVICE, 3, index): OctetString(b"x86-64 processor"),
        (*_PROCESSOR, 1, index): ObjectIdentifier((0, 0)),
        (*_PROCESSOR, 2, index): lambda now: Gauge32(round(100 * load(now))),
    }
