"""Whatever a device publishes: readings, or one problem, and never a crash."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from campuswatch.lineprotocol import encode
from edge_agents.sources.mqtt.decoded import Decoded
from edge_agents.sources.mqtt.decoders.base import Decoder
from edge_agents.sources.mqtt.decoders.registry import installed
from edge_agents.sources.mqtt.messages import PayloadError
from tests.edge_agents.mqtt.reading import decoder, message, outcome

ECOSYSTEMS = sorted(installed())
PAYLOADS = Path(__file__).parent / "payloads"
DEEP = b'{"a":' * 900 + b"1" + b"}" * 900
HUGE = [
    b"",
    b"\xff\xfe\x00",
    b"{",
    b"[" * 100_000,
    DEEP,
    b'{"temperature":' + DEEP + b"}",
    b'{"temperature": 1e999, "co2": -1e999}',
    b"[" + b"9" * 5000 + b"]",
    b"1" * 5000,
    json.dumps({"temperature": 10**300, "battery": 2**63}).encode(),
    json.dumps({f"temperature_{i}": i for i in range(9000)}).encode(),
    json.dumps({"\ud800": "\ud800", "temperature": "\ud800"}).encode(),
    b"null",
    b'"' + b"x" * 100_000 + b'"',
    b" " * 300_000,
]


def concrete(reader: Decoder) -> list[str]:
    """Return a topic that each of a decoder's filters matches."""
    return [
        topic.filter.replace("+", "temperature").replace("#", "0/power") for topic in reader.topics
    ]


def check(decoded: Decoded) -> None:
    """Check that what came out can be stored, and is not more than a message may yield."""
    assert len(decoded.readings) <= 200
    encode(decoded.readings)
    assert all(len(problem) < 400 for problem in decoded.problems)


@pytest.mark.parametrize("ecosystem", ECOSYSTEMS)
@pytest.mark.parametrize("payload", HUGE, ids=range(len(HUGE)))
def test_known_horrors(ecosystem: str, payload: bytes) -> None:
    reader = decoder(ecosystem, scan="15m") if ecosystem == "shelly" else decoder(ecosystem)
    for topic in concrete(reader):
        check(outcome(reader, message(topic, payload)))


@pytest.mark.parametrize("ecosystem", ECOSYSTEMS)
@settings(max_examples=60, suppress_health_check=[HealthCheck.too_slow])
@given(payload=st.binary(max_size=300))
def test_any_bytes(ecosystem: str, payload: bytes) -> None:
    reader = decoder(ecosystem)
    for topic in concrete(reader):
        check(outcome(reader, message(topic, payload)))


ANYTHING = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=20)
    | st.sampled_from(["online", "ON", "dev", "~", "#", "a/state", "{{ value }}", "°C"]),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(["state", "rssi", "value", "0", "ssid"]), inner, max_size=3
        )
    ),
    max_leaves=8,
)


def mutated(document: object, data: st.DataObject) -> object:
    """Return a documented payload in which one value is anything at all."""
    if isinstance(document, dict) and document and data.draw(st.booleans()):
        key = data.draw(st.sampled_from(sorted(document)))
        return {**document, key: mutated(document[key], data)}
    if isinstance(document, list) and document and data.draw(st.booleans()):
        return [mutated(document[0], data), *document[1:]]
    return data.draw(ANYTHING)


@pytest.mark.parametrize("ecosystem", [name for name in ECOSYSTEMS if name != "sparkplug"])
@settings(max_examples=150, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data())
def test_documented_payloads_gone_wrong(ecosystem: str, data: st.DataObject) -> None:
    path = data.draw(st.sampled_from(sorted((PAYLOADS / ecosystem).glob("*.json"))))
    documented: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    reader = decoder(ecosystem)
    for each in documented["messages"]:
        payload = mutated(each["payload"], data)
        check(outcome(reader, message(each["topic"], json.dumps(payload))))


@pytest.mark.parametrize("ecosystem", ECOSYSTEMS)
@settings(max_examples=60)
@given(topic=st.text(max_size=60), payload=st.binary(max_size=60))
def test_recognising_is_as_safe(ecosystem: str, topic: str, payload: bytes) -> None:
    try:
        found = installed()[ecosystem].recognise(message(topic, payload))
    except PayloadError:
        return
    assert found is None or isinstance(found, str)
