"""Payloads of real kinds of devices, and payloads that nobody should send."""

from __future__ import annotations

import contextlib
import datetime as dt
import json
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from campuswatch.inventory.models import Device, DeviceKind, Mapping, MqttAddress
from campuswatch.readings import Reading
from campuswatch.wifi import normalise_bssid
from edge_agents.sources.mqtt.decoded import Decoded, Site
from edge_agents.sources.mqtt.decoders.mapping import MappingDecoder
from edge_agents.sources.mqtt.messages import MAX_PAYLOAD, Message, PayloadError, parse

NOW = dt.datetime(2026, 3, 2, 8, 0, tzinfo=dt.UTC)
NOW_NS = int(NOW.timestamp()) * 10**9
SHANGHAI = ZoneInfo("Asia/Shanghai")

TASMOTA_STATE = {
    "Time": "2026-03-02T15:59:50",
    "UptimeSec": 90061,
    "POWER": "ON",
    "Wifi": {
        "AP": 1,
        "SSId": "campus",
        "BSSId": "DE:AD:BE:EF:00:01",
        "Channel": 6,
        "RSSI": 44,
        "Signal": -78,
    },
}
SHELLY_STATUS = {
    "method": "NotifyFullStatus",
    "params": {"temperature:0": {"tC": 21.5}, "humidity:0": {"rh": 40}, "wifi": {"rssi": -61}},
}
ZIGBEE_CLIMATE = {"temperature": 21.4, "humidity": 44.1, "linkquality": 255, "battery": None}
THINGS_STACK = {
    "end_device_ids": {"device_id": "co2-9"},
    "received_at": "2026-03-02T07:59:58.123456Z",
    "uplink_message": {"decoded_payload": {"co2": 812}, "rx_metadata": [{"rssi": -101}]},
}


def decoder(mapping: dict[str, Any], topic: str = "t") -> MappingDecoder:
    address = MqttAddress(topic=topic, mapping="m")
    return MappingDecoder(
        Device(id="dev-1", name="Device", kind=DeviceKind.SENSOR, room="r-1", mqtt=[address]),
        address,
        Site(SHANGHAI, {"de:ad:be:ef:00:01": "ap-1"}),
        Mapping.model_validate({"id": "m", **mapping}),
    )


def decode(
    mapping: dict[str, Any], payload: object, filter_: str = "t", topic: str = "t"
) -> Decoded:
    raw = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
    return decoder(mapping, filter_).decode(Message(topic, raw, NOW_NS))


def only(decoded: Decoded) -> Reading:
    assert decoded.problems == ()
    (reading,) = decoded.readings
    return reading


def fields(mapping: dict[str, Any], payload: object) -> dict[str, Any]:
    return dict(only(decode(mapping, payload)).fields)


def environment(path: str, **more: object) -> dict[str, Any]:
    return {"measurement": "environment", "fields": {"temperature": {"path": path, **more}}}


WIFI = {
    "measurement": "wifi_signal",
    "tags": {"bssid": "$.Wifi.BSSId"},
    "fields": {
        "rssi": {"path": "$.Wifi.Signal"},
        "channel": {"path": "$.Wifi.Channel"},
        "ssid": {"path": "$.Wifi.SSId"},
    },
}
RELAY = {
    "measurement": "power",
    "fields": {"relay": {"path": "$.POWER", "values": {"OFF": 0, "ON": 1}}},
}


def test_a_plug_reports_the_signal_it_receives() -> None:
    reading = only(decode(WIFI, TASMOTA_STATE))
    assert reading.tags == {
        "device": "dev-1",
        "room": "r-1",
        "bssid": "de:ad:be:ef:00:01",
        "band": "2.4",
        "ap": "ap-1",
    }
    assert reading.fields == {"rssi": -78.0, "channel": 6, "ssid": "campus"}
    assert reading.time == NOW_NS


def test_words_become_numbers() -> None:
    assert fields(RELAY, TASMOTA_STATE) == {"relay": 1}
    contact = {
        "measurement": "presence",
        "fields": {"door": {"path": "$.contact", "values": {"true": 0, "false": 1}}},
    }
    assert fields(contact, {"contact": True}) == {"door": 0}


def test_true_is_one_where_no_words_are_given() -> None:
    mapping = {"measurement": "presence", "fields": {"occupancy": {"path": "$.occupancy"}}}
    assert fields(mapping, {"occupancy": True}) == {"occupancy": 1}


def test_names_with_colons_and_indices() -> None:
    assert fields(environment("$.params['temperature:0'].tC"), SHELLY_STATUS) == {
        "temperature": 21.5
    }
    signal = {
        "measurement": "wifi_signal",
        "fields": {"rssi": {"path": "$.uplink_message.rx_metadata[0].rssi"}},
    }
    assert fields(signal, THINGS_STACK) == {"rssi": -101.0}


@pytest.mark.parametrize(
    ("measurement", "field", "unit", "given", "expected"),
    [
        ("environment", "temperature", "°F", 77, 25.0),
        ("environment", "temperature", "K", 300, 26.85),
        ("environment", "pressure", "hPa", 1013.25, 101325.0),
        ("power", "energy", "kWh", 1.5, 5_400_000.0),
        ("power", "energy", "J", 7, 7.0),
        ("device_health", "battery_voltage", "mV", 2950, 2.95),
        ("device_health", "link_quality", "1/255", 255, 100.0),
        ("device_health", "battery", "1", 0.5, 50.0),
    ],
)
def test_units_are_converted(
    measurement: str, field: str, unit: str, given: float, expected: float
) -> None:
    mapping = {"measurement": measurement, "fields": {field: {"path": "$.x", "unit": unit}}}
    assert fields(mapping, {"x": given}) == {field: pytest.approx(expected)}


@pytest.mark.parametrize(("payload", "expected"), [(b"-62", -62.0), (b" -62.5\n", -62.5)])
def test_a_bare_number_is_a_payload(payload: bytes, expected: float) -> None:
    mapping = {"measurement": "wifi_signal", "fields": {"rssi": {"path": "$"}}}
    assert fields(mapping, payload) == {"rssi": expected}


def test_a_bare_word_is_a_payload() -> None:
    mapping = {
        "measurement": "power",
        "fields": {"relay": {"path": "$", "values": {"on": 1, "off": 0}}},
    }
    assert fields(mapping, b"on") == {"relay": 1}


def test_numbers_written_as_text() -> None:
    assert fields(environment("$.t"), {"t": "21.5"}) == {"temperature": 21.5}


def test_wildcards_fill_tags() -> None:
    mapping = {
        "measurement": "wifi_signal",
        "tags": {"band": "{2}", "bssid": "$.b"},
        "fields": {"rssi": {"path": "$.rssi"}},
    }
    payload = {"b": "00-11-22-AA-BB-CC", "rssi": -50}
    reading = only(decode(mapping, payload, "probe/+/x/+", "probe/one/x/5"))
    assert reading.tags["band"] == "5"
    assert reading.tags["bssid"] == "00:11:22:aa:bb:cc"


def test_missing_fields_are_left_out_and_null_is_missing() -> None:
    mapping = {
        "measurement": "device_health",
        "fields": {
            "battery": {"path": "$.battery"},
            "link_quality": {"path": "$.linkquality", "unit": "1/255"},
        },
    }
    assert fields(mapping, ZIGBEE_CLIMATE) == {"link_quality": 100.0}
    assert decode(mapping, {"other": 1}) == Decoded(known=False)


@pytest.mark.parametrize(
    ("value", "moment"),
    [
        ("2026-03-02T07:59:58.123456Z", "2026-03-02T07:59:58.123456+00:00"),
        ("2026-03-02T15:59:50", "2026-03-02T07:59:50+00:00"),
        (NOW.timestamp() - 10.25, "2026-03-02T07:59:49.750000+00:00"),
    ],
)
def test_a_payload_may_carry_its_time(value: object, moment: str) -> None:
    reading = only(decode({**environment("$.v"), "time": "$.at"}, {"v": 1, "at": value}))
    expected = dt.datetime.fromisoformat(moment)
    assert reading.time == round(expected.timestamp() * 10**6) * 1000


@pytest.mark.parametrize(
    ("mapping", "payload", "problem"),
    [
        (RELAY, {"POWER": "BLINK"}, "expected one of OFF, ON"),
        (environment("$.t"), {"t": "warm"}, "'warm': expected a number"),
        (environment("$.t"), {"t": {"value": 3}}, "not an object or a list"),
        (environment("$.t"), {"t": "nan"}, "expects float"),
        (environment("$.t"), {"t": 10**400}, "too large"),
        (WIFI, {"Wifi": {"Signal": -60, "Channel": 6.5}}, "expects int"),
        ({**environment("$.t"), "time": "$.at"}, {"t": 1, "at": 5}, "is the device's clock right"),
        ({**environment("$.t"), "time": "$.at"}, {"t": 1, "at": "noon"}, "expected RFC 3339"),
        ({**environment("$.t"), "time": "$.at"}, {"t": 1, "at": 1e300}, "expected RFC 3339"),
        (WIFI, {"Wifi": {"Signal": -60, "BSSId": "unknown"}}, "expected a BSSID"),
    ],
)
def test_what_can_not_be_read_says_why(
    mapping: dict[str, Any], payload: object, problem: str
) -> None:
    assert problem in "; ".join(decode(mapping, payload).problems)


def test_a_bad_field_does_not_take_the_good_ones_with_it() -> None:
    mapping = {
        "measurement": "environment",
        "fields": {"temperature": {"path": "$.t"}, "humidity": {"path": "$.h"}},
    }
    decoded = decode(mapping, {"t": "broken", "h": 40})
    (reading,) = decoded.readings
    assert reading.fields == {"humidity": 40.0}
    assert decoded.problems == ("temperature: 'broken': expected a number",)


@pytest.mark.parametrize(
    ("payload", "reason"),
    [
        (b"", "empty"),
        (b"  \n", "empty"),
        (b"{not json", "not JSON"),
        (b'{"a": NaN}', "NaN is not JSON"),
        (b"\xff\xfe\x00", "not UTF-8"),
        (b"[" * 100_000, "nested too deep"),
        (b" " * (MAX_PAYLOAD + 1), "expected at most"),
        (b"[" + b"9" * 5000 + b"]", "not JSON"),
    ],
)
def test_payloads_that_are_none(payload: bytes, reason: str) -> None:
    with pytest.raises(PayloadError, match=reason):
        parse(payload)


def test_a_deep_payload_does_not_break_a_recursive_path() -> None:
    deep = b'{"a":' * 900 + b"1" + b"}" * 900
    assert decode(environment("$..t"), deep).readings == ()


@given(st.binary(max_size=200))
def test_no_payload_breaks_a_decoder(payload: bytes) -> None:
    for mapping in (WIFI, RELAY, environment("$")):
        with contextlib.suppress(PayloadError):
            decode(mapping, payload)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.sampled_from("tvPOWER"), inner),
    max_leaves=10,
)


@given(json_values, json_values)
def test_no_document_breaks_a_decoder(value: object, time: object) -> None:
    document = {"t": value, "at": time, "POWER": value, "Wifi": {"Signal": value, "BSSId": time}}
    for mapping in (WIFI, RELAY, environment("$.t"), {**environment("$.t"), "time": "$.at"}):
        message = Message("t", b"", NOW_NS)
        vars(message)["document"] = document  # as if it had been parsed
        decoded = decoder(mapping).decode(message)
        assert decoded.readings or decoded.problems or value is None


@given(st.binary(min_size=6, max_size=6), st.sampled_from(["", ":", "-"]))
def test_bssids_have_one_spelling(octets: bytes, separator: str) -> None:
    expected = octets.hex(":")
    spelt = octets.hex(separator) if separator else octets.hex()
    assert normalise_bssid(spelt.upper()) == expected
    assert normalise_bssid(expected) == expected
