"""From a payload to a reading, as a mapping of `mappings.yaml` says."""

from __future__ import annotations

import datetime as dt
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, NoReturn
from zoneinfo import ZoneInfo

import jsonpath

from campuswatch import units
from campuswatch.inventory import models
from campuswatch.measurements import CATALOGUE, CatalogueError, Field
from campuswatch.readings import FieldValue, Reading

MAX_PAYLOAD: Final = 256 * 1024
"""Largest payload that is read, bytes."""

OLDEST: Final = dt.timedelta(days=7)
NEWEST: Final = dt.timedelta(hours=1)
"""How far a payload's own time may lie in the past and in the future."""

_ROOT = "$"
_TOO_DEEP = "nested too deep"
_MAC = re.compile(r"(?:[0-9a-f]{2}[:-]?){5}[0-9a-f]{2}|(?:[0-9a-f]{4}\.){2}[0-9a-f]{4}")
_UNFIT_FOR_TAGS = re.compile(r"[\x00-\x1f\x7f\\]")

Value = str | float | int | bool


class PayloadError(ValueError):
    """A payload can't be read; the message says why."""


def parse(payload: bytes) -> object:
    """Return a payload's JSON value; text that is no JSON is returned as it is.

    Raises:
        PayloadError: it is too large, too deep, empty or no UTF-8 text.
    """
    if len(payload) > MAX_PAYLOAD:
        raise PayloadError(f"{len(payload)} bytes: expected at most {MAX_PAYLOAD}")
    try:
        text = payload.decode().strip()
    except UnicodeDecodeError:
        raise PayloadError("not UTF-8 text") from None
    if not text:
        raise PayloadError("empty")
    try:
        return json.loads(text, parse_constant=_refuse_constant)
    except RecursionError:
        raise PayloadError(_TOO_DEEP) from None
    except ValueError as error:
        if text[0] in "{[":
            raise PayloadError(f"not JSON: {error}") from None
        return text


def _refuse_constant(name: str) -> NoReturn:
    raise PayloadError(f"{name} is not JSON (RFC 8259, section 6)")


@dataclass(frozen=True, slots=True)
class Decoded:
    """What a mapping made of a payload.

    Attributes:
        reading: what could be read, or None.
        problems: what could not be, in words; a payload that simply lacks
            some of the fields has none.
    """

    reading: Reading | None
    problems: tuple[str, ...] = ()


class Decoder:
    """Reads one kind of message of one device.

    Args:
        mapping: checked against the catalogue.
        device: whose messages these are.
        topic_filter: its wildcards fill {1}, {2}, ... of the mapping's tags.
        zone: the zone of times that name none.

    Raises:
        units.UnitError: a unit does not convert to its field's.
    """

    def __init__(
        self, mapping: models.Mapping, device: models.Device, topic_filter: str, zone: ZoneInfo
    ) -> None:
        self.device = device.id
        self._measurement = CATALOGUE[mapping.measurement]
        self._fields = {
            name: _FieldReader(self._measurement.fields[name], field)
            for name, field in mapping.fields.items()
        }
        self._tags = {"device": device.id, "room": device.room or "", **mapping.tags}
        self._tag_paths = {
            key: _compile(value) for key, value in self._tags.items() if value.startswith(_ROOT)
        }
        self._wildcards = [i for i, level in enumerate(topic_filter.split("/")) if level == "+"]
        self._time = None if mapping.time is None else _compile(mapping.time)
        self._zone = zone

    def decode(self, topic: str, document: object, received: int) -> Decoded:
        """Read a payload.

        Args:
            topic: where it was published.
            document: what `parse` returned.
            received: nanoseconds UTC, for payloads without a time of their own.
        """
        fields: dict[str, FieldValue | None] = {}
        problems: list[str] = []
        try:
            for name, reader in self._fields.items():
                try:
                    fields[name] = reader.read(document)
                except PayloadError as error:
                    problems.append(f"{name}: {error}")
            if all(value is None for value in fields.values()):
                return Decoded(None, tuple(problems))
            tags = self._tag_values(topic, document)
            time = self._time_of(document, received)
            reading = self._measurement.reading(tags, fields, time)
        except RecursionError:
            return Decoded(None, (_TOO_DEEP,))
        except (PayloadError, CatalogueError) as error:
            return Decoded(None, (*problems, str(error)))
        return Decoded(reading, tuple(problems))

    def _tag_values(self, topic: str, document: object) -> Mapping[str, str]:
        levels = topic.split("/")
        matched = [levels[i] for i in self._wildcards]
        values: dict[str, str] = {}
        for key, template in self._tags.items():
            if key in self._tag_paths:
                found = self._tag_paths[key](document)
                value = "" if found is None else str(found)
            else:
                value = re.sub(r"\{(\d+)\}", lambda m: matched[int(m[1]) - 1], template)
            values[key] = normalise_bssid(value) if key == "bssid" else _fit_for_tag(value)
        return values

    def _time_of(self, document: object, received: int) -> int:
        value = None if self._time is None else self._time(document)
        if value is None:
            return received
        time = _moment(value, self._zone)
        now = dt.datetime.fromtimestamp(received / 1e9, dt.UTC)
        if not now - OLDEST <= time <= now + NEWEST:
            raise PayloadError(
                f"time {time.isoformat()}: expected one of the last {OLDEST.days} days;"
                " is the device's clock right?"
            )
        return round(time.timestamp() * 1_000_000) * 1000


class _FieldReader:
    """Reads one field."""

    def __init__(self, field: Field, mapped: models.MappedField) -> None:
        self._field = field
        self._find = _compile(mapped.path)
        self._words = mapped.values
        self._convert = units.conversion(mapped.unit or field.unit, field.unit)

    def read(self, document: object) -> FieldValue | None:
        """Return the field's value, or None if the payload does not have it."""
        value = self._find(document)
        if value is None:
            return None
        try:
            return self._field.settle(self._settled(value))
        except (CatalogueError, OverflowError) as error:
            raise PayloadError(str(error)) from None

    def _settled(self, value: Value) -> FieldValue:
        if self._words is not None:
            number = self._number_of_word(value)
        elif self._field.type is str:
            return value if isinstance(value, str) else str(value)
        else:
            number = _number(value)
        if self._convert is not units.IDENTITY:
            number = self._convert(number)
            if self._field.type is int:
                return round(number)
        return bool(number) if self._field.type is bool and number in (0, 1) else number

    def _number_of_word(self, value: Value) -> float:
        assert self._words is not None
        word = json.dumps(value) if isinstance(value, bool) else str(value)
        try:
            return self._words[word]
        except KeyError:
            raise PayloadError(f"{word[:40]!r}: expected one of {', '.join(self._words)}") from None


def _number(value: Value) -> float:
    """Return a number, also one that is written as text ("-62")."""
    if isinstance(value, str):
        try:
            return float(value)
        except ValueError:
            raise PayloadError(f"{value[:40]!r}: expected a number") from None
    return value


def _compile(path: str) -> Callable[[object], Value | None]:
    """Return a function that takes the first value at a JSONPath; None if it has none.

    What it takes is text, a number, true or false.
    """
    if path == _ROOT:
        return _scalar
    compiled = jsonpath.compile(path, strict=True)

    def find(document: object) -> Value | None:
        # The library would take a string for JSON text.
        if not isinstance(document, dict | list):
            return None
        match = compiled.match(document)
        return None if match is None else _scalar(match.value)

    return find


def _scalar(value: Any) -> Value | None:
    if value is None or isinstance(value, str | int | float):
        return value
    raise PayloadError("expected one value, not an object or a list")


def _moment(value: Value, zone: ZoneInfo) -> dt.datetime:
    """Return a payload's time: RFC 3339, in `zone` if it names none, or Unix seconds."""
    try:
        if isinstance(value, str):
            time = dt.datetime.fromisoformat(value)
            return time if time.tzinfo is not None else time.replace(tzinfo=zone)
        return dt.datetime.fromtimestamp(value, dt.UTC)
    except (ValueError, OverflowError, OSError):
        raise PayloadError(f"time {value!r}: expected RFC 3339 or Unix seconds") from None


def normalise_bssid(text: str) -> str:
    """Return a BSSID as lower-case octets with colons; "" stays "".

    Raises:
        PayloadError: it is none.
    """
    if not text:
        return ""
    if not _MAC.fullmatch(text.strip().lower()):
        raise PayloadError(f"{text[:40]!r}: expected a BSSID such as 00:11:22:33:44:55")
    digits = re.sub("[^0-9a-f]", "", text.lower())
    return ":".join(digits[i : i + 2] for i in range(0, 12, 2))


def _fit_for_tag(text: str) -> str:
    return _UNFIT_FOR_TAGS.sub("", text).strip()[:200]
