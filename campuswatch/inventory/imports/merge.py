"""Merging imported devices into a school."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from campuswatch.inventory.crosschecks import errors
from campuswatch.inventory.imports.rows import Row
from campuswatch.inventory.loader import Draft
from campuswatch.inventory.models import Device, School
from campuswatch.inventory.phrasing import validate_document
from campuswatch.inventory.problems import InventoryError, Problem


@dataclass(frozen=True)
class Change:
    """A device that is new, or is now another.

    Attributes:
        row: where it comes from.
        device: what it will be.
        before: what it was; None when it is new.
    """

    row: Row
    device: Device
    before: Device | None

    def new_keys(self) -> list[str]:
        """Return the keys whose values the row gives anew."""
        return [
            key
            for key in self.row.data
            if self.before is None or getattr(self.before, key) != getattr(self.device, key)
        ]

    def value(self, key: str) -> object:
        """Return a value to write: numbers and truth values as such, the rest as given."""
        settled = getattr(self.device, key)
        return settled if isinstance(settled, int) else self.row.data[key]

    def describe(self, key: str) -> str:
        """Return a key with its old and its new value."""
        old = getattr(self.before, key, None)
        return f"{key}: {'' if old is None else f'{old} → '}{self.value(key)}"


@dataclass
class Merge:
    """What an import does to a school.

    Attributes:
        added: new devices.
        changed: devices with new values.
        unchanged: devices that are as the file says.
        faults: rows that would make the inventory wrong; they are left out.
    """

    added: list[Change] = field(default_factory=list)
    changed: list[Change] = field(default_factory=list)
    unchanged: list[Change] = field(default_factory=list)
    faults: list[Problem] = field(default_factory=list)


def merge_rows(draft: Draft, school: School, rows: Iterable[Row]) -> Merge:
    """Return what importing `rows` into `school` does.

    Args:
        draft: an inventory without errors.
        school: one of its schools.
        rows: the devices; of two with one id, the second is a fault.
    """
    merge = Merge()
    changes: dict[str, Change] = {}
    before = {device.id: device for device in school.devices}
    for row in rows:
        if row.id in changes:
            first = changes[row.id].row.line()
            text = f"is already on line {first}; expected one row a device"
            merge.faults.append(row.problem([], text))
            continue
        try:
            changes[row.id] = _change(row, before.get(row.id))
        except InventoryError as error:
            merge.faults.extend(error.problems)
    while faults := _crosscheck(draft, school, changes):
        merge.faults.extend(faults)
        blamed = {fault.row for fault in faults}
        changes = {row: change for row, change in changes.items() if row not in blamed}
    for change in changes.values():
        if change.before is None:
            merge.added.append(change)
        else:
            (merge.changed if change.new_keys() else merge.unchanged).append(change)
    return merge


def _change(row: Row, before: Device | None) -> Change:
    initial = {"name": row.id, **row.initial}
    given = {**(initial if before is None else before.model_dump(exclude_unset=True)), **row.data}
    full = replace(row, data={key: given[key] for key in Device.model_fields if key in given})
    device = validate_document(full, Device)
    return Change(full if before is None else row, device, before)


def _crosscheck(draft: Draft, school: School, changes: Mapping[str, Change]) -> Sequence[Problem]:
    """Return the errors that the changes bring.

    Rows come after what they leave alone, and new devices last, because of two
    devices that clash the checks blame the later.

    Raises:
        InventoryError: an error is not a row's, but of the files as they would become.
    """
    kept = [device for device in school.devices if device.id not in changes]
    ordered = sorted(changes.values(), key=lambda change: change.before is None)
    devices = kept + [change.device for change in ordered]
    merged = school.model_copy(update={"devices": devices})
    draft.places.replace(school, merged)
    for change in ordered:
        draft.places.add(change.row, change.device)
    others = [other for other in draft.parts.schools if other is not school]
    found = list(errors(replace(draft.parts, schools=[*others, merged]), draft.places))
    if foreign := [problem for problem in found if not problem.row]:
        raise InventoryError(foreign)
    return found
