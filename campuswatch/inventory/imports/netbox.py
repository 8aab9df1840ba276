"""Devices from NetBox: the JSON of `/api/dcim/devices/`."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from campuswatch.inventory.documents import read_text
from campuswatch.inventory.imports.rows import Harvest, Row
from campuswatch.inventory.models import Device, DeviceKind, School
from campuswatch.inventory.problems import InventoryError, Problem
from campuswatch.inventory.slugs import slug
from campuswatch.inventory.wording import nearest

CUSTOM_FIELD_PREFIX: Final = "campuswatch_"
"""A NetBox custom field `campuswatch_uplink` fills the device's `uplink`, and so on."""

_KIND_WORDS: Final = {
    "wlc": DeviceKind.WLAN_CONTROLLER,
    "controller": DeviceKind.WLAN_CONTROLLER,
    "ap": DeviceKind.AP,
    "accesspoint": DeviceKind.AP,
    "point": DeviceKind.AP,
    "switch": DeviceKind.SWITCH,
    "router": DeviceKind.ROUTER,
    "firewall": DeviceKind.ROUTER,
    "ups": DeviceKind.UPS,
    "projector": DeviceKind.PROJECTOR,
    "display": DeviceKind.DISPLAY,
    "screen": DeviceKind.DISPLAY,
    "sensor": DeviceKind.SENSOR,
    "printer": DeviceKind.PRINTER,
    "server": DeviceKind.SERVER,
    "gateway": DeviceKind.GATEWAY,
}
"""Words of a role's slug, such as "office-access-switch", and what they mean."""


@dataclass(frozen=True)
class NetBoxOptions:
    """What a NetBox export leaves open.

    Attributes:
        site: slug of the school's site.
        snmp: credential of new devices whose custom fields name none.
        roles: kinds by role slug, for roles whose words don't say it.
    """

    site: str
    snmp: str | None = None
    roles: Mapping[str, DeviceKind] = field(default_factory=dict)


def read_netbox(path: Path, school: School, options: NetBoxOptions) -> Harvest:
    """Read a school's active devices with a primary IP from a NetBox export.

    NetBox 3.6 renamed `device_role` to `role`; both are read.

    Raises:
        InventoryError: the file can't be read, or is no such export.
    """
    harvest = Harvest()
    for line, entry in _entries(path):
        name = entry.get("name") or entry.get("display") or f"device {entry.get('id')}"
        try:
            harvest.rows.append(_row(path, line, entry, school, options))
        except _LeftOut as reason:
            harvest.skipped.append(Problem(path, line, f"{name}: {reason}"))
        except _Faulty as reason:
            harvest.faults.append(Problem(path, line, f"{name}: {reason}"))
    return harvest


class _LeftOut(Exception):  # noqa: N818
    """The device is not meant to be imported."""


class _Faulty(Exception):  # noqa: N818
    """The device can't be imported as it is."""


def _entries(path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    """Yield each device of the export and the line it begins on."""
    text = read_text(path)
    try:
        document = json.loads(text)
    except json.JSONDecodeError as error:
        problem = f"no valid JSON: {error.msg}; expected the answer of /api/dcim/devices/"
        raise InventoryError([Problem(path, error.lineno, problem)]) from None
    devices = document.get("results") if isinstance(document, dict) else document
    if not isinstance(devices, list) or not all(isinstance(item, dict) for item in devices):
        problem = "no list of devices; expected the answer of /api/dcim/devices/"
        raise InventoryError([Problem(path, 1, problem)])
    if isinstance(document, dict) and document.get("next"):
        problem = "this is one page of several; expected all devices (?limit=0)"
        raise InventoryError([Problem(path, 1, problem)])
    yield from zip(_item_lines(text, len(devices)), devices, strict=True)


def _item_lines(text: str, count: int) -> Iterator[int]:
    """Yield the line of each item of the list of devices."""
    decoder = json.JSONDecoder()
    opening = re.match(r"\s*\[", text) or re.search(r'"results"\s*:\s*\[', text)
    position = opening.end() if opening else 0
    for _ in range(count):
        position = text.index("{", position)
        yield text.count("\n", 0, position) + 1
        position = decoder.raw_decode(text, position)[1]


def _row(
    path: Path, line: int, entry: dict[str, Any], school: School, options: NetBoxOptions
) -> Row:
    site = _part(entry, "site", "slug")
    if site != options.site:
        raise _LeftOut(f"site is {site!r}, not {options.site!r}")
    status = _part(entry, "status", "value")
    if status != "active":
        raise _LeftOut(f"status is {status!r}, not 'active'")
    address = _part(entry, "primary_ip", "address")
    if address is None:
        raise _LeftOut("it has no primary IP")
    name = entry.get("name")
    if not name:
        raise _Faulty("the device has no name; expected one, from which its id is made")
    data: dict[str, object] = {
        "id": slug(name),
        "kind": _kind(entry, options).value,
        "address": address.partition("/")[0],
    }
    if room := _room(entry, school):
        data["room"] = room
    initial = {"name": name} | ({"snmp": options.snmp} if options.snmp else {})
    return Row(path, line, data | _custom_fields(entry), initial, _hardware(entry))


def _part(entry: dict[str, Any], *keys: str) -> str | None:
    value: Any = entry
    for key in keys:
        value = value.get(key) if isinstance(value, dict) else None
    return value if isinstance(value, str) else None


def _kind(entry: dict[str, Any], options: NetBoxOptions) -> DeviceKind:
    role = _part(entry, "role", "slug") or _part(entry, "device_role", "slug") or ""
    if role in options.roles:
        return options.roles[role]
    words = re.split(r"[^a-z0-9]+", role.casefold())
    for word, kind in _KIND_WORDS.items():
        if word in words:
            return kind
    raise _Faulty(f"role {role!r} says no kind; expected --role {role or 'ROLE'}=KIND")


def _room(entry: dict[str, Any], school: School) -> str | None:
    """Return the room whose id or name is that of the device's location."""
    place = {_part(entry, "location", "slug"), _part(entry, "location", "name")}
    return next((room.id for room in school.rooms() if {room.id, room.name} & place), None)


def _custom_fields(entry: dict[str, Any]) -> dict[str, object]:
    data = {}
    for name, value in (entry.get("custom_fields") or {}).items():
        if value is None or not name.startswith(CUSTOM_FIELD_PREFIX):
            continue
        key = name.removeprefix(CUSTOM_FIELD_PREFIX)
        if key not in Device.model_fields:
            near = nearest(key, list(Device.model_fields))
            hint = f"did you mean {CUSTOM_FIELD_PREFIX + near!r}?" if near else "expected another"
            raise _Faulty(f"unknown custom field {name!r}; {hint}")
        data[key] = value.split() if key == "serves" and isinstance(value, str) else value
    return data


def _hardware(entry: dict[str, Any]) -> str:
    maker = _part(entry, "device_type", "manufacturer", "name") or ""
    model = _part(entry, "device_type", "model") or _part(entry, "device_type", "display") or ""
    return f"{maker} {model}".strip()
