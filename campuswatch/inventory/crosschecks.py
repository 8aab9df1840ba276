"""What the parts of an inventory must agree on."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Iterator, Sequence

from pydantic import BaseModel

from campuswatch.inventory import (
    calendar_checks,
    decoder_checks,
    maintenance_checks,
    mapping_checks,
    selections,
    serial_checks,
)
from campuswatch.inventory.models import Device, DeviceKind, School
from campuswatch.inventory.parts import Parts
from campuswatch.inventory.places import Places
from campuswatch.inventory.problems import Problem
from campuswatch.inventory.wording import unknown

_NETWORK_KINDS = {
    DeviceKind.SWITCH,
    DeviceKind.AP,
    DeviceKind.WLAN_CONTROLLER,
    DeviceKind.ROUTER,
}


def errors(parts: Parts, places: Places) -> Iterator[Problem]:
    """Yield what makes an inventory unusable."""
    yield from _duplicate_ids(parts, places)
    for school in parts.schools:
        yield from _school_references(parts, places, school)
        yield from _device_references(parts, places, school)
        yield from _trap_credentials(parts, places, school)
        yield from _uplink_cycles(places, school)
        yield from _shared_addresses(places, school)
    yield from _target_references(parts, places)
    yield from calendar_checks.errors(parts, places)
    yield from maintenance_checks.errors(parts, places)
    yield from mapping_checks.errors(parts, places)
    yield from decoder_checks.errors(parts, places)
    yield from serial_checks.errors(parts, places)


def warnings(parts: Parts, places: Places) -> Iterator[Problem]:
    """Yield what is allowed but is probably not meant."""
    for school in parts.schools:
        yield from _rooms_without_ap(places, school)
        yield from _aps_without_room(places, school)
        yield from _devices_without_uplink(places, school)
        yield from _idle_devices(places, school)
    yield from calendar_checks.warnings(parts, places)
    yield from serial_checks.warnings(parts, places)


def _duplicate_ids(parts: Parts, places: Places) -> Iterator[Problem]:
    schools = parts.schools
    buildings = [building for school in schools for building in school.buildings]
    groups: list[tuple[str, Sequence[BaseModel]]] = [
        ("school", schools),
        ("agent", [agent for school in schools for agent in school.agents]),
        (
            "probe",
            [probe for school in schools for agent in school.agents for probe in agent.probes],
        ),
        ("building", buildings),
        ("floor", [floor for building in buildings for floor in building.floors]),
        ("room", [room for school in schools for room in school.rooms()]),
        ("device", [device for school in schools for device in school.devices]),
        ("calendar", parts.calendars or []),
        ("mapping", parts.mappings or []),
        ("maintenance", parts.maintenance or []),
        ("target", parts.district.targets if parts.district else []),
    ]
    for noun, owners in groups:
        yield from _repeated(places, noun, owners)
    for calendar in parts.calendars or []:
        yield from _repeated(places, "term", calendar.terms)


def _repeated(places: Places, noun: str, owners: Sequence[BaseModel]) -> Iterator[Problem]:
    first: dict[str, BaseModel] = {}
    for owner in owners:
        identity: str = owner.id  # type: ignore[attr-defined]
        before = first.setdefault(identity, owner)
        if before is not owner:
            text = (
                f"{noun} id {identity!r} is already taken at {places.where(before)}; "
                "expected an id unique in the district"
            )
            yield places.problem(owner, ["id"], text)


def _school_references(parts: Parts, places: Places, school: School) -> Iterator[Problem]:
    if parts.calendars is not None:
        calendars = [calendar.id for calendar in parts.calendars]
        if school.calendar not in calendars:
            text = unknown("calendar", school.calendar, calendars, "calendar.yaml")
            yield places.problem(school, ["calendar"], text)
    devices = [device.id for device in school.devices]
    if school.internet is not None and school.internet.device not in devices:
        text = unknown("device", school.internet.device, devices, "this school")
        yield places.problem(school.internet, ["device"], text)


def _device_references(parts: Parts, places: Places, school: School) -> Iterator[Problem]:
    rooms = [room.id for room in school.rooms()]
    agents = [agent.id for agent in school.agents]
    devices = [device.id for device in school.devices]
    elsewhere = _owners(parts.schools)
    for device in school.devices:
        if device.room is not None and device.room not in rooms:
            text = _missing("room", device.room, rooms, elsewhere)
            yield places.problem(device, ["room"], text)
        if device.uplink is not None and device.uplink not in devices:
            text = _missing("device", device.uplink, devices, elsewhere)
            yield places.problem(device, ["uplink"], text)
        if device.agent is not None and device.agent not in agents:
            text = _missing("agent", device.agent, agents, elsewhere)
            yield places.problem(device, ["agent"], text)
        yield from _credential(parts, places, device)
        yield from _served_rooms(places, device, rooms, elsewhere)
    yield from _bssids(places, school)


def _owners(schools: Iterable[School]) -> dict[tuple[str, str], str]:
    """Return which school owns each (noun, id)."""
    owners: dict[tuple[str, str], str] = {}
    for school in schools:
        owners |= {("room", room.id): school.id for room in school.rooms()}
        owners |= {("device", device.id): school.id for device in school.devices}
        owners |= {("agent", agent.id): school.id for agent in school.agents}
    return owners


def _missing(
    noun: str, identity: str, known: list[str], elsewhere: dict[tuple[str, str], str]
) -> str:
    if owner := elsewhere.get((noun, identity)):
        return f"{noun} {identity!r} belongs to school {owner!r}; expected one of this school"
    return unknown(noun, identity, known, "this school")


def _trap_credentials(parts: Parts, places: Places, school: School) -> Iterator[Problem]:
    if parts.district is None:
        return
    known = list(parts.district.credentials)
    for agent in school.agents:
        for index, credential in enumerate(agent.traps.credentials if agent.traps else []):
            if credential not in known:
                text = unknown("credential", credential, known, "district.yaml")
                yield places.problem(agent, ["traps", "credentials", index], text)


def _credential(parts: Parts, places: Places, device: Device) -> Iterator[Problem]:
    if device.snmp is None or parts.district is None:
        return
    if device.snmp not in parts.district.credentials:
        text = unknown("credential", device.snmp, list(parts.district.credentials), "district.yaml")
        yield places.problem(device, ["snmp"], text)


def _served_rooms(
    places: Places, device: Device, rooms: list[str], elsewhere: dict[tuple[str, str], str]
) -> Iterator[Problem]:
    if device.serves is None:
        return
    if device.kind is not DeviceKind.AP:
        text = f"serves on a device of kind {device.kind.value!r}; expected it on an ap alone"
        yield places.problem(device, ["serves"], text)
    for index, room in enumerate(device.serves):
        if room not in rooms:
            text = _missing("room", room, rooms, elsewhere)
            yield places.problem(device, ["serves", index], text)


def _bssids(places: Places, school: School) -> Iterator[Problem]:
    owners: dict[str, str] = {}
    for device in school.devices:
        if device.bssids and device.kind is not DeviceKind.AP:
            text = f"bssids on a device of kind {device.kind.value!r}; expected them on an ap alone"
            yield places.problem(device, ["bssids"], text)
        for index, bssid in enumerate(device.bssids):
            if (owner := owners.setdefault(bssid, device.id)) != device.id:
                text = f"BSSID {bssid} is already that of {owner!r}; expected one AP a BSSID"
                yield places.problem(device, ["bssids", index], text)


def _uplink_cycles(places: Places, school: School) -> Iterator[Problem]:
    devices = {device.id: device for device in school.devices}
    done: set[str] = set()
    for start in school.devices:
        path: list[str] = []
        here: str | None = start.id
        while here in devices and here not in done and here not in path:
            path.append(here)
            here = devices[here].uplink
        if here in path:
            yield _cycle(places, devices, path[path.index(here) :])
        done.update(path)


def _cycle(places: Places, devices: dict[str, Device], cycle: list[str]) -> Problem:
    """Return the problem of a cycle, at the device of it that is declared last."""
    last = next(device for device in reversed(devices) if device in cycle)
    turn = cycle.index(last)
    text = (
        f"uplinks run in a circle: {' → '.join([*cycle[turn:], *cycle[:turn], last])}; "
        "expected every path to end at the internet"
    )
    return places.problem(devices[last], ["uplink"], text)


def _shared_addresses(places: Places, school: School) -> Iterator[Problem]:
    first: dict[tuple[str, str, int], Device] = {}
    for device in school.devices:
        if device.address is None:
            continue
        key = (school.agent_of(device), _canonical(device.address), device.port)
        before = first.setdefault(key, device)
        if before is not device:
            text = (
                f"address {device.address} port {device.port} is already that of "
                f"{before.id!r} at {places.where(before)}; expected one device an address"
            )
            yield places.problem(device, ["address"], text)
    yield from _trap_addresses(places, school)


def _trap_addresses(places: Places, school: School) -> Iterator[Problem]:
    owners = {
        (school.agent_of(device), _canonical(device.address)): device.id
        for device in school.devices
        if device.address is not None
    }
    for device in school.devices:
        for index, address in enumerate(device.addresses):
            owner = owners.setdefault((school.agent_of(device), address), device.id)
            if owner != device.id:
                text = f"address {address} is already that of {owner!r}; expected one device each"
                yield places.problem(device, ["addresses", index], text)


def _canonical(address: str) -> str:
    try:
        return ipaddress.ip_address(address).compressed
    except ValueError:
        return address.casefold().rstrip(".")


def _target_references(parts: Parts, places: Places) -> Iterator[Problem]:
    if parts.district is None:
        return
    for target in parts.district.targets:
        yield from selections.errors(parts, places, target.schools)


def _rooms_without_ap(places: Places, school: School) -> Iterator[Problem]:
    served = {
        room
        for device in school.devices
        if device.kind is DeviceKind.AP
        for room in (device.serves if device.serves is not None else [device.room])
    }
    for room in school.rooms():
        if room.wifi and room.id not in served:
            text = (
                f"room {room.id!r} is promised Wi-Fi, and no AP serves it; "
                "expected an AP, or wifi: false"
            )
            yield places.problem(room, ["id"], text)


def _aps_without_room(places: Places, school: School) -> Iterator[Problem]:
    for device in school.devices:
        if device.kind is DeviceKind.AP and not device.serves and device.room is None:
            text = f"ap {device.id!r} serves no room; expected a room, or serves"
            yield places.problem(device, ["id"], text)


def _devices_without_uplink(places: Places, school: School) -> Iterator[Problem]:
    if school.internet is None:
        return
    for device in school.devices:
        if (
            device.kind in _NETWORK_KINDS
            and device.uplink is None
            and device.id != school.internet.device
        ):
            text = (
                f"{device.kind.value} {device.id!r} has no uplink, so its path to the internet "
                "is unknown; expected an uplink"
            )
            yield places.problem(device, ["id"], text)


def _idle_devices(places: Places, school: School) -> Iterator[Problem]:
    for device in school.devices:
        asked = device.snmp or device.pjlink or device.mqtt or device.serial or device.ping
        if not asked:
            text = (
                f"nothing asks device {device.id!r}; "
                "expected snmp, pjlink, mqtt, serial or ping: true"
            )
            yield places.problem(device, ["id"], text)
