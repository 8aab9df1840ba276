"""ENTITY-MIB (RFC 6933) and ENTITY-SENSOR-MIB (RFC 3433): parts and their sensors."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Final

from pyasn1.type.base import Asn1Item
from pysnmp.proto.rfc1902 import Integer32, ObjectIdentifier, OctetString

from simulator.makers import Product
from simulator.mibs.tree import Oid, Value

_PHYSICAL: Final = (1, 3, 6, 1, 2, 1, 47, 1, 1, 1, 1)
_SENSOR: Final = (1, 3, 6, 1, 2, 1, 99, 1, 1, 1)
_CHASSIS_CLASS: Final = 3
_SENSOR_CLASS: Final = 8
_CHASSIS: Final = 1
_UNITS: Final = 9
"""EntitySensorDataScale units(9)."""


class Quantity(IntEnum):
    """EntitySensorDataType, the ones that the simulated devices have."""

    VOLTS_DC = 4
    WATTS = 6
    CELSIUS = 8
    RPM = 10


@dataclass(frozen=True)
class Sensor:
    """A sensor of a device.

    Attributes:
        name: entPhysicalName.
        quantity: what it measures.
        precision: decimals that the value carries.
        value: what it measures at a time (Unix seconds).
    """

    name: str
    quantity: Quantity
    precision: int
    value: Callable[[float], float]


def entity(product: Product, serial: str, sensors: Sequence[Sensor]) -> dict[Oid, Value]:
    """Return the chassis and its sensors."""
    objects = _part(_CHASSIS, 0, product.model, _CHASSIS_CLASS, product.model)
    objects[(*_PHYSICAL, 10, _CHASSIS)] = OctetString(b"V200R021C10")
    objects[(*_PHYSICAL, 11, _CHASSIS)] = OctetString(serial.encode())
    objects[(*_PHYSICAL, 12, _CHASSIS)] = OctetString(product.maker.encode())
    objects[(*_PHYSICAL, 13, _CHASSIS)] = OctetString(product.model.encode())
    for index, sensor in enumerate(sensors, start=_CHASSIS + 1):
        objects |= _part(index, _CHASSIS, sensor.name, _SENSOR_CLASS, sensor.name)
        objects |= _readout(index, sensor)
    return objects


def _part(index: int, inside: int, name: str, kind: int, description: str) -> dict[Oid, Value]:
    return {
        (*_PHYSICAL, 2, index): OctetString(description.encode()),
        (*_PHYSICAL, 3, index): ObjectIdentifier((0, 0)),
        (*_PHYSICAL, 4, index): Integer32(inside),
        (*_PHYSICAL, 5, index): Integer32(kind),
        (*_PHYSICAL, 7, index): OctetString(name.encode()),
    }


def _readout(index: int, sensor: Sensor) -> dict[Oid, Value]:
    def value(now: float) -> Asn1Item:
        return Integer32(round(sensor.value(now) * 10**sensor.precision))

    return {
        (*_SENSOR, 1, index): Integer32(int(sensor.quantity)),
        (*_SENSOR, 2, index): Integer32(_UNITS),
        (*_SENSOR, 3, index): Integer32(sensor.precision),
        (*_SENSOR, 4, index): value,
        (*_SENSOR, 5, index): Integer32(1),
    }
