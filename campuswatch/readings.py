"""The one thing that flows through Campuswatch: a reading."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

FieldValue = float | int | bool | str


@dataclass(frozen=True, slots=True)
class Reading:
    """One point of a time series, as a source saw it.

    A reading's identity is (measurement, tags, time): storing the same
    reading twice leaves one point, which is what makes at-least-once
    delivery harmless. Build readings with `Measurement.reading`, which
    refuses names the catalogue does not have and settles each field's type.

    Attributes:
        measurement: name of a row of `campuswatch.measurements.CATALOGUE`.
        tags: what the point is about; never empty strings, never a client's
            MAC address or user name.
        fields: what was measured, in the catalogue's units; at least one.
        time: when it was measured, in nanoseconds since 1970-01-01 UTC.
    """

    measurement: str
    tags: Mapping[str, str]
    fields: Mapping[str, FieldValue]
    time: int


def merged(readings: Iterable[Reading]) -> list[Reading]:
    """Return readings with those about the same put together, in order.

    Args:
        readings: of one moment; of two values for a field the later counts.
    """
    found: dict[tuple[str, frozenset[tuple[str, str]]], Reading] = {}
    for reading in readings:
        identity = reading.measurement, frozenset(reading.tags.items())
        before = found.get(identity)
        found[identity] = (
            reading
            if before is None
            else replace(reading, fields={**before.fields, **reading.fields})
        )
    return list(found.values())


def now_ns() -> int:
    """Return the present as nanoseconds since 1970-01-01 UTC."""
    return time.time_ns()
