"""What a simulated device publishes: its ecosystem's messages, or its mappings read backwards."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any, Final

from campuswatch.inventory.models import Device, MappedField, Mapping
from campuswatch.measurements import CATALOGUE
from campuswatch.units import conversion
from simulator.ecosystems import Ecosystems
from simulator.rooms import Rooms, Values

_NAME: Final = re.compile(r"\.([A-Za-z_][A-Za-z0-9_]*)|\['([^']+)'\]")


class Payloads:
    """Makes the messages that the inventory says a device sends."""

    def __init__(self, mappings: list[Mapping], rooms: Rooms) -> None:
        self._mappings = {mapping.id: mapping for mapping in mappings}
        self._rooms = rooms
        self._ecosystems = Ecosystems(rooms)

    def messages(self, device: Device, now: float) -> Iterator[tuple[str, bytes]]:
        """Yield topic and payload of each message that a device sends at a time."""
        documents: dict[str, dict[str, Any]] = {}
        for entry in device.mqtt:
            if entry.mapping is None:
                yield from self._ecosystems.messages(device, entry, now)
                continue
            mapping = self._mappings[entry.mapping]
            choices = self._rooms.values(device, mapping.measurement, now)
            for values in choices if "+" in entry.topic else choices[:1]:
                topic = _concrete(entry.topic, mapping, values)
                _fill(documents.setdefault(topic, {}), mapping, values, now)
        for topic, document in documents.items():
            yield topic, json.dumps(document).encode()


def _concrete(topic_filter: str, mapping: Mapping, values: Values) -> str:
    """Return a topic that the filter matches, with the tags that it carries."""
    carried = {template: tag for tag, template in mapping.tags.items()}
    levels: list[str] = []
    wildcards = 0
    for level in topic_filter.removesuffix("/#").split("/"):
        if level == "+":
            wildcards += 1
            tag = carried.get(f"{{{wildcards}}}", "")
            levels.append(str(values.get(tag, "0")))
        else:
            levels.append(level)
    return "/".join(levels)


def _fill(document: dict[str, Any], mapping: Mapping, values: Values, now: float) -> None:
    for name, field in mapping.fields.items():
        if name in values:
            unit = CATALOGUE[mapping.measurement].fields[name].unit
            _place(document, field.path, _published(field, unit, values[name]))
    for tag, template in mapping.tags.items():
        if template.startswith("$") and tag in values:
            _place(document, template, values[tag])
    if mapping.time is not None:
        _place(document, mapping.time, int(now))


def _published(field: MappedField, unit: str, value: float | str) -> float | str | bool:
    """Return a value in the catalogue's unit as the device puts it."""
    if isinstance(value, str):
        return value
    if field.values is not None:
        word = next(word for word, number in field.values.items() if number == value)
        return {"true": True, "false": False}.get(word, word)
    if field.unit is None:
        return value if isinstance(value, int) else round(value, 3)
    convert = conversion(field.unit, unit)
    return round((value - convert.offset) / convert.factor, 3)


def _place(document: dict[str, Any], path: str, value: float | str | bool) -> None:
    """Put a value where a JSONPath made of names alone points to."""
    names = [dotted or quoted for dotted, quoted in _NAME.findall(path)]
    for name in names[:-1]:
        document = document.setdefault(name, {})
    document[names[-1]] = value
