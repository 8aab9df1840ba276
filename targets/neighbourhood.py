"""What the store knows of who is at the other end of which cable."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from campuswatch.calendar import DAY
from campuswatch.identities import Identities, Identity
from campuswatch.inventory.models import School
from campuswatch.links import Cabling, cabling
from campuswatch.neighbours import MEASUREMENT, TAGS, Neighbour, neighbour
from campuswatch.readings import FieldValue
from campuswatch.stores.base import Query, Store

_MINUTE: Final = 60 * 1_000_000_000
_CURRENT: Final = 20 * _MINUTE
"""How old a neighbour may be to be there now: four times as long as it takes to ask again."""
_POLLS: Final = 3
"""As many intervals of a device that is polled so rarely that this is longer."""

_SAID: Final = ("chassis", "port", "port_description", "name", "description", "capabilities")
_KNOWN_BY: Final = ("chassis_id", "serial_number", "name")
_Tags = tuple[str, ...]


def read_neighbours(store: Store, school: School, now: int) -> list[Neighbour]:
    """Return what the devices of a school hear now.

    A device hears those of its newest answer; whom it heard in an earlier one
    may have been plugged elsewhere since.

    Args:
        store: where the readings are.
        school: the school.
        now: the moment to look at, ns UTC.

    Raises:
        StoreUnavailableError: the store can't be reached.
    """
    said = _newest(store, school, now, _SAID)
    addresses = _newest(store, school, now, ("address",))
    newest: dict[_Tags, int] = {}
    for tags, (time, _) in said.items():
        answer = _answer(tags)
        newest[answer] = max(time, newest.get(answer, time))
    nothing: tuple[int, Mapping[str, FieldValue | None]] = (0, {})
    return [
        neighbour(dict(zip(TAGS, tags, strict=True)), {**fields, **addresses.get(tags, nothing)[1]})
        for tags, (time, fields) in said.items()
        if time == newest[_answer(tags)]
    ]


def _answer(tags: _Tags) -> _Tags:
    """Return what the neighbours of one answer have in common: device and protocol."""
    return tags[TAGS.index("device")], tags[TAGS.index("protocol")]


def _newest(
    store: Store, school: School, now: int, fields: Sequence[str]
) -> dict[_Tags, tuple[int, Mapping[str, FieldValue | None]]]:
    """Return for each neighbour when it was last heard, and what it said."""
    intervals = [device.interval.total_seconds() for device in school.devices]
    current = max(_CURRENT, _POLLS * int(max(intervals, default=0) * 1_000_000_000))
    query = Query(
        MEASUREMENT,
        tuple(fields),
        now - current,
        now,
        where={"school": [school.id]},
        group_by=TAGS,
        limit=1,
        newest=True,
    )
    return {
        tuple(series.tags[tag] for tag in TAGS): (
            series.times[-1],
            {name: column[-1] for name, column in series.columns.items()},
        )
        for series in store.query(query)
    }


def read_identities(store: Store, school: School, now: int) -> Identities:
    """Return what the devices of a school are known by: declared, or said in the last day.

    Raises:
        StoreUnavailableError: the store can't be reached.
    """
    query = Query(
        "device_info",
        _KNOWN_BY,
        now - DAY,
        now,
        where={"school": [school.id]},
        group_by=("device",),
        limit=1,
        newest=True,
    )
    said = {
        series.tags["device"]: [str(series.columns[name][-1] or "") for name in _KNOWN_BY]
        for series in store.query(query)
    }
    return Identities(
        Identity(
            device=device.id,
            chassis=frozenset({device.chassis_id or "", said_here[0]}),
            serials=frozenset({device.serial_number or "", said_here[1]}),
            addresses=frozenset({device.address or ""}),
            names=frozenset({device.id, device.name, said_here[2]}),
        )
        for device in school.devices
        for said_here in [said.get(device.id, ["", "", ""])]
    )


def read_cabling(store: Store, school: School, now: int) -> Cabling:
    """Return the cables of a school as its devices see them now.

    Raises:
        StoreUnavailableError: the store can't be reached.
    """
    return cabling(read_neighbours(store, school, now), read_identities(store, school, now))
