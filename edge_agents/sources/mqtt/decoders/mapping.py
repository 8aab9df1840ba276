"""Any JSON: a mapping of `mappings.yaml` says which fields are where.

For devices that belong to no ecosystem. Paths are JSONPath (RFC 9535).
Topics: whatever the device's entry says, with wildcards if need be.
"""

from __future__ import annotations

import datetime as dt
import json
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any
from zoneinfo import ZoneInfo

import jsonpath

from campuswatch import units
from campuswatch.inventory import models
from campuswatch.measurements import CATALOGUE, CatalogueError, Field
from campuswatch.readings import FieldValue, Reading
from edge_agents.sources.mqtt.decoded import Decoded, Site, Topic
from edge_agents.sources.mqtt.decoders.base import Decoder
from edge_agents.sources.mqtt.findings import (
    OLDEST,
    fit_for_tag,
    nanoseconds,
    plausible,
    signal_reading,
)
from edge_agents.sources.mqtt.messages import TOO_DEEP, Message, PayloadError
from edge_agents.sources.mqtt.quantities import SIGNAL

_ROOT = "$"

Value = str | float | int | bool


class MappingDecoder(Decoder):
    """Reads one kind of message of one device.

    Args:
        device: whose messages these are.
        address: its topic's wildcards fill {1}, {2}, ... of the mapping's tags.
        site: zone of times that name none, and the access points.
        mapping: checked against the catalogue.

    Raises:
        units.UnitError: a unit does not convert to its field's.
    """

    def __init__(
        self,
        device: models.Device,
        address: models.MqttAddress,
        site: Site,
        mapping: models.Mapping,
    ) -> None:
        super().__init__(device, address, site)
        self._measurement = CATALOGUE[mapping.measurement]
        self._fields = {
            name: _FieldReader(self._measurement.fields[name], field)
            for name, field in mapping.fields.items()
        }
        self._tags = {"device": device.id, "room": device.room or "", **mapping.tags}
        self._tag_paths = {
            key: _compile(value) for key, value in self._tags.items() if value.startswith(_ROOT)
        }
        self._wildcards = [i for i, level in enumerate(address.topic.split("/")) if level == "+"]
        self._time = None if mapping.time is None else _compile(mapping.time)

    @property
    def topics(self) -> Sequence[Topic]:
        return [Topic(self.address.topic)]

    def decode(self, message: Message) -> Decoded:
        """Read a payload; one without any of the mapping's fields is not known."""
        document = message.document
        fields: dict[str, FieldValue | None] = {}
        problems: list[str] = []
        try:
            for name, reader in self._fields.items():
                try:
                    fields[name] = reader.read(document)
                except PayloadError as error:
                    problems.append(f"{name}: {error}")
            if all(value is None for value in fields.values()):
                return Decoded(problems=tuple(problems), known=False)
            reading = self._reading(message, document, fields)
        except RecursionError:
            return Decoded(problems=(TOO_DEEP,))
        except (PayloadError, CatalogueError) as error:
            return Decoded(problems=(*problems, str(error)))
        return Decoded((reading,), tuple(problems), alive=True)

    def _reading(
        self, message: Message, document: object, fields: Mapping[str, FieldValue | None]
    ) -> Reading:
        tags = self._tag_values(message.topic, document)
        time = self._time_of(document, message.received)
        if self._measurement.name == SIGNAL:
            return signal_reading(self.device, self.site, tags, fields, time)
        return self._measurement.reading(tags, fields, time)

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
            values[key] = fit_for_tag(value)
        return values

    def _time_of(self, document: object, received: int) -> int:
        value = None if self._time is None else self._time(document)
        if value is None:
            return received
        time = _moment(value, self.site.zone)
        if not plausible(time, received):
            raise PayloadError(
                f"time {time.isoformat()}: expected one of the last {OLDEST.days} days;"
                " is the device's clock right?"
            )
        return nanoseconds(time)


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
