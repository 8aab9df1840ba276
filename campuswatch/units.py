"""Units in which devices report, and how they become the catalogue's."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final


class UnitError(ValueError):
    """A unit can't be converted; the message says which ones can."""


@dataclass(frozen=True, slots=True)
class Conversion:
    """A linear conversion: `value * factor + offset`."""

    factor: float
    offset: float = 0.0

    def __call__(self, value: float) -> float:
        return value * self.factor + self.offset


IDENTITY: Final = Conversion(1.0)

_CONVERSIONS: Final[Mapping[str, Mapping[str, Conversion]]] = {
    "°C": {"°F": Conversion(5 / 9, -160 / 9), "K": Conversion(1.0, -273.15)},
    "%": {
        "1": Conversion(100.0),  # a ratio from 0 to 1
        "1/255": Conversion(100 / 255),  # Zigbee's link quality
    },
    "V": {"mV": Conversion(1e-3)},
    "A": {"mA": Conversion(1e-3)},
    "W": {"mW": Conversion(1e-3), "kW": Conversion(1e3)},
    "J": {
        "kJ": Conversion(1e3),
        "MJ": Conversion(1e6),
        "Wmin": Conversion(60.0),
        "Wh": Conversion(3600.0),
        "kWh": Conversion(3.6e6),
    },
    "Pa": {
        "hPa": Conversion(100.0),
        "mbar": Conversion(100.0),
        "kPa": Conversion(1e3),
        "mmHg": Conversion(133.322387415),
        "inHg": Conversion(3386.389),
    },
    "lx": {"klx": Conversion(1e3)},
    "ppm": {"ppb": Conversion(1e-3)},
    "µg/m³": {"mg/m³": Conversion(1e3)},
    "s": {"ms": Conversion(1e-3), "min": Conversion(60.0), "h": Conversion(3600.0)},
    "bit/s": {
        "kbit/s": Conversion(1e3),
        "Mbit/s": Conversion(1e6),
        "Gbit/s": Conversion(1e9),
        "B/s": Conversion(8.0),
    },
    "B": {
        "kB": Conversion(1e3),
        "MB": Conversion(1e6),
        "KiB": Conversion(2.0**10),
        "MiB": Conversion(2.0**20),
    },
}


def known_units(to: str) -> list[str]:
    """Return the units that convert to a unit of the catalogue, itself first."""
    return [to, *_CONVERSIONS.get(to, {})]


def conversion(unit: str, to: str) -> Conversion:
    """Return how to convert from a payload's unit to one of the catalogue's.

    Raises:
        UnitError: nothing is known of it.
    """
    if unit == to:
        return IDENTITY
    try:
        return _CONVERSIONS[to][unit]
    except KeyError:
        known = ", ".join(known_units(to)) or "none"
        raise UnitError(f"unit {unit!r} does not convert to {to!r}; expected {known}") from None
