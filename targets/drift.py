"""The declared uplinks compared with the cables that devices see."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from campuswatch.inventory.models import Device, DeviceKind, School
from campuswatch.links import Cabling, End, Link, Sight
from campuswatch.neighbours import Neighbour, port_key
from targets.topology import Topology, rooms_served


class Standing(StrEnum):
    """How a declared uplink compares with what is seen."""

    AS_DECLARED = "as-declared"
    OTHER_PORT = "other-port"
    """It is plugged into its uplink, but into another port."""
    OTHER_UPLINK = "other-uplink"
    """It is plugged into another device."""
    NOT_SEEN = "not-seen"
    """Both ends tell their neighbours, and neither tells of the other."""
    CANNOT_TELL = "cannot-tell"
    """One end tells nothing: it has no LLDP, or is not read."""


DRIFT = frozenset({Standing.OTHER_PORT, Standing.OTHER_UPLINK, Standing.NOT_SEEN})
"""What says that the inventory or a cable is wrong."""


@dataclass(frozen=True)
class Uplink:
    """One declared uplink.

    Attributes:
        device: whose.
        declared: where it should be plugged; the port is "" if none is declared.
        seen: where it is plugged; None if that is not seen.
        standing: how the two compare.
        link: the cable that is seen.
    """

    device: Device
    declared: End
    seen: End | None
    standing: Standing
    link: Link | None


@dataclass(frozen=True)
class Comparison:
    """A school's declared uplinks and its cables.

    Attributes:
        school: the school.
        uplinks: those that are declared, in the inventory's order.
        undeclared: cables that are no device's uplink.
        strangers: neighbours that the inventory does not have.
        cabling: all the cables.
    """

    school: School
    uplinks: tuple[Uplink, ...]
    undeclared: tuple[Link, ...]
    strangers: tuple[Neighbour, ...]
    cabling: Cabling = field(repr=False)

    @property
    def contradictory(self) -> list[Link]:
        """Cables whose ends do not agree."""
        return [link for link in self.cabling.links if link.sight is Sight.CONTRADICTORY]

    @property
    def has_drifted(self) -> bool:
        """Whether the inventory or a cable is wrong."""
        drifted = any(uplink.standing in DRIFT for uplink in self.uplinks)
        return drifted or bool(self.undeclared or self.contradictory)

    @property
    def tells_nothing(self) -> bool:
        """Whether no device tells of any neighbour."""
        return not self.cabling.links and not self.strangers


def compare(school: School, cables: Cabling) -> Comparison:
    """Compare the uplinks that a school declares with its cables."""
    devices = {device.id: device for device in school.devices}
    tree = cables.tree(_roots(school, cables.linked))
    uplinks = tuple(
        _uplink(device, device.uplink, cables, tree)
        for device in school.devices
        if device.uplink is not None
    )
    explained = {uplink.link for uplink in uplinks if uplink.link is not None}
    undeclared = tuple(
        link for link in cables.links if link not in explained and not _is_declared(link, devices)
    )
    return Comparison(school, uplinks, undeclared, tuple(cables.strangers), cables)


def _roots(school: School, linked: set[str]) -> list[str]:
    """Return the devices nearest to the internet among those with links."""
    topology = Topology(school.devices)
    depths = {device: len(topology.path(device)) for device in topology.devices if device in linked}
    return [device for device, depth in depths.items() if depth == min(depths.values())]


def _is_declared(link: Link, devices: Mapping[str, Device]) -> bool:
    first, second = (devices[end.device] for end in link.ends)
    return first.uplink == second.id or second.uplink == first.id


def _uplink(device: Device, uplink: str, cables: Cabling, tree: Mapping[str, Link]) -> Uplink:
    declared = End(uplink, device.uplink_port or "")
    if links := cables.between(device.id, uplink):
        link = next((each for each in links if _fits(each.end(uplink), declared)), links[0])
        fits = _fits(link.end(uplink), declared)
        standing = Standing.AS_DECLARED if fits else Standing.OTHER_PORT
        return Uplink(device, declared, link.end(uplink), standing, link)
    telling = cables.telling & {device.id, uplink}
    if telling and (back := tree.get(device.id)) is not None:
        seen = back.far_end(device.id)
        return Uplink(device, declared, seen, Standing.OTHER_UPLINK, back)
    standing = Standing.NOT_SEEN if len(telling) == 2 else Standing.CANNOT_TELL
    return Uplink(device, declared, None, standing, None)


def _fits(seen: End, declared: End) -> bool:
    """Return whether a port may be the declared one; one that is not known may be any."""
    wanted, found = port_key(declared.port), port_key(seen.port)
    return not wanted or not found or wanted == found


@dataclass(frozen=True)
class Hop:
    """One step on a way to the internet.

    Attributes:
        device: the device.
        uplink: how it reaches the next one; None for the last.
    """

    device: Device
    uplink: Uplink | None


def ways(comparison: Comparison, room: str) -> list[list[Hop]]:
    """Return how a room reaches the internet: a way for each device that serves it.

    A device that is seen plugged elsewhere goes on from there.
    """
    uplinks = {uplink.device.id: uplink for uplink in comparison.uplinks}
    devices = {device.id: device for device in comparison.school.devices}
    return [
        list(_climb(device, devices, uplinks))
        for device in _serving(comparison.school.devices, room)
    ]


def _serving(devices: Sequence[Device], room: str) -> list[Device]:
    """Return the access points that serve a room; without any, what is plugged in there."""
    access_points = [
        device
        for device in devices
        if device.kind is DeviceKind.AP and room in rooms_served(device)
    ]
    return access_points or [device for device in devices if device.room == room and device.uplink]


def _climb(
    device: Device, devices: Mapping[str, Device], uplinks: Mapping[str, Uplink]
) -> Iterator[Hop]:
    passed: set[str] = set()
    here: Device | None = device
    while here is not None and here.id not in passed:
        passed.add(here.id)
        uplink = uplinks.get(here.id)
        yield Hop(here, uplink)
        above = None if uplink is None else (uplink.seen or uplink.declared).device
        here = devices.get(above) if above else None
