"""Decoders fed with messages, as the source feeds them."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterable
from typing import Any, Final
from zoneinfo import ZoneInfo

from campuswatch.inventory.models import Device, MqttAddress
from edge_agents.sources.mqtt.decoded import Decoded, Site
from edge_agents.sources.mqtt.decoders.base import Decoder
from edge_agents.sources.mqtt.decoders.registry import decoders_of
from edge_agents.sources.mqtt.messages import Message, PayloadError

NOW: Final = dt.datetime(2026, 3, 2, 8, 0, tzinfo=dt.UTC)
NOW_NS: Final = int(NOW.timestamp()) * 10**9

TOPICS: Final = {
    "chirpstack": "application/app/device/dev",
    "esphome": "dev",
    "homeassistant": "dev",
    "shelly": "dev",
    "shelly-gen1": "shellies/dev",
    "sparkplug": "school/gateway/dev",
    "tasmota": "dev",
    "the-things-stack": "v3/app1@tenant1/devices/dev",
    "zigbee2mqtt": "zigbee2mqtt/dev",
}
"""The topic of the tests' device in each ecosystem."""


def site() -> Site:
    return Site(ZoneInfo("Asia/Shanghai"), {"de:ad:be:ef:00:01": "ap-1"})


def decoder(ecosystem: str, place: Site | None = None, **address: Any) -> Decoder:
    entry = MqttAddress.model_validate(
        {"decoder": ecosystem, "topic": TOPICS.get(ecosystem, "dev"), **address}
    )
    device = Device.model_validate(
        {"id": "dev-1", "name": "Device", "kind": "sensor", "room": "r-1", "mqtt": [entry]}
    )
    (found,) = decoders_of(device, place or site(), {})
    return found


def message(topic: str, payload: object, *, at: int = NOW_NS, retained: bool = False) -> Message:
    """Return a message; bytes and text are the payload, anything else becomes JSON."""
    if isinstance(payload, str):
        payload = payload.encode()
    raw = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
    return Message(topic, raw, at, retained)


def feed(reader: Decoder, messages: Iterable[Message]) -> list[Decoded]:
    return [reader.decode(each) for each in messages]


def outcome(reader: Decoder, given: Message) -> Decoded:
    """Return what becomes of a message; what the source rejects is a problem."""
    try:
        return reader.decode(given)
    except PayloadError as error:
        return Decoded(problems=(str(error),))
