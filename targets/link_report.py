"""The JSON form of a school's cables."""

from __future__ import annotations

from collections.abc import Sequence

from pydantic import BaseModel, ConfigDict

from campuswatch.inventory.models import DeviceKind
from campuswatch.links import End, Link, Sight
from campuswatch.neighbours import Neighbour
from targets.drift import Comparison, Hop, Standing, Uplink, ways
from targets.verdicts import Instant


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True)


class EndPart(_Part):
    """One end of a cable; the port is None where it is not known."""

    device: str
    port: str | None

    @classmethod
    def of(cls, end: End) -> EndPart:
        """Return the form of an end."""
        return cls(device=end.device, port=end.port or None)


class LinkPart(_Part):
    """A cable between two devices."""

    ends: tuple[EndPart, EndPart]
    sight: Sight

    @classmethod
    def of(cls, link: Link) -> LinkPart:
        """Return the form of a link."""
        return cls(ends=(EndPart.of(link.first), EndPart.of(link.second)), sight=link.sight)


class UplinkPart(_Part):
    """A declared uplink, and what is seen of it."""

    device: str
    standing: Standing
    declared: EndPart
    seen: EndPart | None
    sight: Sight | None

    @classmethod
    def of(cls, uplink: Uplink) -> UplinkPart:
        """Return the form of an uplink."""
        return cls(
            device=uplink.device.id,
            standing=uplink.standing,
            declared=EndPart.of(uplink.declared),
            seen=None if uplink.seen is None else EndPart.of(uplink.seen),
            sight=None if uplink.link is None else uplink.link.sight,
        )


class StrangerPart(_Part):
    """A neighbour that the inventory does not have, and where it is plugged."""

    at: EndPart
    protocol: str
    chassis: str | None
    port: str | None
    name: str | None
    description: str | None
    address: str | None

    @classmethod
    def of(cls, stranger: Neighbour) -> StrangerPart:
        """Return the form of a neighbour."""
        return cls(
            at=EndPart(device=stranger.device, port=stranger.interface),
            protocol=stranger.protocol,
            chassis=stranger.chassis or None,
            port=stranger.its_port or None,
            name=stranger.name or None,
            description=stranger.description or None,
            address=stranger.address or None,
        )


class HopPart(_Part):
    """A device on the way to the internet, and how it reaches the next; None for the last."""

    device: str
    kind: DeviceKind
    uplink: UplinkPart | None

    @classmethod
    def of(cls, hop: Hop) -> HopPart:
        """Return the form of a hop."""
        uplink = None if hop.uplink is None else UplinkPart.of(hop.uplink)
        return cls(device=hop.device.id, kind=hop.device.kind, uplink=uplink)


class SchoolPart(_Part):
    """A school's uplinks and cables."""

    id: str
    name: str
    drifted: bool
    uplinks: tuple[UplinkPart, ...]
    links: tuple[LinkPart, ...]
    undeclared: tuple[LinkPart, ...]
    unknown_devices: tuple[StrangerPart, ...]
    ways: tuple[tuple[HopPart, ...], ...] | None = None

    @classmethod
    def of(cls, comparison: Comparison, room: str | None) -> SchoolPart:
        """Return the form of a school, with the ways of a room if one is asked for."""
        return cls(
            id=comparison.school.id,
            name=comparison.school.name,
            drifted=comparison.has_drifted,
            uplinks=tuple(map(UplinkPart.of, comparison.uplinks)),
            links=tuple(map(LinkPart.of, comparison.cabling.links)),
            undeclared=tuple(map(LinkPart.of, comparison.undeclared)),
            unknown_devices=tuple(map(StrangerPart.of, comparison.strangers)),
            ways=None if room is None else tuple(map(_hops, ways(comparison, room))),
        )


def _hops(way: Sequence[Hop]) -> tuple[HopPart, ...]:
    return tuple(map(HopPart.of, way))


class LinkReport(_Part):
    """The cables of some schools at a moment."""

    generated: Instant
    schools: tuple[SchoolPart, ...]
