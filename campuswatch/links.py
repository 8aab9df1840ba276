"""From what devices hear of each other to the cables between them."""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import product

from campuswatch.identities import Identities, plain_name
from campuswatch.neighbours import Neighbour, port_key


class Sight(StrEnum):
    """How certain a link is."""

    CONFIRMED = "confirmed"
    """Both ends report each other."""
    ONE_SIDED = "one-sided"
    """One end reports the other, which reports nobody there."""
    CONTRADICTORY = "contradictory"
    """One end reports the other, which reports somebody else there."""


@dataclass(frozen=True, order=True, slots=True)
class End:
    """One end of a cable.

    Attributes:
        device: id of the device.
        port: the port's name as the device itself has it, as far as it is
            known; "" if not at all.
    """

    device: str
    port: str


@dataclass(frozen=True, slots=True)
class Link:
    """A cable between two devices of the inventory; what heard of it first is `first`."""

    first: End
    second: End
    sight: Sight

    @property
    def ends(self) -> tuple[End, End]:
        return self.first, self.second

    @property
    def devices(self) -> frozenset[str]:
        return frozenset({self.first.device, self.second.device})

    def end(self, device_id: str) -> End:
        """Return this device's end."""
        return self.first if self.first.device == device_id else self.second

    def far_end(self, device_id: str) -> End:
        """Return the end that is not this device's."""
        return self.second if self.first.device == device_id else self.first


@dataclass(frozen=True)
class Cabling:
    """All that neighbours tell.

    Attributes:
        links: between devices of the inventory, sorted.
        strangers: neighbours that are none of these.
        telling: the devices that tell of any neighbour; the others may have some.
    """

    links: Sequence[Link]
    strangers: Sequence[Neighbour]
    telling: frozenset[str]

    @property
    def linked(self) -> set[str]:
        """The devices that have a link."""
        return {end.device for link in self.links for end in link.ends}

    def of(self, device_id: str) -> list[Link]:
        """Return the links of a device."""
        return [link for link in self.links if device_id in link.devices]

    def between(self, one: str, other: str) -> list[Link]:
        """Return the links of two devices, those that are certain first."""
        found = [link for link in self.links if link.devices == {one, other}]
        return sorted(found, key=lambda link: list(Sight).index(link.sight))

    def tree(self, roots: Iterable[str]) -> dict[str, Link]:
        """Return for each device that the roots reach the link that leads back to them.

        Contradictory links are not followed. The way is the shortest; of
        several as short, a confirmed one, and then the first by name.
        """
        ways: defaultdict[str, list[Link]] = defaultdict(list)
        for link in sorted(self.links, key=lambda link: list(Sight).index(link.sight)):
            if link.sight is not Sight.CONTRADICTORY:
                for end in link.ends:
                    ways[end.device].append(link)
        back: dict[str, Link] = {}
        waiting = deque(roots)
        reached = set(waiting)
        while waiting:
            device = waiting.popleft()
            for link in ways[device]:
                further = link.far_end(device).device
                if further not in reached:
                    reached.add(further)
                    back[further] = link
                    waiting.append(further)
        return back


@dataclass(frozen=True, slots=True)
class _Claim:
    """A device's word that another one is at the end of one of its cables."""

    heard: Neighbour
    other: str

    @property
    def device(self) -> str:
        return self.heard.device


def cabling(heard: Iterable[Neighbour], identities: Identities) -> Cabling:
    """Turn neighbours into links.

    Args:
        heard: what the devices of the inventory hear.
        identities: what these devices are known by.
    """
    claims: dict[tuple[str, str, str], _Claim] = {}
    strangers: list[Neighbour] = []
    # LLDP names both ports; what CDP tells of the same cable adds nothing.
    for each in sorted(heard, key=lambda each: (each.protocol != "lldp", each.interface)):
        other = identities.find(
            chassis=each.chassis, address=each.address, name=each.name or each.chassis
        )
        if other is None:
            strangers.append(each)
        elif other != each.device:
            key = (each.device, port_key(each.interface), other)
            claims.setdefault(key, _Claim(each, other))
    by_device: defaultdict[tuple[str, str], list[_Claim]] = defaultdict(list)
    for claim in claims.values():
        by_device[claim.device, claim.other].append(claim)
    pairs = {tuple(sorted(pair)) for pair in by_device}
    ports = _heard_at(claims.values(), strangers)
    links = [
        link
        for one, other in pairs
        for link in _links(by_device[one, other], by_device[other, one], ports)
    ]
    return Cabling(
        sorted(links, key=lambda link: link.ends),
        _once(strangers),
        frozenset(claim.device for claim in claims.values())
        | {stranger.device for stranger in strangers},
    )


def _links(
    these: Sequence[_Claim], those: Sequence[_Claim], ports: Mapping[tuple[str, str], set[str]]
) -> Iterable[Link]:
    """Match what two devices say of each other, those that name the same ports first."""
    left, right = list(these), list(those)
    matches = sorted(product(these, those), key=lambda pair: -_agreement(*pair))
    for one, other in matches:
        if one in left and other in right:
            left.remove(one)
            right.remove(other)
            yield Link(
                End(one.device, one.heard.interface),
                End(other.device, other.heard.interface),
                Sight.CONFIRMED,
            )
    for claim in (*left, *right):
        yield _alone(claim, ports)


def _agreement(one: _Claim, other: _Claim) -> int:
    return one.heard.says_port(other.heard.interface) + other.heard.says_port(one.heard.interface)


def _alone(claim: _Claim, ports: Mapping[tuple[str, str], set[str]]) -> Link:
    """Return the link of a claim that the other device does not return."""
    heard = claim.heard
    keys = {port_key(heard.port), port_key(heard.port_description)} - {""}
    there = set().union(*(ports.get((claim.other, key), set()) for key in keys))
    sight = Sight.CONTRADICTORY if there - {claim.device} else Sight.ONE_SIDED
    return Link(End(claim.device, heard.interface), End(claim.other, heard.its_port), sight)


def _heard_at(
    claims: Iterable[_Claim], strangers: Iterable[Neighbour]
) -> dict[tuple[str, str], set[str]]:
    """Return by device and port who is heard there; "" stands for strangers."""
    found: defaultdict[tuple[str, str], set[str]] = defaultdict(set)
    for claim in claims:
        found[claim.device, port_key(claim.heard.interface)].add(claim.other)
    for stranger in strangers:
        found[stranger.device, port_key(stranger.interface)].add("")
    return found


def _once(strangers: Iterable[Neighbour]) -> list[Neighbour]:
    """Leave out what CDP tells of a neighbour that LLDP tells of too."""
    found: dict[tuple[str, str, str], Neighbour] = {}
    for each in strangers:
        known_as = plain_name(each.name or each.chassis).casefold()
        found.setdefault((each.device, port_key(each.interface), known_as), each)
    return sorted(found.values(), key=lambda each: (each.device, each.interface, each.remote))
