"""The quantities that classroom devices report, and the words for them in payloads."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final

from campuswatch.inventory.models import NamedField
from campuswatch.measurements import CATALOGUE, FieldKind
from campuswatch.units import UnitError, conversion
from edge_agents.sources.mqtt.messages import PayloadError

ENVIRONMENT: Final = "environment"
PRESENCE: Final = "presence"
POWER: Final = "power"
HEALTH: Final = "device_health"
SIGNAL: Final = "wifi_signal"


@dataclass(frozen=True, slots=True)
class Quantity:
    """A field of the catalogue, as some payload has it.

    Attributes:
        measurement: of the catalogue.
        field: of the measurement.
        unit: of the payload; "" for the field's own.
        inverted: whether true means 0, as with a contact that is made when
            the door is closed.
    """

    measurement: str
    field: str
    unit: str = ""
    inverted: bool = False

    def read(self, value: object) -> float:
        """Return a payload's value in the catalogue's unit.

        Args:
            value: a number, true or false, or text for one of them.

        Raises:
            PayloadError: it is none, or nothing in a school can have it.
        """
        field = CATALOGUE[self.measurement].fields[self.field]
        number = _state(value) if field.kind is FieldKind.STATE else as_number(value)
        if self.inverted:
            number = 1 - number
        if self.unit:
            number = conversion(self.unit, field.unit)(number)
        any_number = (0.0, 1.0) if field.kind is FieldKind.STATE else (-math.inf, math.inf)
        low, high = _LIMITS.get(f"{self.measurement}.{self.field}", any_number)
        if not low <= number <= high:
            raise PayloadError(f"{number:g} {field.unit}: expected {low:g} to {high:g}")
        return number if field.type is float else round(number)

    def in_unit(self, unit: str) -> Quantity:
        """Return this quantity in a unit that a device names in its own spelling.

        Raises:
            PayloadError: nothing is known of the unit.
        """
        spelt = _SPELLINGS.get(unit, unit)
        try:
            conversion(spelt, CATALOGUE[self.measurement].fields[self.field].unit)
        except UnitError as error:
            raise PayloadError(str(error)) from None
        return replace(self, unit=spelt)


_SPELLINGS: Final = {
    "C": "°C",
    "F": "°F",
    "ºC": "°C",
    "dBA": "dB",
    "dB(A)": "dB",
    "μg/m³": "µg/m³",  # Greek mu for the micro sign
    "ug/m3": "µg/m³",
    "µg/m3": "µg/m³",
    "lux": "lx",
}

_LIMITS: Final[Mapping[str, tuple[float, float]]] = {
    "environment.temperature": (-60, 100),
    "environment.humidity": (0, 100),
    "environment.co2": (0, 100_000),
    "environment.pm2_5": (0, 10_000),
    "environment.pm10": (0, 10_000),
    "environment.illuminance": (0, 300_000),
    "environment.noise": (0, 200),
    "environment.pressure": (30_000, 120_000),
    "presence.people": (0, 100_000),
    "power.power": (-1e6, 1e6),
    "power.voltage": (0, 1000),
    "power.current": (-10_000, 10_000),
    "power.energy": (-1e15, 1e15),
    "device_health.battery": (0, 100),
    "device_health.battery_voltage": (0, 100),
    "device_health.link_quality": (0, 100),
    "wifi_signal.rssi": (-130, 0),
    "wifi_signal.snr": (-50, 130),
    "wifi_signal.noise": (-130, 0),
    "wifi_signal.channel": (0, 253),
}
"""What a school can hold, in the catalogue's units, where that is known; states are 0 or 1."""

_WORDS_OF_STATES: Final = {
    **dict.fromkeys(
        ("on", "true", "1", "open", "opened", "occupied", "detected", "trigger", "motion"), 1.0
    ),
    **dict.fromkeys(
        ("off", "false", "0", "close", "closed", "vacant", "unoccupied", "clear", "normal", "idle"),
        0.0,
    ),
}


def as_number(value: object) -> float:
    """Return a number, also one that is written as text ("-62").

    Raises:
        PayloadError: it is none, or not finite.
    """
    try:
        if isinstance(value, str | int | float) and math.isfinite(number := float(value)):
            return number
    except (ValueError, OverflowError):
        pass
    raise PayloadError(f"{shown(value)}: expected a number")


def shown(value: object) -> str:
    """Return a value as a message may quote it: short, and without what is inside it."""
    if isinstance(value, dict | list):
        return "an object" if isinstance(value, dict) else "a list"
    if isinstance(value, int) and abs(value) > 2**63:
        return "a huge number"
    return repr(value)[:40]


def _state(value: object) -> float:
    word = value.strip().lower() if isinstance(value, str) else ""
    return _WORDS_OF_STATES[word] if word in _WORDS_OF_STATES else as_number(value)


TEMPERATURE: Final = Quantity(ENVIRONMENT, "temperature")
HUMIDITY: Final = Quantity(ENVIRONMENT, "humidity")
CO2: Final = Quantity(ENVIRONMENT, "co2")
PM2_5: Final = Quantity(ENVIRONMENT, "pm2_5")
PM10: Final = Quantity(ENVIRONMENT, "pm10")
ILLUMINANCE: Final = Quantity(ENVIRONMENT, "illuminance")
NOISE: Final = Quantity(ENVIRONMENT, "noise")
PRESSURE_HPA: Final = Quantity(ENVIRONMENT, "pressure", "hPa")
OCCUPANCY: Final = Quantity(PRESENCE, "occupancy")
DOOR: Final = Quantity(PRESENCE, "door")
CONTACT: Final = Quantity(PRESENCE, "door", inverted=True)
PEOPLE: Final = Quantity(PRESENCE, "people")
WATTS: Final = Quantity(POWER, "power")
VOLTS: Final = Quantity(POWER, "voltage")
AMPERES: Final = Quantity(POWER, "current")
KILOWATT_HOURS: Final = Quantity(POWER, "energy", "kWh")
WATT_HOURS: Final = Quantity(POWER, "energy", "Wh")
RELAY: Final = Quantity(POWER, "relay")
BATTERY: Final = Quantity(HEALTH, "battery")
BATTERY_VOLTS: Final = Quantity(HEALTH, "battery_voltage")
BATTERY_MILLIVOLTS: Final = Quantity(HEALTH, "battery_voltage", "mV")
LINK_QUALITY: Final = Quantity(HEALTH, "link_quality")
RSSI: Final = Quantity(SIGNAL, "rssi")

_FAHRENHEIT = Quantity(ENVIRONMENT, "temperature", "°F")

_VOCABULARY: Final[Mapping[str, Quantity]] = {
    word: quantity
    for words, quantity in (
        ("temperature temp temperature_c temp_c tempc", TEMPERATURE),
        ("temperature_f temp_f tempf", _FAHRENHEIT),
        ("humidity relative_humidity hum rh humi", HUMIDITY),
        ("co2 carbon_dioxide co2_ppm co2_concentration co2_value", CO2),
        ("pm2_5 pm25 pm_2_5 pm_25 pm2_5_concentration pm_2_5_concentration", PM2_5),
        ("pm10 pm_10 pm10_concentration pm_10_concentration pm_10_0", PM10),
        ("illuminance illumination luminosity lux light_intensity ambient_light", ILLUMINANCE),
        ("noise noise_level sound_level sound_level_leq laeq", NOISE),
        ("pressure barometric_pressure barometer air_pressure", PRESSURE_HPA),
        ("occupancy occupied motion presence pir", OCCUPANCY),
        ("door window door_open window_open door_status magnet_status", DOOR),
        ("people people_count person_count headcount", PEOPLE),
        ("power active_power power_w", WATTS),
        ("voltage mains_voltage", VOLTS),
        ("current", AMPERES),
        ("energy_kwh", KILOWATT_HOURS),
        ("energy_wh", WATT_HOURS),
        ("relay", RELAY),
        ("battery battery_level battery_percent battery_percentage bat_percent", BATTERY),
        ("battery_voltage bat_v vbat batv", BATTERY_VOLTS),
        ("battery_mv bat_mv battery_voltage_mv", BATTERY_MILLIVOLTS),
    )
    for word in words.split()
}
"""Words for quantities. "energy" alone is none: kWh and Wh are as common as each other."""

_OTHER_THINGS: Final = frozenset(
    {
        "alarm",
        "average",
        "board",
        "calibration",
        "chip",
        "cpu",
        "delta",
        "dew",
        "device",
        "esp",
        "internal",
        "interval",
        "limit",
        "max",
        "maximum",
        "min",
        "minimum",
        "offset",
        "outdoor",
        "outside",
        "set",
        "setpoint",
        "target",
        "threshold",
        "tvoc",
        "water",
    }
)
"""Words beside which a quantity is not that of the room now."""


def quantity_of(name: str) -> Quantity | None:
    """Return what a name in a payload stands for, such as "Classroom_CO2" or "temperature_1".

    The longest word of the vocabulary that ends the name counts.
    """
    tokens = _tokens(name)
    if _OTHER_THINGS & set(tokens):
        return None
    for start in range(len(tokens)):
        found = _VOCABULARY.get("_".join(tokens[start:]))
        if found is not None:
            return found
    return None


def _tokens(name: str) -> list[str]:
    split = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name[:200])
    tokens = [token for token in re.split(r"[^a-z0-9]+", split.lower()) if token]
    numbered = len(tokens) > 1 and tokens[-1].isdigit() and "_".join(tokens) not in _VOCABULARY
    # Cayenne LPP numbers its channels: temperature_1, relative_humidity_2. A
    # number that belongs to the word, as in pm_2_5, stays.
    return tokens[:-1] if numbered and tokens[-2] not in {"pm", "2"} else tokens


def declared(fields: Mapping[str, NamedField]) -> dict[str, Quantity]:
    """Return the quantities that a device's entry of the inventory names."""
    quantities: dict[str, Quantity] = {}
    for name, named in fields.items():
        measurement, _, field = named.field.partition(".")
        quantities[name] = Quantity(measurement, field, named.unit or "")
    return quantities
