"""From the numbers that a device sends to readings."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from campuswatch.inventory.models import NamedField
from campuswatch.measurements import CATALOGUE
from campuswatch.readings import FieldValue, Reading, now_ns
from edge_agents.sources.mqtt.messages import PayloadError
from edge_agents.sources.mqtt.quantities import Quantity


@dataclass(frozen=True, slots=True)
class Value:
    """A number, and what it is.

    Attributes:
        quantity: of the catalogue, with the unit of the number.
        number: or text for one.
        sensor: which sensor of the device; "" if it has one.
    """

    quantity: Quantity
    number: object
    sensor: str = ""


def quantity(named: NamedField) -> Quantity:
    """Return what a field of the inventory, or of a register map, stands for."""
    measurement, _, field = named.field.partition(".")
    return Quantity(measurement, field, named.unit or "")


def readings(
    tags: dict[str, str],
    values: Iterable[Value],
    damaged: Callable[[], None],
    time: int | None = None,
) -> list[Reading]:
    """Return values as readings, one for each measurement and sensor.

    Args:
        tags: of the device.
        values: of one moment.
        damaged: called for each that nothing in a school can have.
        time: nanoseconds since 1970-01-01 UTC; now when omitted.
    """
    found: dict[tuple[str, str], dict[str, FieldValue | None]] = {}
    for value in values:
        try:
            number = value.quantity.read(value.number)
        except PayloadError:
            damaged()
            continue
        fields = found.setdefault((value.quantity.measurement, value.sensor), {})
        fields[value.quantity.field] = number
    moment = now_ns() if time is None else time
    return [
        CATALOGUE[measurement].reading(
            {**tags, "sensor": sensor} if sensor else tags, fields, moment
        )
        for (measurement, sensor), fields in found.items()
    ]
