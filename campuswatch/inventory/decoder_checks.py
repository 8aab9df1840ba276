"""Whether the decoders that devices name exist, and what is said of their payloads."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.metadata import entry_points
from typing import Final

from campuswatch.inventory.models import MqttAddress, NamedField
from campuswatch.inventory.parts import Parts
from campuswatch.inventory.places import Places
from campuswatch.inventory.problems import Problem
from campuswatch.inventory.wording import unknown
from campuswatch.measurements import CATALOGUE
from campuswatch.units import UnitError, conversion

DECODERS: Final = "campuswatch.mqtt_decoders"
"""Group of entry points under which decoders of MQTT payloads are announced."""

AUTO: Final = "auto"
"""Stands for the decoder that recognises the device's messages."""


def errors(parts: Parts, places: Places) -> Iterator[Problem]:
    """Yield what no reading could be made of."""
    known = sorted({point.name for point in entry_points(group=DECODERS)} | {AUTO})
    for school in parts.schools:
        for device in school.devices:
            for entry in device.mqtt:
                yield from _decoder(places, entry, known)
                yield from _fields(places, entry)


def _decoder(places: Places, entry: MqttAddress, known: list[str]) -> Iterator[Problem]:
    if entry.decoder is not None and entry.decoder not in known:
        text = unknown("decoder", entry.decoder, known, "this installation")
        yield places.problem(entry, ["decoder"], text)


def _fields(places: Places, entry: MqttAddress) -> Iterator[Problem]:
    for name, named in entry.fields.items():
        if (text := fault(named)) is not None:
            yield places.problem(entry, ["fields", name], text)


def fault(named: NamedField) -> str | None:
    """Return why no number can be read into a field of the catalogue, if so."""
    measurement, _, name = named.field.partition(".")
    if measurement not in CATALOGUE:
        return unknown("measurement", measurement, list(CATALOGUE), "the catalogue")
    field = CATALOGUE[measurement].fields.get(name)
    if field is None:
        known = list(CATALOGUE[measurement].fields)
        return unknown("field", name, known, f"measurement {measurement!r}")
    if field.type is str:
        return f"field {name!r} is text; expected one that is a number"
    try:
        conversion(named.unit or field.unit, field.unit)
    except UnitError as error:
        return str(error)
    return None
