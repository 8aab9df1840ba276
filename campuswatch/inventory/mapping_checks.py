"""Whether mappings fit the catalogue, and the devices that use them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

import jsonpath

from campuswatch.inventory.models import Device, MappedField, Mapping, MqttAddress, School
from campuswatch.inventory.parts import Parts
from campuswatch.inventory.places import Places
from campuswatch.inventory.problems import Problem
from campuswatch.inventory.wording import unknown
from campuswatch.measurements import CATALOGUE, Measurement
from campuswatch.units import UnitError, conversion

_PLACEHOLDER: Final = re.compile(r"\{(\d+)\}")
_DEVICE_TAGS: Final = ("device", "room")
"""Tags that the device's own entry gives, so that no mapping need name them."""


def errors(parts: Parts, places: Places) -> Iterator[Problem]:
    """Yield what no reading could be made of."""
    for mapping in parts.mappings or []:
        yield from _paths(places, mapping)
        yield from _tag_paths(places, mapping)
        if mapping.measurement not in CATALOGUE:
            text = unknown("measurement", mapping.measurement, list(CATALOGUE), "the catalogue")
            yield places.problem(mapping, ["measurement"], text)
            continue
        yield from _catalogue_names(places, mapping, CATALOGUE[mapping.measurement])
    for school in parts.schools:
        yield from _brokers(places, school)
        yield from _uses(parts, places, school)


def _paths(places: Places, mapping: Mapping) -> Iterator[Problem]:
    for name, field in mapping.fields.items():
        if not _is_path(field.path):
            text = f'{field.path!r} is no JSONPath; expected one such as "$.temperature"'
            yield places.problem(mapping, ["fields", name, "path"], text)
    if mapping.time is not None and not _is_path(mapping.time):
        text = f'{mapping.time!r} is no JSONPath; expected one such as "$.time"'
        yield places.problem(mapping, ["time"], text)


def _tag_paths(places: Places, mapping: Mapping) -> Iterator[Problem]:
    for name, value in mapping.tags.items():
        if value.startswith("$") and not _is_path(value):
            text = f'{value!r} is no JSONPath; expected one such as "$.Wifi.BSSId", or text'
            yield places.problem(mapping, ["tags", name], text)


def _is_path(path: str) -> bool:
    try:
        jsonpath.compile(path, strict=True)
    except jsonpath.JSONPathError:
        return False
    return True


def _catalogue_names(
    places: Places, mapping: Mapping, measurement: Measurement
) -> Iterator[Problem]:
    place = f"measurement {measurement.name!r}"
    for name, mapped in mapping.fields.items():
        field = measurement.fields.get(name)
        if field is None:
            text = unknown("field", name, list(measurement.fields), place)
            yield places.problem(mapping, ["fields", name], text)
        elif mapped.unit is not None:
            yield from _unit(places, mapped, mapped.unit, field.unit)
    for name in mapping.tags:
        if name not in measurement.tags:
            text = unknown("tag", name, list(measurement.tags), place)
            yield places.problem(mapping, ["tags", name], text)
    for name in measurement.tags[: measurement.required]:
        if name not in mapping.tags and name not in _DEVICE_TAGS:
            text = f"tag {name!r} is missing; expected it, because {place} requires it"
            yield places.problem(mapping, ["tags"], text)


def _unit(places: Places, mapped: MappedField, unit: str, to: str) -> Iterator[Problem]:
    try:
        conversion(unit, to)
    except UnitError as error:
        yield places.problem(mapped, ["unit"], str(error))


def _brokers(places: Places, school: School) -> Iterator[Problem]:
    listening = {agent.id for agent in school.agents if agent.broker is not None}
    known = {agent.id for agent in school.agents}
    for device in school.devices:
        agent = school.agent_of(device)
        if device.mqtt and agent in known - listening:
            text = f"agent {agent!r} listens to no broker; expected a broker in its entry"
            yield places.problem(device, ["mqtt"], text)


def _uses(parts: Parts, places: Places, school: School) -> Iterator[Problem]:
    if parts.mappings is None:
        return
    mappings = {mapping.id: mapping for mapping in parts.mappings}
    for device in school.devices:
        for mqtt in device.mqtt:
            if mqtt.mapping is None:
                continue
            mapping = mappings.get(mqtt.mapping)
            if mapping is None:
                text = unknown("mapping", mqtt.mapping, list(mappings), "mappings.yaml")
                yield places.problem(mqtt, ["mapping"], text)
            else:
                yield from _placeholders(places, device, mqtt, mapping)


def _placeholders(
    places: Places, device: Device, mqtt: MqttAddress, mapping: Mapping
) -> Iterator[Problem]:
    wildcards = mqtt.topic.split("/").count("+")
    numbers = [int(n) for value in mapping.tags.values() for n in _PLACEHOLDER.findall(value)]
    if any(number < 1 or number > wildcards for number in numbers):
        text = (
            f"mapping {mapping.id!r} uses {{{max(numbers)}}}, and the topic of {device.id!r} has "
            f"{wildcards} levels +; expected at least {max(numbers)}"
        )
        yield places.problem(mqtt, ["topic"], text)
