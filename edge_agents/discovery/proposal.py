"""From what was found to rows that can be merged into a school's file."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from campuswatch.identities import Identities, Identity
from campuswatch.inventory.imports.rows import Row
from campuswatch.inventory.models import Device, DeviceKind, Inventory, School
from campuswatch.inventory.slugs import slug
from campuswatch.links import Cabling, End, cabling
from campuswatch.neighbours import Neighbour, port_key
from edge_agents.discovery.kinds import guess
from edge_agents.discovery.probe import Found
from edge_agents.discovery.ranges import Range
from edge_agents.discovery.survey import Survey

_LONGEST: Final = 63
_DEFAULT_PORT: Final = 161


@dataclass(frozen=True)
class Named:
    """A device that was found, under the id that it has or will have.

    Attributes:
        id: its id.
        found: the device.
        kind: declared, or guessed.
        declared: as the inventory has it; None if it is new.
        uplink: where it is plugged in towards the internet; None if not known.
    """

    id: str
    found: Found
    kind: DeviceKind
    declared: Device | None
    uplink: End | None = None


@dataclass(frozen=True)
class Proposal:
    """What a survey means for a school.

    Attributes:
        named: the devices that are the school's, or may be.
        rows: what to merge into its file.
        notes: what a person should look at: a declared uplink that is not
            what was seen, a declared device that answers ICMP alone.
        missing: declared devices of the range that did not answer.
        elsewhere: addresses found that are another school's devices, by their ids.
        strangers: neighbours that neither answered nor are declared.
    """

    named: Sequence[Named]
    rows: Sequence[Row]
    notes: Mapping[str, str]
    missing: Sequence[Device]
    elsewhere: Mapping[str, str]
    strangers: Sequence[Neighbour]


def propose(
    seen: Survey, swept: Range, inventory: Inventory, school: School, port: int
) -> Proposal:
    """Match what was found with what is declared, and propose the rest.

    Args:
        seen: what was found.
        swept: where.
        inventory: the district.
        school: the school whose network it is.
        port: UDP port on which the agents answered.
    """
    declared = {device.id: device for each in inventory.schools for device in each.devices}
    ours = {device.id for device in school.devices}
    matches = _matches(seen.found, declared.values())
    elsewhere = {
        found.address: matches[found.address]
        for found in seen.found
        if matches.get(found.address, "") in declared.keys() - ours
    }
    local = [found for found in seen.found if found.address not in elsewhere]
    named = _named(local, matches, declared)
    cables = _cables(named, school)
    named = [_with_uplink(each, uplink) for each, uplink in _uplinks(named, cables, school)]
    rows = [row for each in named if (row := _row(each, swept, port)) is not None]
    answered = {each.id for each in named}
    absent = [
        device
        for device in school.devices
        if device.id not in answered and device.address and swept.has(device.address)
    ]
    return Proposal(
        named=named,
        rows=rows,
        notes=_notes(named, absent, seen.alive),
        missing=[device for device in absent if device.address not in seen.alive],
        elsewhere=elsewhere,
        strangers=cables.strangers,
    )


def _matches(found: Iterable[Found], declared: Iterable[Device]) -> dict[str, str]:
    """Return the declared device at each address; of two found that fit one, the first."""
    identities = Identities(map(_declared_identity, declared))
    matches: dict[str, str] = {}
    for each in found:
        device = identities.find(
            chassis=each.said("chassis_id"),
            serial=each.said("serial_number"),
            address=each.address,
            name=each.name,
        )
        if device is not None and device not in matches.values():
            matches[each.address] = device
    return matches


def _declared_identity(device: Device) -> Identity:
    return Identity(
        device.id,
        chassis=frozenset({device.chassis_id or ""}),
        serials=frozenset({device.serial_number or ""}),
        addresses=frozenset({device.address or ""}),
        names=frozenset({device.id, device.name}),
    )


def _named(
    found: Sequence[Found], matches: Mapping[str, str], declared: Mapping[str, Device]
) -> list[Named]:
    heard: defaultdict[str, list[int]] = defaultdict(list)
    for each in found:
        for neighbour in each.neighbours:
            heard[neighbour.chassis].append(neighbour.capabilities or 0)
    ids = _Ids(found, declared)
    named: list[Named] = []
    for each in found:
        device = declared.get(matches.get(each.address, ""))
        if device is not None:
            named.append(Named(device.id, each, device.kind, device))
            continue
        kind = guess(each, heard.get(each.said("chassis_id"), []))
        named.append(Named(ids.make(each, kind), each, kind, None))
    return named


class _Ids:
    """Makes ids that nobody has."""

    def __init__(self, found: Iterable[Found], taken: Iterable[str]) -> None:
        self._taken = set(taken)
        self._slugs = Counter(slug(each.name) for each in found)

    def make(self, found: Found, kind: DeviceKind) -> str:
        """Return the sysName as an id; with the address behind it where several have that name."""
        name = slug(found.name)
        plain = name[:_LONGEST].strip("-")
        if plain and self._slugs[name] == 1 and plain not in self._taken:
            self._taken.add(plain)
            return plain
        tail = slug(found.address)
        head = (plain or kind.value)[: _LONGEST - len(tail) - 1].strip("-")
        made = f"{head}-{tail}"
        self._taken.add(made)
        return made


def _cables(named: Sequence[Named], school: School) -> Cabling:
    known = {each.id for each in named}
    identities = [
        Identity(
            each.id,
            chassis=frozenset({each.found.said("chassis_id")}),
            serials=frozenset({each.found.said("serial_number")}),
            addresses=each.found.own_addresses,
            names=frozenset({each.found.name, each.id}),
        )
        for each in named
    ]
    identities += [_declared_identity(each) for each in school.devices if each.id not in known]
    heard = [
        replace(neighbour, device=each.id) for each in named for neighbour in each.found.neighbours
    ]
    return cabling(heard, Identities(identities))


def _uplinks(
    named: Sequence[Named], cables: Cabling, school: School
) -> Iterable[tuple[Named, End | None]]:
    """Return for each device where it is plugged in towards the internet."""
    tree = cables.tree(_roots(named, cables, school))
    for each in named:
        link = tree.get(each.id)
        yield each, None if link is None else link.far_end(each.id)


def _roots(named: Sequence[Named], cables: Cabling, school: School) -> list[str]:
    """Return where the internet is: declared, or else the router, or else the busiest device."""
    linked = Counter(end.device for link in cables.links for end in link.ends)
    if school.internet is not None and school.internet.device in linked:
        return [school.internet.device]
    kinds = {device.id: device.kind for device in school.devices}
    kinds |= {each.id: each.kind for each in named}
    behind = {device.id for device in school.devices if device.uplink is not None}
    tops = [device for device in linked if device not in behind]
    routers = [device for device in tops if kinds[device] is DeviceKind.ROUTER]
    return routers or [device for device, _ in linked.most_common(1)]


def _with_uplink(named: Named, uplink: End | None) -> Named:
    return replace(named, uplink=uplink)


def _row(named: Named, swept: Range, port: int) -> Row | None:
    """Return what to merge: all of a new device, of a declared one what it leaves open."""
    found, declared, uplink = named.found, named.declared, named.uplink
    facts: dict[str, object] = {
        "address": found.address,
        "port": port,
        "snmp": found.credential,
        "uplink": uplink.device if uplink else None,
        "uplink_port": (uplink.port or None) if uplink else None,
        "chassis_id": found.said("chassis_id") or None,
        "serial_number": found.said("serial_number") or None,
    }
    if declared is None:
        if port == _DEFAULT_PORT:
            del facts["port"]
        head = {"id": named.id, "name": found.name or named.id, "kind": named.kind.value}
        remark = f"{found.vendor} {found.said('model')}".strip() or found.profile.title
        given = {key: value for key, value in facts.items() if value is not None}
        return Row(Path(str(swept.network)), 0, {**head, **given}, remark=remark)
    for key in _settled(declared, uplink, found):
        del facts[key]
    given = {key: value for key, value in facts.items() if value is not None}
    return Row(Path(str(swept.network)), 0, {"id": named.id, **given})


def _settled(declared: Device, uplink: End | None, found: Found) -> set[str]:
    """Return what a person decided, and a survey does not change."""
    settled: set[str] = set()
    if declared.snmp is not None:
        settled |= {"snmp", "port"}
    if declared.uplink is not None:
        settled.add("uplink")
        if declared.uplink_port is not None or uplink is None or uplink.device != declared.uplink:
            settled.add("uplink_port")
    if declared.address in found.own_addresses or not _is_address(declared.address):
        settled.add("address")
    return settled


def _is_address(text: str | None) -> bool:
    return text is None or text.replace(".", "").isdigit() or ":" in text


def _notes(
    named: Sequence[Named], absent: Iterable[Device], alive: frozenset[str]
) -> dict[str, str]:
    notes = {
        each.id: f"stopped answering half-way: {each.found.failure}"
        for each in named
        if each.found.failure
    }
    for each in named:
        declared, seen = each.declared, each.uplink
        if declared is None or declared.uplink is None or seen is None:
            continue
        if seen.device != declared.uplink:
            notes[each.id] = f"declared behind {declared.uplink}, seen at {_end(seen)}"
        elif declared.uplink_port and port_key(declared.uplink_port) != port_key(seen.port):
            notes[each.id] = f"declared at port {declared.uplink_port}, seen at {_end(seen)}"
    for device in absent:
        if device.address in alive and device.snmp is not None:
            notes[device.id] = "answers ICMP, but not SNMP with any of the credentials"
    return notes


def _end(end: End) -> str:
    return f"{end.device} {end.port}".strip()
