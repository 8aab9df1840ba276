"""Batches on their way through MQTT."""

from __future__ import annotations

import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from campuswatch.wire import (
    COMPRESSED,
    MAX_PAYLOAD,
    AgentAddress,
    Batch,
    Channel,
    Lane,
    WireError,
    parse_topic,
    read_batch,
    subscription,
)

batches = st.builds(
    Batch,
    stream=st.text("0123456789abcdef", max_size=32),
    seq=st.integers(0, 2**63 - 1),
    created=st.integers(0, 2**63 - 1),
    lane=st.sampled_from(Lane),
    lines=st.binary(max_size=5000).map(lambda content: content + b"\n"),
)


@given(batches)
def test_a_batch_arrives_as_it_was_sent(batch: Batch) -> None:
    properties = batch.properties().json()  # type: ignore[no-untyped-call]
    received = read_batch(batch.payload(), properties["ContentType"], properties["UserProperty"])
    assert received == batch


def test_a_message_of_another_publisher_is_a_batch_without_a_number() -> None:
    batch = read_batch(b"cpu load=1 1", None, [])
    assert batch == Batch("", 0, 0, Lane.LIVE, b"cpu load=1 1\n")


@pytest.mark.parametrize(
    ("payload", "content_type", "properties", "said"),
    [
        (b"x", "application/json", [], "expected text/vnd.influx-line"),
        (b"x", COMPRESSED, [], "zstd payload"),
        (b"x", None, [("seq", "one")], "user property seq"),
        (b"x", None, [("lane", "fast")], "user property lane"),
        (b"x" * (MAX_PAYLOAD + 1), None, [], "expected at most"),
        (zstandard.compress(b"x" * (MAX_PAYLOAD + 1)), COMPRESSED, [], "expected at most"),
    ],
    ids=["type", "zstd", "seq", "lane", "large", "bomb"],
)
def test_what_is_wrong_with_a_message_is_said(
    payload: bytes, content_type: str | None, properties: list[tuple[str, str]], said: str
) -> None:
    with pytest.raises(WireError, match=said):
        read_batch(payload, content_type, properties)


def test_topics_are_read_as_they_are_written() -> None:
    address = AgentAddress("jiangwan", "school-1", "agent-1")
    for channel in Channel:
        assert parse_topic(address.topic(channel)) == (address, channel)


@pytest.mark.parametrize(
    "topic",
    [
        "",
        "campus/v1/d/s/a",
        "campus/v2/d/s/a/data",
        "campus/v1/d/s/a/data/x",
        "campus/v1/D/s/a/data",
    ],
)
def test_other_topics_are_refused(topic: str) -> None:
    with pytest.raises(WireError, match="expected campus/v1"):
        parse_topic(topic)


def test_the_filter_of_a_group_is_shared() -> None:
    assert subscription("d", Channel.DATA, "collectors") == (
        "$share/collectors/campus/v1/d/+/+/data"
    )
