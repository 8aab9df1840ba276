"""How each device of a school is now, and what it last said."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from enum import StrEnum
from typing import Any, Final

from pydantic import BaseModel, ConfigDict

from campuswatch.calendar import DAY
from campuswatch.inventory.models import Device, DeviceKind, Inventory, School
from campuswatch.measurements import CATALOGUE, FieldKind
from campuswatch.readings import now_ns
from campuswatch.stores.base import Aggregate, Query, Series, Store
from targets.evidence import Evidence, gather
from targets.promise import Promise
from targets.topology import is_watched
from targets.verdicts import Instant

RECENT: Final = 15 * 60 * 1_000_000_000
"""How old what a device said may be to be shown as news, ns."""

_DECODED: Final = ("environment", "presence", "power", "device_health", "wifi_signal")
"""What decoders of MQTT payloads and devices on serial lines yield."""

_PROJECTOR: Final = ("power", "lamp_hours", "filter_hours")
"""What is shown of a projector; what it reports as wrong is for alerts."""


class DeviceState(StrEnum):
    """What is known of a device."""

    UP = "up"
    DOWN = "down"
    UNKNOWN = "unknown"
    """It should be asked or should speak, and nothing current is known of it."""
    UNWATCHED = "unwatched"
    """Nobody asks it, and it does not speak by itself."""


class Value(BaseModel):
    """Something a device said of itself or its room.

    Attributes:
        meaning: the word for a state's number, such as "standby"; None for a quantity.
    """

    model_config = ConfigDict(frozen=True)

    measurement: str
    field: str
    value: float
    unit: str
    meaning: str | None = None


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


def read_devices(inventory: Inventory, school: School, store: Store) -> SchoolDevices:
    """Ask the store how a school's devices are.

    Raises:
        StoreUnavailableError: the store can't be reached.
    """
    now = now_ns()
    promises = {school.id: Promise.of(inventory, school)}
    evidence = gather(store, [school], promises, now - DAY, now)[school.id]
    reasons = _reasons(store, school, now)
    said = _said(inventory, store, school, now)
    devices = tuple(
        _device(device, evidence, reasons.get(device.id), said.get(device.id, ()))
        for device in school.devices
    )
    return SchoolDevices(generated=now, school=school.id, devices=devices)


def _device(
    device: Device, evidence: Evidence, reason: str | None, values: Sequence[Value]
) -> DeviceNow:
    line = evidence.timelines[device.id]
    known = _known(device) | {"heard": line.last_sample, "values": tuple(values)}
    if line.state is None:
        state = DeviceState.UNKNOWN if is_watched(device) else DeviceState.UNWATCHED
        return DeviceNow(**known, state=state)
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


def _said(inventory: Inventory, store: Store, school: School, now: int) -> dict[str, list[Value]]:
    """Return what the devices of a school's rooms said lately."""
    found: dict[str, list[Value]] = defaultdict(list)
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
            found[series.tags["device"]] += _values(measurement, series)
    return found


def _spoken(inventory: Inventory, school: School) -> dict[str, tuple[str, ...]]:
    """Return the measurements and number fields that the devices of a school's rooms yield."""
    mappings = {mapping.id: mapping for mapping in inventory.mappings}
    entries = [entry for device in school.devices for entry in device.mqtt]
    spoken: dict[str, set[str]] = defaultdict(set)
    for name in sorted({entry.mapping for entry in entries if entry.mapping is not None}):
        spoken[mappings[name].measurement].update(mappings[name].fields)
    decoded = any(entry.decoder is not None for entry in entries)
    if decoded or any(device.serial for device in school.devices):
        for measurement in _DECODED:
            spoken[measurement].update(CATALOGUE[measurement].fields)
    if any(device.serial or device.pjlink for device in school.devices):
        spoken["projector"].update(_PROJECTOR)
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
                field = CATALOGUE[measurement].fields[name]
                yield Value(
                    measurement=measurement,
                    field=name,
                    value=value,
                    unit=field.unit,
                    meaning=field.states.get(int(value)) if field.states else None,
                )
