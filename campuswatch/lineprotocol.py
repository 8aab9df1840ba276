r"""InfluxDB line protocol, both ways and exactly: what is written is read back.

The few names and tags that no line can represent, or that servers read
differently, are refused on both sides; sources clean what they take from
devices. See
https://docs.influxdata.com/influxdb/v2/reference/syntax/line-protocol/.

* Names (measurement, tag key, field key) and tag values are not empty, hold no
  ASCII control character, and have no backslash before a comma, an equals
  sign, a space, a double quote or their end: there a backslash can't be told
  from an escape.
* No tag or field is called `time`, `_field` or `_measurement`, and no
  measurement begins with `#`, which would make the line a comment.
* Strings hold anything but NUL, line breaks included.
* Integers are signed 64-bit; floats are finite.
* Times are those that InfluxDB stores, two short of 64 bits on either side.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from line_protocol_parser import LineFormatError, parse_line

from campuswatch.readings import FieldValue, Reading

MIN_TIME: Final = -(2**63) + 2
MAX_TIME: Final = 2**63 - 2
"""First and last nanosecond that InfluxDB stores (models.MinNanoTime, MaxNanoTime)."""

RESERVED_KEYS: Final = frozenset({"time", "_field", "_measurement"})
"""Tag and field keys that InfluxDB keeps for itself."""

FIELD_TYPES: Final[Mapping[type[FieldValue], str]] = {
    float: "float",
    int: "integer",
    bool: "boolean",
    str: "string",
}
"""What InfluxDB calls the types of fields."""

_MIN_INT: Final = -(2**63)
_MAX_INT: Final = 2**63 - 1


class LineProtocolError(ValueError):
    """A reading can't be written as a line, or a line can't be read."""


@dataclass(frozen=True, slots=True)
class RejectedLine:
    """A line that can never be stored.

    Attributes:
        line: the line as it was written, without its newline.
        reason: why, in words an operator understands.
    """

    line: bytes
    reason: str


def encode(readings: Iterable[Reading]) -> bytes:
    """Write readings as lines, each ended by a newline; tags sorted, times in nanoseconds.

    Raises:
        LineProtocolError: a reading that no line can represent exactly.
    """
    try:
        return "".join(map(_line, readings)).encode()
    except UnicodeEncodeError as error:
        raise LineProtocolError(f"{error.object!r}: expected text that UTF-8 can hold") from None


def parse(lines: bytes) -> Iterator[Reading | RejectedLine]:
    """Read lines; blank lines and comments are skipped.

    A line that is broken takes no other line with it. A line without a time is
    refused: its identity would change each time it is delivered.

    Args:
        lines: line protocol with times in nanoseconds; an integer marked `u`
            is read as an integer.
    """
    for _, found in scan(lines):
        yield found


def scan(lines: bytes) -> Iterator[tuple[str, Reading | RejectedLine]]:
    """Read lines like `parse`, each beside its own text."""
    # Bytes that are no UTF-8 become lone surrogates, for which one line is refused.
    text = lines.decode("utf-8", "surrogateescape")
    read = _read_any if _UNUSUAL.search(text) else _read_usual
    position = 0
    while position < len(text):
        line = _line_at(text, position)
        found = read(line)
        if isinstance(found, RejectedLine) and "\n" in line:
            # A quote that was never closed has swallowed the lines that follow.
            line = line.partition("\n")[0]
            found = RejectedLine(_raw(line), found.reason)
        position += len(line) + 1
        if found is not None:
            yield line, found


def split(lines: bytes) -> Iterator[bytes]:
    """Cut lines apart without reading them; newlines inside strings do not cut."""
    text = lines.decode("utf-8", "surrogateescape")
    position = 0
    while position < len(text):
        line = _line_at(text, position)
        position += len(line) + 1
        if line:
            yield _raw(line)


# Writing ---------------------------------------------------------------------

_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_AMBIGUOUS_BACKSLASH = re.compile(r'\\(?=[,= "]|\Z)')


def _line(reading: Reading) -> str:
    if not reading.fields:
        raise LineProtocolError(f"{reading.measurement}: a reading needs at least one field")
    if not MIN_TIME <= reading.time <= MAX_TIME:
        raise LineProtocolError(f"{reading.measurement}: time {reading.time} is out of range")
    tags = "".join(
        [f",{_key(key)}={_tag_value(value)}" for key, value in sorted(reading.tags.items())]
    )
    # Most values are floats, and a finite one is written as Python writes it.
    fields = ",".join(
        [
            f"{_key(key)}={value!r}"
            if type(value) is float and math.isfinite(value)
            else f"{_key(key)}={_value(value)}"
            for key, value in reading.fields.items()
        ]
    )
    return f"{_measurement(reading.measurement)}{tags} {fields} {reading.time}\n"


@lru_cache(maxsize=1 << 12)
def _measurement(name: str) -> str:
    _check_name("measurement", name)
    if name.startswith("#"):
        raise LineProtocolError(f"measurement {name!r}: may not begin with #")
    return name.replace(",", r"\,").replace(" ", r"\ ")


@lru_cache(maxsize=1 << 14)
def _key(key: str) -> str:
    _check_name("key", key)
    if key in RESERVED_KEYS:
        raise LineProtocolError(f"key {key!r}: the name is reserved")
    return _escape(key)


@lru_cache(maxsize=1 << 16)
def _tag_value(value: str) -> str:
    _check_name("tag value", value)
    return _escape(value)


def _escape(text: str) -> str:
    return text.replace(",", r"\,").replace("=", r"\=").replace(" ", r"\ ")


def _check_name(what: str, text: str) -> None:
    if not text:
        raise LineProtocolError(f"{what}: may not be empty")
    if _CONTROL.search(text):
        raise LineProtocolError(f"{what} {text!r}: control characters are not allowed")
    if _AMBIGUOUS_BACKSLASH.search(text):
        raise LineProtocolError(
            f'{what} {text!r}: a backslash may not stand before any of [,= "] or at the end'
        )


def _value(value: FieldValue) -> str:
    if isinstance(value, float):
        if not math.isfinite(value):
            raise LineProtocolError(f"float {value}: expected a finite number")
        return float.__repr__(value)
    if isinstance(value, str):
        if "\0" in value:
            raise LineProtocolError(f"string {value!r}: NUL is not allowed")
        escaped = value.replace("\\", r"\\").replace('"', r"\"")
        return f'"{escaped}"'
    if isinstance(value, bool):
        return "true" if value else "false"
    if not _MIN_INT <= value <= _MAX_INT:
        raise LineProtocolError(f"integer {value}: expected one of 64 bits")
    return f"{int(value)}i"


# Cutting lines apart ---------------------------------------------------------

_SERIES = r"(?:\\[\s\S]|[^\\ \n])+"
_STRING = r'"(?:\\[\s\S]|[^\\"])*"'
_FIELD = rf'(?:\\[\s\S]|[^\\= \n])+=(?:{_STRING}|[^"\n, ]*)'
_WITH_STRINGS = re.compile(rf"{_SERIES} +{_FIELD}(?:,{_FIELD})*[^\n]*")


def _line_at(text: str, position: int) -> str:
    """Return the line that begins at `position`; a string in it may hold newlines."""
    end = text.find("\n", position)
    line = text[position:] if end < 0 else text[position:end]
    if '"' in line and (whole := _WITH_STRINGS.match(text, position)):
        return whole[0]
    return line


# Reading ---------------------------------------------------------------------

_UNUSUAL = re.compile(r'[\x00-\x09\x0b-\x1f\x7f\udc80-\udcff]|""|\\["\\]')
"""What the fast parser takes otherwise than InfluxDB does, or not at all."""


def _raw(line: str) -> bytes:
    return line.encode("utf-8", "surrogateescape")


def _read_any(line: str) -> Reading | RejectedLine | None:
    return _read_carefully(line) if _UNUSUAL.search(line) else _read_usual(line)


def _read_usual(line: str) -> Reading | RejectedLine | None:
    try:
        point = parse_line(line)
    except LineFormatError:
        # It does not say why, and refuses some floats that are right.
        return _read_carefully(line)
    if point is None:
        return None
    return _checked(line, point["measurement"], point["tags"], point["fields"], point["time"])


def _checked(
    line: str,
    measurement: str,
    tags: Mapping[str, str],
    fields: Mapping[str, FieldValue],
    time: int | None,
) -> Reading | RejectedLine:
    """Apply the rules that hold between the parts of a line."""
    if time is None:
        return RejectedLine(_raw(line), "no timestamp")
    if not MIN_TIME <= time <= MAX_TIME:
        return RejectedLine(_raw(line), f"timestamp {time} is out of range")
    if not (RESERVED_KEYS.isdisjoint(tags) and RESERVED_KEYS.isdisjoint(fields)):
        key = min(RESERVED_KEYS.intersection((*tags, *fields)))
        return RejectedLine(_raw(line), f"the key {key!r} is reserved")
    for key, value in fields.items():
        if type(value) is int and value > _MAX_INT:
            return RejectedLine(_raw(line), f"field {key!r}: integer beyond 64 bits")
    return Reading(measurement, tags, fields, time)


_MEASUREMENT_AT = re.compile(r"(?:\\[, ]|[^, ])+")
_NAME_AT = re.compile(r"(?:\\[,= ]|[^,= ])+")
_STRING_AT = re.compile(_STRING)
_PLAIN_AT = re.compile(r'[^", ]+')
_INTEGER = re.compile(r"(-?[0-9]+)i|([0-9]+)u")
_FLOAT = re.compile(r"-?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")
_TIME = re.compile(r"-?[0-9]+")
_BOOLEANS: Final[Mapping[str, bool]] = {
    **dict.fromkeys(("t", "T", "true", "True", "TRUE"), True),
    **dict.fromkeys(("f", "F", "false", "False", "FALSE"), False),
}


def _read_carefully(line: str) -> Reading | RejectedLine | None:
    """Read a line the slow way, which takes every legal one and names what is wrong."""
    line = line.removesuffix("\r")
    text = line.strip(" ")
    if not text or text.startswith("#"):
        return None
    try:
        text.encode()
    except UnicodeEncodeError:
        return RejectedLine(_raw(line), "not UTF-8")
    try:
        return _checked(line, *_Cursor(text).point())
    except LineProtocolError as error:
        return RejectedLine(_raw(line), str(error))


class _Cursor:
    """Reads one line from left to right."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._position = 0

    def point(self) -> tuple[str, dict[str, str], dict[str, FieldValue], int | None]:
        measurement = self._take(_MEASUREMENT_AT, "a measurement")
        tags: dict[str, str] = {}
        while self._accept(","):
            key, value = self._tag()
            if key in tags:
                raise LineProtocolError(f"tag {key!r} is given twice")
            tags[key] = value
        self._spaces("fields")
        fields: dict[str, FieldValue] = {}
        while True:
            key = _unescape(self._take(_NAME_AT, "a field key"))
            self._expect("=", f"after field key {key!r}")
            fields[key] = self._field_value(key)
            if not self._accept(","):
                break
        time = self._time()
        measurement = re.sub(r"\\([, ])", r"\1", measurement)
        for name in (measurement, *tags, *tags.values(), *fields):
            _check_name("name", name)
        return measurement, tags, fields, time

    def _tag(self) -> tuple[str, str]:
        key = _unescape(self._take(_NAME_AT, "a tag key"))
        self._expect("=", f"after tag key {key!r}")
        value = _unescape(self._take(_NAME_AT, f"a value of tag {key!r}"))
        return key, value

    def _field_value(self, key: str) -> FieldValue:
        what = f"a value of field {key!r}"
        if self._text.startswith('"', self._position):
            string = self._take(_STRING_AT, f"a closing quote in field {key!r}")
            if "\0" in string:
                raise LineProtocolError(f"NUL in field {key!r}")
            return re.sub(r'\\(["\\])', r"\1", string[1:-1])
        word = self._take(_PLAIN_AT, what)
        if word in _BOOLEANS:
            return _BOOLEANS[word]
        if match := _INTEGER.fullmatch(word):
            number = int(match[1] or match[2])
            if not _MIN_INT <= number <= _MAX_INT:
                raise LineProtocolError(f"field {key!r}: integer beyond 64 bits")
            return number
        if _FLOAT.fullmatch(word) and math.isfinite(float(word)):
            return float(word)
        raise LineProtocolError(
            f"field {key!r}: expected a number, a boolean or a quoted string, not {word!r}"
        )

    def _time(self) -> int | None:
        if self._position == len(self._text):
            return None
        self._spaces("a timestamp")
        word = self._text[self._position :]
        if not _TIME.fullmatch(word):
            raise LineProtocolError(f"expected a timestamp in nanoseconds, not {word!r}")
        return int(word)

    def _take(self, pattern: re.Pattern[str], what: str) -> str:
        match = pattern.match(self._text, self._position)
        if match is None:
            raise LineProtocolError(f"expected {what} at character {self._position + 1}")
        self._position = match.end()
        return match[0]

    def _accept(self, character: str) -> bool:
        found = self._text.startswith(character, self._position)
        self._position += found
        return found

    def _expect(self, character: str, where: str) -> None:
        if not self._accept(character):
            raise LineProtocolError(f"expected {character!r} {where}")

    def _spaces(self, before: str) -> None:
        start = self._position
        while self._accept(" "):
            pass
        if self._position == start:
            raise LineProtocolError(f"expected a space before {before} at character {start + 1}")


def _unescape(text: str) -> str:
    return re.sub(r"\\([,= ])", r"\1", text)
