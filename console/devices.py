"""How each device of a school is now, and what it last said."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final

from pydantic import BaseModel, ConfigDict

from campuswatch.calendar import DAY
from campuswatch.inventory.models import Device, DeviceKind, Inventory, School
from campuswatch.measurements import CATALOGUE, FieldKind
from campuswatch.readings import now_ns
from campuswatch.stores.base import Aggregate, Query, Series, Store
from targets.evidence import Evidence, gather
from targets.topology import is_watched
from targets.verdicts import Instant

RECENT: Final = 15 * 60 * 1_000_000_000
"""How old what a device said may be to be shown as news, ns."""


class DeviceState(StrEnum):
    """What is known of a device."""

    UP = "up"
    DOWN = "down"
    UNKNOWN = "unknown"
    """It should be asked, and no current answer is known."""
    REPORTING = "reporting"
    """It speaks by itself, and did so lately."""
    SILENT = "silent"
    """It speaks by itself, and did not do so lately."""
    UNWATCHED = "unwatched"
    """Nobody asks it, and it does not speak."""


class Value(BaseModel):
    """Something a device said of itself or its room."""

    model_config = ConfigDict(frozen=True)

    measurement: str
    field: str
    value: float
    unit: str


class DeviceNow(BaseModel):
    """One device, now.

    Attributes:
        since: when an outage began; None when it is not down.
        began_before: whether it had begun earlier than the console looks back.
        cause: the device because of which it is down; itself if it is to blame.
        reason: what the agent saw, in its words.
        heard: when it was last heard of.
        values: what it said lately.
    """

    model_config = ConfigDict(frozen=True)

    id: str
    name: str
    kind: DeviceKind
    room: str | None
    uplink: str | None
    state: DeviceState
    since: Instant | None = None
    began_before: bool = False
    cause: str | None = None
    reason: str | None = None
    heard: Instant | None = None
    values: tuple[Value, ...] = ()


class SchoolDevices(BaseModel):
    """The devices of a school at a moment, in the inventory's order."""

    model_config = ConfigDict(frozen=True)

    generated: Instant
    school: str
    devices: tuple[DeviceNow, ...]


@dataclass
class _Said:
    """What a device said lately, and when last (ns UTC)."""

    time: int = 0
    values: list[Value] = field(default_factory=list)


def read_devices(inventory: Inventory, school: School, store: Store) -> SchoolDevices:
    """Ask the store how a school's devices are.

    Raises:
        StoreUnavailableError: the store can't be reached.
    """
    now = now_ns()
    evidence = gather(store, school, now - DAY, now)
    reasons = _reasons(store, school, now)
    said = _said(inventory, store, school, now)
    devices = tuple(
        _asked(device, evidence, reasons.get(device.id))
        if is_watched(device)
        else _speaking(device, said.get(device.id))
        for device in school.devices
    )
    return SchoolDevices(generated=now, school=school.id, devices=devices)


def _asked(device: Device, evidence: Evidence, reason: str | None) -> DeviceNow:
    line = evidence.timelines[device.id]
    known = _known(device) | {"heard": line.last_sample}
    if line.state is None:
        return DeviceNow(**known, state=DeviceState.UNKNOWN)
    if line.state:
        return DeviceNow(**known, state=DeviceState.UP)
    outage = line.outages()[-1]
    return DeviceNow(
        **known,
        state=DeviceState.DOWN,
        since=outage.start,
        began_before=outage.began_before,
        cause=evidence.topology.root_cause(device.id, evidence.states),
        reason=reason,
    )


def _speaking(device: Device, said: _Said | None) -> DeviceNow:
    known = _known(device)
    if not device.mqtt:
        return DeviceNow(**known, state=DeviceState.UNWATCHED)
    if said is None:
        return DeviceNow(**known, state=DeviceState.SILENT)
    return DeviceNow(
        **known, state=DeviceState.REPORTING, heard=said.time, values=tuple(said.values)
    )


def _known(device: Device) -> dict[str, Any]:
    """Return what the inventory says of a device."""
    return {
        "id": device.id,
        "name": device.name,
        "kind": device.kind,
        "room": device.room,
        "uplink": device.uplink,
    }


def _reasons(store: Store, school: School, now: int) -> dict[str, str]:
    """Return for each device the newest reason why it was down."""
    query = Query(
        "availability",
        ("reason",),
        now - DAY,
        now,
        where={"school": [school.id]},
        group_by=("device",),
        aggregate=Aggregate.LAST,
    )
    return {
        series.tags["device"]: str(reason)
        for series in store.query(query)
        for reason in series.columns["reason"]
        if reason is not None
    }


def _said(inventory: Inventory, store: Store, school: School, now: int) -> dict[str, _Said]:
    """Return what the devices of a school that speak by themselves said lately."""
    found: dict[str, _Said] = {}
    for measurement, fields in _spoken(inventory, school).items():
        query = Query(
            measurement,
            fields,
            now - RECENT,
            now,
            where={"school": [school.id]},
            group_by=("device",),
            aggregate=Aggregate.LAST,
        )
        for series in store.query(query):
            said = found.setdefault(series.tags["device"], _Said())
            said.time = max(said.time, *series.times)
            said.values += _values(measurement, series)
    return found


def _spoken(inventory: Inventory, school: School) -> dict[str, tuple[str, ...]]:
    """Return the measurements and number fields that a school's devices publish."""
    mappings = {mapping.id: mapping for mapping in inventory.mappings}
    used = {entry.mapping for device in school.devices for entry in device.mqtt}
    spoken: dict[str, set[str]] = defaultdict(set)
    for mapping in (mappings[name] for name in sorted(used)):
        spoken[mapping.measurement].update(mapping.fields)
    return {
        measurement: tuple(
            name
            for name, known in CATALOGUE[measurement].fields.items()
            if name in fields and known.kind is not FieldKind.TEXT
        )
        for measurement, fields in spoken.items()
    }


def _values(measurement: str, series: Series) -> Iterator[Value]:
    for name, column in series.columns.items():
        for value in column[-1:]:
            if value is not None and not isinstance(value, str):
                unit = CATALOGUE[measurement].fields[name].unit
                yield Value(measurement=measurement, field=name, value=value, unit=unit)
