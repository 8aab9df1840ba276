"""Units of payloads."""

from __future__ import annotations

import pytest

from campuswatch.measurements import CATALOGUE
from campuswatch.units import UnitError, conversion, known_units


@pytest.mark.parametrize(
    ("value", "unit", "expected", "to"),
    [
        (212.0, "°F", 100.0, "°C"),
        (0.0, "K", -273.15, "°C"),
        (1013.25, "hPa", 101_325.0, "Pa"),
        (2.0, "kWh", 7_200_000.0, "J"),
        (0.5, "1", 50.0, "%"),
        (51.0, "1/255", 20.0, "%"),
        (5.0, "°C", 5.0, "°C"),
    ],
)
def test_known_conversions(value: float, unit: str, expected: float, to: str) -> None:
    assert conversion(unit, to)(value) == pytest.approx(expected)


def test_an_unknown_unit_names_those_that_are_known() -> None:
    with pytest.raises(UnitError, match="'hpa' does not convert to 'Pa'; expected Pa, hPa, mbar"):
        conversion("hpa", "Pa")


def test_every_target_is_a_unit_of_the_catalogue() -> None:
    used = {field.unit for row in CATALOGUE.values() for field in row.fields.values()}
    for unit in ("°C", "%", "V", "A", "W", "J", "Pa", "lx", "ppm", "µg/m³", "s", "bit/s", "B"):
        assert unit in used
        assert len(known_units(unit)) > 1
