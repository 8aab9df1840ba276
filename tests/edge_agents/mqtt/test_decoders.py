"""Each ecosystem's decoder, fed with what its vendor's documentation prints."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from paho.mqtt.client import topic_matches_sub

from edge_agents.sources.mqtt.decoders.registry import installed
from edge_agents.sources.mqtt.messages import PayloadError
from tests.edge_agents.mqtt.reading import TOPICS, decoder, feed, message, outcome, site

PAYLOADS = Path(__file__).parent / "payloads"
FILES = sorted(PAYLOADS.glob("*/*.json"))
PLACE = {"device": "dev-1", "room": "r-1"}


def load(path: Path) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return document


@pytest.mark.parametrize("path", FILES, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_documented_payloads(path: Path) -> None:
    documented = load(path)
    reader = decoder(path.parent.name)
    messages = [message(each["topic"], each["payload"]) for each in documented["messages"]]
    decoded = feed(reader, messages)
    assert [each.problems for each in decoded if each.problems] == []
    found = [
        (reading.measurement, reading.tags, reading.fields)
        for each in decoded
        for reading in each.readings
    ]
    expected = [
        (
            reading["measurement"],
            PLACE | reading.get("tags", {}),
            pytest.approx(reading["fields"])
            if not any(isinstance(value, str) for value in reading["fields"].values())
            else reading["fields"],
        )
        for reading in documented["readings"]
    ]
    assert found == expected
    assert decoded[-1].alive is documented.get("alive", True)


@pytest.mark.parametrize("path", FILES, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_documented_topics_are_listened_to(path: Path) -> None:
    reader = decoder(path.parent.name)
    topics = list(reader.topics)
    for each in load(path)["messages"]:
        given = message(each["topic"], each["payload"])
        assert any(topic_matches_sub(topic.filter, given.topic) for topic in topics)
        topics += outcome(reader, given).follow


def test_every_decoder_has_documented_payloads() -> None:
    assert {path.parent.name for path in FILES} | {"sparkplug"} == set(installed()) == set(TOPICS)


@pytest.mark.parametrize("path", FILES, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_a_device_is_recognised_as_what_it_is(path: Path) -> None:
    ecosystem = path.parent.name
    for each in load(path)["messages"]:
        given = message(each["topic"], each["payload"])
        found = {}
        for name, kind in installed().items():
            try:
                found[name] = kind.recognise(given)
            except PayloadError:
                found[name] = None
        recognised = {name: topic for name, topic in found.items() if topic is not None}
        assert recognised in ({}, {ecosystem: TOPICS[ecosystem]})


@pytest.mark.parametrize(
    ("ecosystem", "name"),
    [
        ("zigbee2mqtt", "climate"),
        ("tasmota", "plug"),
        ("shelly", "full-status"),
        ("shelly-gen1", "plug"),
        ("esphome", "presence"),
        ("homeassistant", "sensor"),
        ("the-things-stack", "decoded"),
        ("chirpstack", "uplink"),
    ],
)
def test_auto_becomes_the_decoder_of_the_first_message_it_knows(ecosystem: str, name: str) -> None:
    messages = [
        message(each["topic"], each["payload"])
        for each in load(PAYLOADS / ecosystem / f"{name}.json")["messages"]
    ]
    named = feed(decoder(ecosystem), messages)
    automatic = decoder("auto", topic=TOPICS[ecosystem])
    assert all(
        any(topic_matches_sub(topic.filter, messages[0].topic) for topic in automatic.topics)
        for _ in messages
    )
    assert feed(automatic, messages) == named


def test_auto_waits_for_a_message_that_is_clear() -> None:
    automatic = decoder("auto", topic="dev")
    assert outcome(automatic, message("dev", {"x": 1})).readings == ()
    (reading,) = outcome(automatic, message("dev/sensor/co2/state", b"640")).readings
    assert reading.fields == {"co2": 640.0}


def test_names_that_a_decoder_does_not_know_are_declared() -> None:
    reader = decoder(
        "the-things-stack",
        fields={
            "TempF_SHT": {"field": "environment.temperature", "unit": "°F"},
            "Digital_IStatus": "presence.door",
        },
    )
    decoded = {"TempF_SHT": 77, "Digital_IStatus": "open"}
    uplink = {"uplink_message": {"decoded_payload": decoded}}
    readings = reader.decode(message(f"{TOPICS['the-things-stack']}/up", uplink)).readings
    assert [dict(reading.fields) for reading in readings] == [{"temperature": 25.0}, {"door": 1}]


def test_a_tasmota_switch_means_what_the_inventory_says() -> None:
    reader = decoder("tasmota", fields={"Switch1": "presence.occupancy"})
    (reading,) = reader.decode(message("tele/dev/SENSOR", {"Time": "x", "Switch1": "ON"})).readings
    assert reading.fields == {"occupancy": 1}


@pytest.mark.parametrize(
    ("topic", "expected"),
    [
        ("classroom-204", "tele/classroom-204/SENSOR"),
        ("floor-2/classroom-204", "tele/floor-2/classroom-204/SENSOR"),
        ("floor-2/classroom-204/%prefix%", "floor-2/classroom-204/tele/SENSOR"),
    ],
)
def test_tasmota_full_topics(topic: str, expected: str) -> None:
    assert decoder("tasmota", topic=topic).topics[0].filter == expected


def test_zigbee_names_may_have_slashes() -> None:
    reader = decoder("zigbee2mqtt", topic="school/zigbee2mqtt/floor-2/climate-204")
    assert [topic.filter for topic in reader.topics] == [
        "school/zigbee2mqtt/floor-2/climate-204",
        "school/zigbee2mqtt/floor-2/climate-204/availability",
        "school/zigbee2mqtt/bridge/state",
    ]


def test_a_network_server_says_when_it_had_an_uplink() -> None:
    reader = decoder("the-things-stack")
    uplink = {"decoded_payload": {"co2": 640}}
    topic = f"{TOPICS['the-things-stack']}/up"
    timed = {"received_at": "2026-03-02T07:59:58.840Z", "uplink_message": uplink}
    wrong = {"received_at": "1970-01-01T00:00:00Z", "uplink_message": uplink}
    (first,) = reader.decode(message(topic, timed)).readings
    (second,) = reader.decode(message(topic, wrong)).readings
    assert second.time - first.time == 1_160_000_000


@pytest.mark.parametrize(
    ("ecosystem", "topic", "payload", "problem"),
    [
        ("the-things-stack", "/up", {"uplink_message": {"frm_payload": "gkHe"}}, "formatter"),
        ("chirpstack", "/event/up", {"deviceInfo": {}, "data": "qg=="}, "no codec"),
        ("zigbee2mqtt", "", "online", "expected a JSON object"),
        ("zigbee2mqtt", "", {"temperature": 3e9}, "3e+09 °C: expected -60 to 100"),
        ("zigbee2mqtt", "", {"temperature": 10**400}, "a huge number: expected a number"),
        ("zigbee2mqtt", "", {"temperature": [1]}, "a list: expected a number"),
        ("zigbee2mqtt", "", b'{"temperature": NaN}', "NaN is not JSON"),
        ("zigbee2mqtt", "/availability", "perhaps", "'perhaps': expected online or offline"),
        ("zigbee2mqtt", "/availability", {"state": 3}, "3: expected online or offline"),
        ("shelly", "/events/rpc", {"method": "Shelly.Reboot"}, "expected a notification"),
        ("shelly", "/status/wifi", {"rssi": 31}, "31 dBm: expected -130 to 0"),
        ("shelly", "/status/wifi", {"rssi": -60, "bssid": "none"}, "expected a BSSID"),
        ("shelly-gen1", "/sensor/battery", "200", "200 %: expected 0 to 100"),
        ("esphome", "/sensor/co2/state", "warm", "'warm': expected a number"),
        ("esphome", "/sensor/co2/state", b"\xff\xfe", "not UTF-8"),
        ("esphome", "/binary_sensor/door/state", "ajar", "'ajar': expected a number"),
        ("esphome", "/binary_sensor/door/state", "2", "expected 0 to 1"),
    ],
)
def test_what_can_not_be_read_says_why(
    ecosystem: str, topic: str, payload: object, problem: str
) -> None:
    decoded = outcome(decoder(ecosystem), message(TOPICS[ecosystem] + topic, payload))
    assert problem in "; ".join(decoded.problems)
    assert decoded.readings == ()


@pytest.mark.parametrize(
    ("payload", "problem"),
    [
        ({"Time": "x", "ENERGY": {"Power": list(range(50))}}, "at most 8 channels"),
        ({"Time": "x", "TempUnit": "R", "A": {"Temperature": 1}}, "does not convert"),
        ({f"S{i}": {"Temperature": 20} for i in range(99)}, "at most 16 sensors"),
        ({"ENERGY": 5}, "expected a JSON object"),
    ],
)
def test_hostile_tasmota(payload: object, problem: str) -> None:
    decoded = outcome(decoder("tasmota"), message("tele/dev/SENSOR", payload))
    assert problem in "; ".join(decoded.problems)
    assert len(decoded.readings) <= 17  # one plain, and those with a tag


def test_a_device_can_not_make_up_sensors_and_access_points_without_end() -> None:
    reader = decoder("tasmota")
    sensors, bssids = set(), set()
    for number in range(300):
        values = {"A": {"Temperature": 20}, f"S{number}": {"Temperature": 20}}
        wifi = {"BSSId": f"00:11:22:33:{number // 256:02x}:{number % 256:02x}", "Signal": -60}
        for kind, payload in (("SENSOR", values), ("STATE", {"Wifi": wifi})):
            for reading in outcome(reader, message(f"tele/dev/{kind}", payload)).readings:
                sensors.add(reading.tags.get("sensor"))
                bssids.add(reading.tags.get("bssid"))
    assert len(sensors - {None}) == 16
    assert len(bssids - {None}) == 64


def test_a_bad_value_does_not_take_the_good_ones_with_it() -> None:
    decoded = outcome(
        decoder("zigbee2mqtt"), message("zigbee2mqtt/dev", {"temperature": "?", "humidity": 40})
    )
    assert [dict(reading.fields) for reading in decoded.readings] == [{"humidity": 40.0}]
    assert decoded.problems == ("temperature: '?': expected a number",)


RESULTS = [
    {"ssid": "campus", "bssid": "de:ad:be:ef:00:02", "auth": 3, "channel": 11, "rssi": -71},
    {"ssid": None, "bssid": "DE:AD:BE:EF:00:01", "auth": 3, "channel": 44, "rssi": -55},
    {"ssid": "Ming's phone", "bssid": "de:ad:be:ef:00:03", "auth": 3, "channel": 6, "rssi": -40},
]
"""https://shelly-api-docs.shelly.cloud/gen2/ComponentsAndServices/WiFi#wifiscan."""


def test_a_shelly_lists_the_access_points_it_hears_but_no_phones() -> None:
    reader = decoder("shelly", scan="15m")
    (question,) = reader.questions
    assert question.interval == 900
    assert question.request.topic == "dev/rpc"
    asked = json.loads(question.request.payload)
    assert asked["method"] == "Wifi.Scan"
    reader.decode(message("dev/status/wifi", {"ssid": "campus", "rssi": -60}))
    answer = {"id": 1, "src": "dev", "dst": asked["src"], "result": {"results": RESULTS}}
    decoded = reader.decode(message(f"{asked['src']}/rpc", answer))
    assert [(r.tags.get("bssid"), r.tags["band"], r.tags.get("ap")) for r in decoded.readings] == [
        ("de:ad:be:ef:00:02", "2.4", None),
        ("de:ad:be:ef:00:01", "5", "ap-1"),
    ]
    assert [reading.fields["rssi"] for reading in decoded.readings] == [-71.0, -55.0]


@pytest.mark.parametrize(
    "answer",
    [
        {"error": {"code": 429}},
        {"result": {"results": RESULTS * 50}},
        {"result": {"results": 5}},
        {"result": None},
        {},
    ],
)
def test_scans_that_are_none(answer: object) -> None:
    decoded = outcome(decoder("shelly", scan="15m"), message("campuswatch/dev-1/rpc", answer))
    assert decoded.readings == ()
    assert len(decoded.problems) == 1


@pytest.mark.parametrize(
    ("settings", "problem"),
    [
        ({"stat_t": "#"}, "expected a topic without wildcards"),
        ({"stat_t": "a/+"}, "expected a topic without wildcards"),
        ({"stat_t": 5}, "expected a topic without wildcards"),
        ({"stat_t": "x" * 1000}, "expected a topic without wildcards"),
        ({"unit_of_meas": "fathoms"}, "does not convert"),
        ({"val_tpl": "{{ states('sensor.x') }}"}, "expected one such as value_json.co2"),
        ({"val_tpl": "{% if value %}1{% endif %}"}, "expected one such as value_json.co2"),
        ({"avty_t": "#"}, "expected a topic without wildcards"),
    ],
)
def test_hostile_discovery(settings: dict[str, object], problem: str) -> None:
    reader = decoder("homeassistant")
    config = {"stat_t": "a/state", "dev_cla": "carbon_dioxide", "unit_of_meas": "ppm", **settings}
    decoded = outcome(reader, message("homeassistant/sensor/dev/co2/config", config))
    assert problem in "; ".join(decoded.problems)
    assert decoded.follow == ()


def test_a_device_has_a_bounded_number_of_entities() -> None:
    reader = decoder("homeassistant")
    problems = 0
    for number in range(200):
        config = {"stat_t": f"a/{number}", "dev_cla": "humidity", "unit_of_meas": "%"}
        decoded = outcome(reader, message(f"homeassistant/sensor/dev/{number}/config", config))
        problems += len(decoded.problems)
        assert len(decoded.follow) <= 64
    assert problems == 200 - 64


def test_decoders_of_one_school_share_what_is_common() -> None:
    place = site()
    assert place.shared("a", list) is place.shared("a", list)
