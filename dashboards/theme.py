"""How every dashboard looks: units, colours, thresholds and the words for states."""

from __future__ import annotations

from typing import Final

from grafana_foundation_sdk.builders.dashboard import ThresholdsConfig
from grafana_foundation_sdk.models import units
from grafana_foundation_sdk.models.dashboard import (
    Threshold,
    ThresholdsMode,
    ValueMap,
    ValueMapping,
    ValueMappingResult,
)

from campuswatch.measurements import Field

GOOD: Final = "green"
WARNING: Final = "orange"
BAD: Final = "red"
NEUTRAL: Final = "blue"
UNKNOWN: Final = "text"

_UNITS: Final[dict[str, str]] = {
    "": units.Short,
    "%": units.Percent,
    "1/s": units.PacketsPerSecond,
    "A": units.Ampere,
    "B": units.BytesIEC,
    "Hz": units.Hertz,
    "J": units.Joule,
    "MHz": "suffix: MHz",  # Grafana counts revolutions in it
    "Pa": units.Pascals,
    "V": units.Volt,
    "W": units.Watt,
    "bit/s": units.BitsPerSecondSI,
    "dB": units.Decibel,
    "dBm": units.DecibelMilliWatt,
    "h": units.Hours,
    "lx": units.Lux,
    "ppm": units.PartsPerMillion,
    "s": units.Seconds,
    "°C": units.Celsius,
    "µg/m³": units.MicrogramPerCubicMeter,
}
"""Grafana's name of each unit of the catalogue."""

_STATE_COLOURS: Final = {
    "up": GOOD,
    "ok": GOOD,
    "live": GOOD,
    "on": GOOD,
    "occupied": NEUTRAL,
    "open": WARNING,
    "backfill": WARNING,
    "testing": WARNING,
    "dormant": WARNING,
    "unavailable": WARNING,
    "lower-layer-down": WARNING,
    "down": BAD,
    "nonoperational": BAD,
}
"""Colour of each state by its word in the catalogue; the others are unknown or at rest."""

_STEPS: Final[dict[tuple[str, str], tuple[tuple[float, str], ...]]] = {
    ("availability", "loss"): ((1, WARNING), (10, BAD)),
    ("availability", "rtt"): ((0.05, WARNING), (0.2, BAD)),
    ("interface", "in_utilisation"): ((70, WARNING), (90, BAD)),
    ("interface", "out_utilisation"): ((70, WARNING), (90, BAD)),
    ("interface", "in_errors"): ((0.1, WARNING), (1, BAD)),
    ("interface", "out_errors"): ((0.1, WARNING), (1, BAD)),
    ("processor", "load"): ((80, WARNING), (95, BAD)),
    ("storage", "used_share"): ((80, WARNING), (95, BAD)),
    # CO2: EN 16798-1 categories II and III for a teaching room, 400 ppm outdoors.
    ("environment", "co2"): ((1200, WARNING), (1750, BAD)),
    # PM2.5: the WHO's 2021 guideline for a day, and its first interim target.
    ("environment", "pm2_5"): ((15, WARNING), (75, BAD)),
    ("agent", "batches_dropped"): ((1, BAD),),
    ("agent", "polls_skipped"): ((1, WARNING),),
    ("agent", "payloads_rejected"): ((1, WARNING),),
    ("agent", "spool_age"): ((120, WARNING), (3600, BAD)),
    ("delivery", "quarantined"): ((1, WARNING),),
    ("delivery", "delay"): ((60, WARNING), (3600, BAD)),
}
"""Where a field of a measurement turns from good to something else, rising."""

_FALLING_STEPS: Final[dict[tuple[str, str], tuple[tuple[float, str], ...]]] = {
    ("device_health", "battery"): ((10, WARNING), (30, GOOD)),
    # RSSI: -67 dBm is the usual floor for voice and video, -75 dBm for anything at all.
    ("wifi_signal", "rssi"): ((-75, WARNING), (-67, GOOD)),
    ("wifi_signal", "snr"): ((15, WARNING), (25, GOOD)),
}
"""The same for fields of which more is better: bad below the first step."""


def unit(field: Field) -> str:
    """Return Grafana's name of a field's unit.

    Raises:
        KeyError: the theme has no name for it yet.
    """
    return _UNITS[field.unit]


def thresholds(measurement: str, field: str) -> ThresholdsConfig:
    """Return where a field changes its colour; all of it is neutral if nothing says so."""
    key = (measurement, field)
    if key in _FALLING_STEPS:
        return steps(BAD, _FALLING_STEPS[key])
    return steps(GOOD if key in _STEPS else NEUTRAL, _STEPS.get(key, ()))


def fields_with_thresholds() -> set[tuple[str, str]]:
    """Return the measurements and fields that change their colour somewhere."""
    return {*_STEPS, *_FALLING_STEPS}


def steps(base: str, further: tuple[tuple[float, str], ...]) -> ThresholdsConfig:
    """Return thresholds: a colour from minus infinity on, and others from values on."""
    all_steps = [Threshold(None, base), *(Threshold(value, colour) for value, colour in further)]
    return ThresholdsConfig().mode(ThresholdsMode.ABSOLUTE).steps(all_steps)


def state_words(field: Field) -> list[ValueMapping]:
    """Return the words and colours of a field's states; none if it has no states."""
    if field.states is None:
        return []
    options = {
        str(number): ValueMappingResult(
            text=word, color=_STATE_COLOURS.get(word, UNKNOWN), index=index
        )
        for index, (number, word) in enumerate(field.states.items())
    }
    return [ValueMap(options)]
