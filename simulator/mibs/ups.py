"""UPS-MIB (RFC 1628): battery, input and load of an uninterruptible supply."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from pysnmp.proto.rfc1902 import Integer32, OctetString

from simulator.makers import Product
from simulator.mibs.tree import Oid, Value

_UPS: Final = (1, 3, 6, 1, 2, 1, 33, 1)
_BATTERY_NORMAL: Final = 2
_OUTPUT_NORMAL: Final = 3
_TENTHS: Final = 10


def ups(
    product: Product, load: Callable[[float], float], volts: Callable[[float], float]
) -> dict[Oid, Value]:
    """Return the MIB of a supply on mains power with a full battery.

    Args:
        product: who made it.
        load: share of its capacity that is drawn at a time, from 0 to 1.
        volts: input voltage at a time, V.
    """
    return {
        (*_UPS, 1, 1, 0): OctetString(product.maker.encode()),
        (*_UPS, 1, 2, 0): OctetString(product.model.encode()),
        (*_UPS, 2, 1, 0): Integer32(_BATTERY_NORMAL),
        (*_UPS, 2, 2, 0): Integer32(0),
        (*_UPS, 2, 3, 0): lambda now: Integer32(round(45 - 30 * load(now))),
        (*_UPS, 2, 4, 0): Integer32(100),
        (*_UPS, 2, 5, 0): Integer32(27 * _TENTHS),
        (*_UPS, 2, 7, 0): Integer32(29),
        (*_UPS, 3, 2, 0): Integer32(1),
        (*_UPS, 3, 3, 1, 3, 1): lambda now: Integer32(round(volts(now))),
        (*_UPS, 4, 1, 0): Integer32(_OUTPUT_NORMAL),
        (*_UPS, 4, 3, 0): Integer32(1),
        (*_UPS, 4, 4, 1, 2, 1): lambda now: Integer32(round(volts(now))),
        (*_UPS, 4, 4, 1, 5, 1): lambda now: Integer32(round(100 * load(now))),
    }
