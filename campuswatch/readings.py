"""The one thing that flows through Campuswatch: a reading."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass

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


def now_ns() -> int:
    """Return the present as nanoseconds since 1970-01-01 UTC."""
    return time.time_ns()
