"""How batches of readings travel over MQTT 5, from an agent to a collector.

Topics are `campus/v1/<district>/<school>/<agent>/{data,status,command}`. A
message on `data` is one batch of InfluxDB line protocol, compressed with zstd
where that helps; what the collector must know of it travels as MQTT user
properties (MQTT 5, 3.3.2.3.7). A message without them is welcome too: it is
how a Telegraf in a school publishes, only that no gap in it can be noticed.

A message on `command` is a signed configuration; `campuswatch.configuration.document`
says of what it consists.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

import zstandard
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

PLAIN: Final = "text/vnd.influx-line"
COMPRESSED: Final = PLAIN + "+zstd"
MAX_PAYLOAD: Final = 16 * 1024 * 1024
"""Largest payload after decompression, bytes; a larger one is refused unread."""

_WORTH_COMPRESSING = 1024
_STREAM = re.compile(r"[A-Za-z0-9_-]{0,64}")
_WHOLE_NUMBER = re.compile(r"[0-9]{1,19}")
_MAX_NUMBER = 2**63 - 1
_TOPIC = re.compile(
    r"campus/v1/(?P<district>[a-z0-9-]{1,63})/(?P<school>[a-z0-9-]{1,63})"
    r"/(?P<agent>[a-z0-9-]{1,63})/(?P<channel>data|status|command)"
)


class WireError(ValueError):
    """A message is not what its topic promises; the message says what was expected."""


class Channel(StrEnum):
    """The last level of a topic."""

    DATA = "data"
    STATUS = "status"
    COMMAND = "command"


class Lane(StrEnum):
    """Whether a batch is news or history."""

    LIVE = "live"
    BACKFILL = "backfill"


@dataclass(frozen=True, slots=True)
class AgentAddress:
    """Who speaks; the broker's ACL guards that nobody else uses its topics."""

    district: str
    school: str
    agent: str

    def topic(self, channel: Channel) -> str:
        return f"campus/v1/{self.district}/{self.school}/{self.agent}/{channel}"


def subscription(district: str, channel: Channel, group: str | None = None) -> str:
    """Return the filter for one channel of all agents, shared within `group` if given."""
    topic = f"campus/v1/{district}/+/+/{channel}"
    return topic if group is None else f"$share/{group}/{topic}"


def parse_topic(topic: str) -> tuple[AgentAddress, Channel]:
    """Return who published on `topic` and on which channel.

    Raises:
        WireError: it is no topic of Campuswatch.
    """
    match = _TOPIC.fullmatch(topic)
    if match is None:
        raise WireError(
            f"topic {topic!r}: expected campus/v1/<district>/<school>/<agent>/data|status|command"
        )
    address = AgentAddress(match["district"], match["school"], match["agent"])
    return address, Channel(match["channel"])


@dataclass(frozen=True, slots=True)
class Batch:
    """Readings that travel and are stored together.

    Attributes:
        stream: id of the spool that numbered it; "" if nobody did.
        seq: number in the stream, from 1 and without a gap; 0 if nobody numbered it.
        created: when the agent closed the batch, nanoseconds since 1970-01-01
            UTC; 0 if unknown.
        lane: whether it is sent as it happens or after an outage.
        lines: line protocol, each line ended by a newline.
    """

    stream: str
    seq: int
    created: int
    lane: Lane
    lines: bytes

    def payload(self) -> bytes:
        """Return the MQTT payload; `properties` says how it is encoded."""
        if len(self.lines) < _WORTH_COMPRESSING:
            return self.lines
        return zstandard.compress(self.lines)

    def properties(self) -> Properties:
        """Return the properties of the PUBLISH packet."""
        properties = Properties(PacketTypes.PUBLISH)  # type: ignore[no-untyped-call]
        properties.ContentType = PLAIN if len(self.lines) < _WORTH_COMPRESSING else COMPRESSED
        properties.UserProperty = [
            ("stream", self.stream),
            ("seq", str(self.seq)),
            ("created", str(self.created)),
            ("lane", self.lane.value),
        ]
        return properties


def read_batch(
    payload: bytes, content_type: str | None, user_properties: Sequence[tuple[str, str]]
) -> Batch:
    """Turn a message of a data topic into its batch.

    Raises:
        WireError: an unknown content type, a broken or too large compressed
            payload, or a property that can't be read.
    """
    if content_type in (None, "", PLAIN):
        if len(payload) > MAX_PAYLOAD:
            raise WireError(f"payload of {len(payload)} bytes: expected at most {MAX_PAYLOAD}")
        lines = payload
    elif content_type == COMPRESSED:
        lines = _decompress(payload)
    else:
        raise WireError(f"content type {content_type!r}: expected {PLAIN} or {COMPRESSED}")
    if not lines.endswith(b"\n"):
        lines += b"\n"
    properties = dict(user_properties)
    stream = properties.get("stream", "")
    if not _STREAM.fullmatch(stream):
        raise WireError(f"user property stream {stream[:80]!r}: expected {_STREAM.pattern}")
    try:
        lane = Lane(properties.get("lane", "live"))
    except ValueError as error:
        raise WireError(f"user property lane: {error}") from None
    return Batch(
        stream=stream,
        seq=_whole_number("seq", properties),
        created=_whole_number("created", properties),
        lane=lane,
        lines=lines,
    )


def _whole_number(name: str, properties: dict[str, str]) -> int:
    text = properties.get(name, "0")
    if not _WHOLE_NUMBER.fullmatch(text) or int(text) > _MAX_NUMBER:
        raise WireError(
            f"user property {name} {text[:80]!r}: expected a whole number from 0 to {_MAX_NUMBER}"
        )
    return int(text)


def _decompress(payload: bytes) -> bytes:
    try:
        reader = zstandard.ZstdDecompressor().stream_reader(payload)
        lines = reader.read(MAX_PAYLOAD + 1)
    except zstandard.ZstdError as error:
        raise WireError(f"zstd payload: {error}") from None
    if len(lines) > MAX_PAYLOAD:
        raise WireError(f"zstd payload: expected at most {MAX_PAYLOAD} bytes of lines")
    return lines
