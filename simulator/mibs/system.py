"""SNMPv2-MIB's system group (RFC 3418)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from pysnmp.proto.rfc1902 import Integer32, ObjectIdentifier, OctetString, TimeTicks

from campuswatch.inventory.models import Device, DeviceKind, School
from simulator.makers import Product
from simulator.mibs.tree import Oid, Value

SYSTEM: Final = (1, 3, 6, 1, 2, 1, 1)
_WRAP: Final = 2**32
_HOST: Final = 72
"""sysServices of a host: layers 4 and 7."""
_SERVICES: Final = {DeviceKind.SWITCH: 6, DeviceKind.AP: 2, DeviceKind.ROUTER: 78}
"""sysServices: the sum of 2 to the power of each layer below the first that is served."""


def ticks(seconds: float) -> TimeTicks:
    """Return a span as hundredths of a second, wrapped as TimeTicks do after 497 days."""
    return TimeTicks(int(seconds * 100) % _WRAP)


def system(
    device: Device, school: School, product: Product, booted: Callable[[], float]
) -> dict[Oid, Value]:
    """Return the system group of a device."""
    location = f"{school.name} / {device.room or '-'}"
    return {
        (*SYSTEM, 1, 0): OctetString(product.description.encode()),
        (*SYSTEM, 2, 0): ObjectIdentifier(product.object_id),
        (*SYSTEM, 3, 0): lambda now: ticks(now - booted()),
        (*SYSTEM, 4, 0): OctetString(b"network@district.example"),
        (*SYSTEM, 5, 0): OctetString(device.id.encode()),
        (*SYSTEM, 6, 0): OctetString(location.encode()),
        (*SYSTEM, 7, 0): Integer32(_SERVICES.get(device.kind, _HOST)),
    }
