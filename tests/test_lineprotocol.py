import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from line_protocol_parser import parse_line

from campuswatch.lineprotocol import (
    MAX_TIME,
    MIN_TIME,
    LineProtocolError,
    RejectedLine,
    encode,
    parse,
    split,
)
from campuswatch.readings import FieldValue, Reading
from tests.stores.readings import READINGS, STRINGS

NASTY = st.text(st.sampled_from('ab,= "\\\n\r\t#\x00é本'), max_size=6)


@given(st.lists(READINGS, max_size=4))
def test_what_is_encoded_is_parsed_back(readings: list[Reading]) -> None:
    lines = encode(readings)
    assert list(parse(lines)) == readings
    assert len(list(split(lines))) == len(readings)
    assert b"".join(line + b"\n" for line in split(lines)) == lines


@given(READINGS, st.binary(max_size=40).filter(lambda junk: b"\n" not in junk))
def test_a_broken_line_takes_no_other_line_with_it(reading: Reading, junk: bytes) -> None:
    good = encode([reading])
    found = list(parse(good + junk + b"\n" + good))
    assert found[0] == reading
    assert found[-1] == reading
    assert len(found) <= 3


@given(
    st.binary(max_size=60)
    | st.lists(
        st.sampled_from(["m", ",a=b", " f=", "1", '"', "\\", "\\,", " ", "7", "\n", "t"])
    ).map(lambda parts: "".join(parts).encode())
)
def test_whatever_is_read_can_be_written(junk: bytes) -> None:
    for found in parse(junk):
        if isinstance(found, Reading):
            assert list(parse(encode([found]))) == [found]
        else:
            assert found.reason


@given(NASTY, NASTY, NASTY, NASTY, STRINGS)
def test_a_reading_is_refused_or_exact(
    measurement: str, tag: str, value: str, field: str, string: str
) -> None:
    reading = Reading(measurement, {tag: value}, {field: string}, 1)
    try:
        lines = encode([reading])
    except LineProtocolError:
        return
    assert list(parse(lines)) == [reading]


@given(READINGS)
def test_the_fast_parser_agrees_with_the_careful_one(reading: Reading) -> None:
    line = encode([reading])[:-1]
    # A carriage return sends the line to the careful parser, which drops it.
    (careful,) = parse(line + b"\r\n")
    assert careful == reading


@pytest.mark.parametrize(
    ("line", "fields"),
    [
        ("m f=1", None),
        ("m f=1 7", {"f": 1.0}),
        ("m f=1. 7", {"f": 1.0}),
        ("m f=.5 7", {"f": 0.5}),
        ("m f=-1.5E-3 7", {"f": -0.0015}),
        ("m f=1e300 7", {"f": 1e300}),
        ("m f=5e-324 7", {"f": 5e-324}),
        ("m f=9223372036854775807i 7", {"f": 2**63 - 1}),
        ("m f=-9223372036854775808i 7", {"f": -(2**63)}),
        ("m f=5u 7", {"f": 5}),
        ("m a=t,b=T,c=true,d=True,e=TRUE 7", dict.fromkeys("abcde", True)),
        ("m a=f,b=F,c=false,d=False,e=FALSE 7", dict.fromkeys("abcde", False)),
        ('m f="" 7', {"f": ""}),
        ('m f="a\\"b\\\\c\\d" 7', {"f": 'a"b\\c\\d'}),
        ('m f="line\nbreak",g="x,y=z w" 7', {"f": "line\nbreak", "g": "x,y=z w"}),
        ("m f=1  7 ", {"f": 1.0}),
        ("m f=1 7\r", {"f": 1.0}),
    ],
)
def test_every_way_to_write_a_value(line: str, fields: dict[str, FieldValue] | None) -> None:
    (found,) = parse(line.encode() + b"\n")
    if fields is None:
        assert found == RejectedLine(line.encode(), "no timestamp")
    else:
        assert found == Reading("m", {}, fields, 7)


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("m", "expected a space before fields at character 2"),
        (",a=b f=1 7", "expected a measurement at character 1"),
        ("m,a= f=1 7", "expected a value of tag 'a' at character 5"),
        ("m,a f=1 7", "expected '=' after tag key 'a'"),
        ("m,a=1,a=2 f=1 7", "tag 'a' is given twice"),
        ("m f 7", "expected '=' after field key 'f'"),
        ("m f= 7", "expected a value of field 'f' at character 5"),
        ("m f=x 7", "field 'f': expected a number, a boolean or a quoted string, not 'x'"),
        ("m f=1e400 7", "field 'f': expected a number, a boolean or a quoted string, not '1e400'"),
        ("m f=NaN 7", "field 'f': expected a number, a boolean or a quoted string, not 'NaN'"),
        ("m f=9223372036854775808i 7", "field 'f': integer beyond 64 bits"),
        ("m f=9223372036854775808u 7", "field 'f': integer beyond 64 bits"),
        ('m f="x 7', "expected a closing quote in field 'f' at character 5"),
        ('m f="a""b" 7', "expected a space before a timestamp at character 8"),
        ("m f=1 x", "expected a timestamp in nanoseconds, not 'x'"),
        ("m f=1 9223372036854775807", "timestamp 9223372036854775807 is out of range"),
        ("m,time=x f=1 7", "the key 'time' is reserved"),
        ("m time=1 7", "the key 'time' is reserved"),
        ("m,a=b\tc f=1 7", "name 'b\\tc': control characters are not allowed"),
        (
            "m,a=b\\\\,c f=1 7",
            "name 'b\\\\,c': a backslash may not stand before any of [,= \"] or at the end",
        ),
        ('m f="\x00" 7', "NUL in field 'f'"),
    ],
)
def test_a_line_is_rejected_for_its_reason(line: str, reason: str) -> None:
    assert list(parse(line.encode() + b"\n")) == [RejectedLine(line.encode(), reason)]


def test_bytes_that_are_no_utf8_reject_their_line_alone() -> None:
    assert list(parse(b"m f=1 7\nm,a=\xff f=1 7\nm f=2 7")) == [
        Reading("m", {}, {"f": 1.0}, 7),
        RejectedLine(b"m,a=\xff f=1 7", "not UTF-8"),
        Reading("m", {}, {"f": 2.0}, 7),
    ]


def test_an_open_quote_swallows_nothing() -> None:
    found = list(parse(b'm f="open 7\nm f="shut" 7\nm f=2 8\n'))
    assert [type(item) for item in found] == [RejectedLine, Reading, Reading]


def test_blank_lines_and_comments_are_skipped() -> None:
    assert list(parse(b"\n  \n# a comment\nm f=1 7\n\n")) == [Reading("m", {}, {"f": 1.0}, 7)]


@pytest.mark.parametrize(
    "reading",
    [
        Reading("", {}, {"f": 1}, 0),
        Reading("#m", {}, {"f": 1}, 0),
        Reading("m", {"a": ""}, {"f": 1}, 0),
        Reading("m", {"a": "new\nline"}, {"f": 1}, 0),
        Reading("m", {"a": "ends\\"}, {"f": 1}, 0),
        Reading("m", {"a": "before\\ space"}, {"f": 1}, 0),
        Reading("m", {"time": "x"}, {"f": 1}, 0),
        Reading("m", {}, {}, 0),
        Reading("m", {}, {"f\\": 1}, 0),
        Reading("m", {}, {"f": math.nan}, 0),
        Reading("m", {}, {"f": math.inf}, 0),
        Reading("m", {}, {"f": 2**63}, 0),
        Reading("m", {}, {"f": "\0"}, 0),
        Reading("m", {}, {"f": "\ud800"}, 0),
        Reading("m", {}, {"f": 1}, MAX_TIME + 1),
        Reading("m", {}, {"f": 1}, MIN_TIME - 1),
    ],
)
def test_what_no_line_can_hold_is_refused(reading: Reading) -> None:
    with pytest.raises(LineProtocolError):
        encode([reading])


def test_an_encoded_line_looks_as_others_write_it() -> None:
    reading = Reading(
        "my room",
        {"school": "oak, hill", "device": "ap=1"},
        {"rssi": -67.5, "channel": 36, "up": True, "ssid": 'say "hi"\\'},
        1_700_000_000_000_000_001,
    )
    line = encode([reading])
    assert line == (
        rb"my\ room,device=ap\=1,school=oak\,\ hill "
        rb'rssi=-67.5,channel=36i,up=true,ssid="say \"hi\"\\" 1700000000000000001' + b"\n"
    )
    assert parse_line(line.decode().rstrip("\n"))["fields"] == reading.fields
