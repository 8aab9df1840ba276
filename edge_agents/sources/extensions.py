"""Sources that other packages bring along; docs/adding-a-source.md shows one."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any, Final

from pydantic import ValidationError

from campuswatch.errors import UserError
from campuswatch.inventory.documents import Document, Location
from campuswatch.inventory.extensions import check_devices
from campuswatch.inventory.models import Device, DeviceSource, Inventory
from campuswatch.inventory.phrasing import validate_document
from campuswatch.inventory.problems import InventoryError, Problem
from campuswatch.inventory.wording import unknown
from edge_agents.sources.base import PolledSource, SourceKind, StreamSource

SOURCES: Final = "campuswatch.sources"
"""Group of entry points under which packages announce a `SourceKind`."""


def open_source(device: Device, source: DeviceSource) -> PolledSource | StreamSource:
    """Return the source of a device whose options `check_sources` has found right.

    Raises:
        UserError: there is no such kind, its options are wrong, or it can't be opened.
    """
    kind = _load(source.kind)
    try:
        options = kind.options.model_validate(source.options)
    except ValidationError as error:
        raise UserError(f"device {device.id}: source {source.kind}: {error}") from None
    try:
        return kind.open(device, options)
    except UserError as error:
        raise UserError(f"device {device.id}: {error}") from None


def check_sources(directory: Path, inventory: Inventory) -> None:
    """Check that the sources which devices name are installed, and their options.

    Raises:
        InventoryError: with everything that is wrong, by file and line.
    """
    check_devices(directory, inventory, lambda device: device.source is not None, _problems)


def _problems(document: Document, place: Location, device: Device) -> Iterator[Problem]:
    source = device.source
    if source is None:
        return
    place = (*place, "source")
    try:
        kind = _load(source.kind)
    except UserError as error:
        yield document.problem((*place, "kind"), str(error))
        return
    try:
        validate_document(_Part(document, (*place, "options"), source.options), kind.options)
    except InventoryError as error:
        yield from error.problems


def _load(name: str) -> SourceKind[Any]:
    points = {point.name: point for point in entry_points(group=SOURCES)}
    if name not in points:
        raise UserError(unknown("source", name, sorted(points), "this installation"))
    try:
        kind = points[name].load()
    except Exception as error:  # whatever a package does when it is imported
        raise UserError(f"source {name!r} can't be imported: {error}") from error
    if not isinstance(kind, SourceKind):
        raise UserError(f"source {name!r} is {kind!r}; expected a SourceKind")
    return kind


class _Part:
    """A part of a document, as something to report faults against."""

    def __init__(self, document: Document, place: Location, data: object) -> None:
        self.path = document.path
        self.data = data
        self._document = document
        self._place = place

    def line(self, location: Location = ()) -> int:
        return self._document.line((*self._place, *location))

    def problem(self, location: Location, text: str) -> Problem:
        return self._document.problem((*self._place, *location), text)
