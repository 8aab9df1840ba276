"""Words of payloads, and the units and limits of what they stand for."""

from __future__ import annotations

import pytest

from edge_agents.sources.mqtt import quantities as q
from edge_agents.sources.mqtt.messages import PayloadError


@pytest.mark.parametrize(
    ("name", "quantity"),
    [
        ("temperature", q.TEMPERATURE),
        ("Temperature", q.TEMPERATURE),
        ("temperature_1", q.TEMPERATURE),
        ("relative_humidity_2", q.HUMIDITY),
        ("Environment/CO2", q.CO2),
        ("classroom_co2", q.CO2),
        ("PM2.5", q.PM2_5),
        ("pm_2_5", q.PM2_5),
        ("pm2_5", q.PM2_5),
        ("pm25", q.PM2_5),
        ("pm10", q.PM10),
        ("pm_10_0", q.PM10),
        ("lightIntensity", q.ILLUMINANCE),
        ("barometric_pressure", q.PRESSURE_HPA),
        ("batteryVoltage", q.BATTERY_VOLTS),
        ("battery", q.BATTERY),
        ("Room A/People Count", q.PEOPLE),
        ("window_open", q.DOOR),
        ("motion", q.OCCUPANCY),
    ],
)
def test_words(name: str, quantity: q.Quantity) -> None:
    assert q.quantity_of(name) == quantity


@pytest.mark.parametrize(
    "name",
    [
        "dew_point_temperature",
        "esp_temperature",
        "target_temperature",
        "temperature_offset",
        "outdoor_temperature",
        "max_power",
        "energy",
        "uptime",
        "x",
        "",
        "_",
        "1",
        "a" * 10_000,
    ],
)
def test_words_for_other_things(name: str) -> None:
    assert q.quantity_of(name) is None


@pytest.mark.parametrize(
    ("quantity", "unit", "value", "expected"),
    [
        (q.TEMPERATURE, "°F", 77, 25.0),
        (q.TEMPERATURE, "C", "21.5", 21.5),
        (q.PRESSURE_HPA, "mmHg", 760, 101325.0),
        (q.PRESSURE_HPA, "inHg", 29.92, 101320.8),
        (q.PM2_5, "ug/m3", 12, 12.0),
        (q.PM2_5, "μg/m³", 12, 12.0),
        (q.KILOWATT_HOURS, "Wh", 1, 3600.0),
        (q.KILOWATT_HOURS, "MJ", 1, 1e6),
        (q.NOISE, "dBA", 44, 44.0),
        (q.BATTERY_VOLTS, "mV", 2995, 2.995),
    ],
)
def test_units(quantity: q.Quantity, unit: str, value: object, expected: float) -> None:
    assert quantity.in_unit(unit).read(value) == pytest.approx(expected, abs=0.5e-1)


@pytest.mark.parametrize(
    ("quantity", "value", "expected"),
    [
        (q.OCCUPANCY, True, 1),
        (q.OCCUPANCY, "Vacant", 0),
        (q.DOOR, "open", 1),
        (q.CONTACT, True, 0),
        (q.CONTACT, "open", 0),
        (q.RELAY, "ON", 1),
        (q.PEOPLE, 17.0, 17),
    ],
)
def test_states(quantity: q.Quantity, value: object, expected: int) -> None:
    read = quantity.read(value)
    assert (read, type(read)) == (expected, int)


@pytest.mark.parametrize(
    ("quantity", "value"),
    [
        (q.TEMPERATURE, float("nan")),
        (q.TEMPERATURE, float("inf")),
        (q.TEMPERATURE, "inf"),
        (q.TEMPERATURE, 10**400),
        (q.TEMPERATURE, "9" * 5000),
        (q.TEMPERATURE, -127),
        (q.TEMPERATURE, None),
        (q.TEMPERATURE, [21]),
        (q.HUMIDITY, 100.5),
        (q.PEOPLE, 2**70),
        (q.OCCUPANCY, 2),
        (q.OCCUPANCY, "perhaps"),
        (q.BATTERY, -1),
    ],
)
def test_what_no_school_has(quantity: q.Quantity, value: object) -> None:
    with pytest.raises(PayloadError) as caught:
        quantity.read(value)
    assert len(str(caught.value)) < 100


def test_a_unit_of_something_else() -> None:
    with pytest.raises(PayloadError, match="does not convert"):
        q.TEMPERATURE.in_unit("kWh")
