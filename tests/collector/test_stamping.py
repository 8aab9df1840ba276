"""Every stored line says whose it is, whatever it claims."""

from __future__ import annotations

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from campuswatch.lineprotocol import LineProtocolError, RejectedLine, encode, parse
from campuswatch.readings import Reading
from campuswatch.wire import AgentAddress
from collector.stamping import EARLIEST, RESERVED, stamp
from tests.stores.readings import READINGS

OURS = AgentAddress("demo", "north", "north-1")
OWN_TAGS = {"school": "north", "agent": "north-1"}
NOW = 1_800_000_000_000_000_000
TIMES = st.integers(10**18, 2 * 10**18)

FRAGMENTS = st.sampled_from(
    [
        b"m",
        b"environment,device=s1",
        b",school=south",
        b",agent=south-1",
        b",sch\\ool=south",
        b",t=a\\ b\\,c\\=d",
        b' f=1,g="text, school=south"',
        b' f="line\nbreak"',
        b' f="quote \\" backslash \\\\"',
        b' f="unclosed',
        b" f=1",
        b" f=1,agent=2",
        b" 1730000000000000001",
        b" 17",
        b"\n",
        b"\r\n",
        b"\n",
        b" ",
        b",",
        b"=",
        b'"',
        b"\\",
        b"#",
        b"\x00",
        b"\t",
        b"\xff",
        "名字".encode(),
        b"delivery seq=1i 1730000000000000001\n",
        b"collector,collector=x lines=1i 1730000000000000001\n",
    ]
)
HOSTILE = st.lists(FRAGMENTS, max_size=25).map(b"".join)


@given(st.lists(st.tuples(READINGS, TIMES), max_size=6))
def test_good_lines_change_in_their_stamp_only(pairs: list[tuple[Reading, int]]) -> None:
    readings = [Reading(each.measurement, each.tags, each.fields, time) for each, time in pairs]
    stamped = stamp(encode(readings), OURS, NOW)
    assert not stamped.rejected
    assert stamped.count == len(readings)
    assert list(parse(stamped.lines)) == [stamped_with_ours(each) for each in readings]


@settings(max_examples=500)
@given(HOSTILE)
@example(b'm,t="a f=1 1730000000000000001\nm,t=b" f=1 1730000000000000001\n')
@example(b'm a,b="x==",c=1 1730000000000000001\nm,school=south f=1 1730000000000000001\n')
@example(b"m,t=a\\\nm,school=south f=1 1730000000000000001\n")
@example(b"m,school=south,school=north f=1 1730000000000000001\n")
def test_no_payload_speaks_for_another(payload: bytes) -> None:
    marker = b"marker f=1 1730000000000000001\n"
    stamped = stamp(payload + b"\n", OURS, NOW)
    *found, last = parse(stamped.lines + marker)
    # What follows in the same write, perhaps of another school, is not touched.
    assert isinstance(last, Reading)
    assert last.measurement == "marker"
    assert len(found) == stamped.count
    for each in found:
        if isinstance(each, Reading):
            assert each.tags.items() >= OWN_TAGS.items()
            assert each.measurement not in RESERVED
        else:  # for the store to refuse
            assert b",school=north,agent=north-1" in each.line


@settings(max_examples=500)
@given(HOSTILE)
def test_every_good_line_is_kept(payload: bytes) -> None:
    stored = list(parse(stamp(payload + b"\n", OURS, NOW).lines))
    for found in parse(payload + b"\n"):
        if isinstance(found, Reading) and is_welcome(found):
            assert stamped_with_ours(found) in stored


def stamped_with_ours(reading: Reading) -> Reading:
    tags = {**reading.tags, **OWN_TAGS}
    return Reading(reading.measurement, tags, reading.fields, reading.time)


def is_welcome(reading: Reading) -> bool:
    """Return whether a reading may be stored and can be written as a line."""
    try:
        encode([reading])
    except LineProtocolError:
        return False
    return reading.measurement not in RESERVED and reading.time >= EARLIEST


@pytest.mark.parametrize(
    ("line", "tags"),
    [
        (b"m,school=south,room=r1 f=1", {"room": "r1"}),
        (b"m,room=r1,agent=south-1 f=1", {"room": "r1"}),
        (b"m,school=south,agent=south-1 f=1", {}),
        (b"m f=1,g=2", {}),
        (b'm f="a,school=south"', {}),
        (b"m,room=a\\,school\\=south f=1", {"room": "a,school=south"}),
        (b"my\\ name,a\\=b=c\\ d f=1", {"a=b": "c d"}),
    ],
)
def test_claims_are_taken_out_and_nothing_else(line: bytes, tags: dict[str, str]) -> None:
    stamped = stamp(line + b" 1730000000000000001\n", OURS, NOW)
    [reading] = parse(stamped.lines)
    assert isinstance(reading, Reading)
    assert reading.tags == {**tags, **OWN_TAGS}


def test_a_line_without_a_time_gets_the_batch_s() -> None:
    stamped = stamp(b"m f=1\nm,t=a f=2\r\n", OURS, NOW)
    times = [found.time for found in parse(stamped.lines) if isinstance(found, Reading)]
    assert times == [NOW, NOW]
    assert stamped.timeless
    assert not stamp(b"m f=1 1730000000000000001\n", OURS, NOW).timeless


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b"no fields", "expected"),
        (b"m f=1 1730000000", "expected nanoseconds"),
        (b"m f=word 1730000000000000001", "expected a number"),
        (b"delivery,stream=s seq=1i 1730000000000000001", "collector's own"),
        (b'm f="never closed 1730000000000000001', "closing quote"),
        (b"m,t=\xff f=1 1730000000000000001", "UTF-8"),
    ],
)
def test_a_bad_line_is_kept_aside_with_its_reason(line: bytes, reason: str) -> None:
    good = b"m f=1 1730000000000000001\n"
    stamped = stamp(good + line + b"\n" + good, OURS, NOW)
    assert stamped.count == 2
    [rejected] = stamped.rejected
    assert rejected == RejectedLine(line, rejected.reason)
    assert reason in rejected.reason


def test_comments_and_blank_lines_are_nothing() -> None:
    stamped = stamp(b"# a comment\n\n\r\n  \nm f=1 1730000000000000001\n", OURS, NOW)
    assert (stamped.count, stamped.rejected) == (1, [])
