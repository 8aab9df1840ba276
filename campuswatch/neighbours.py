"""What a port hears of the device at the other end of its cable.

Readings `neighbour` come from LLDP (IEEE 802.1AB) and CDP. This module gives
them a shape, and says when two names mean the same port.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from campuswatch.readings import FieldValue, Reading

MEASUREMENT: Final = "neighbour"
TAGS: Final = ("device", "interface", "protocol", "remote")

_SPEEDS: Final = {
    "fe": ("fastethernet", "fa", "fas", "fe"),
    "ge": ("gigabitethernet", "gigaethernet", "gige", "gi", "gig", "ge"),
    "xge": ("tengigabitethernet", "xgigabitethernet", "tengige", "ten", "te", "tf", "xge", "xg"),
    "25ge": ("twentyfivegige", "twentyfivegigabitethernet", "twe", "25ge"),
    "40ge": ("fortygige", "fortygigabitethernet", "fo", "40ge"),
    "100ge": ("hundredgige", "hundredgigabitethernet", "hu", "100ge"),
    "eth": ("ethernet", "eth", "et"),
}
_SHORT: Final = {spelling: short for short, spellings in _SPEEDS.items() for spelling in spellings}
_PORT: Final = re.compile(r"(?P<kind>(?:25|40|100)?[a-z]+)(?P<number>\d[\d/.:]*)")
_MAC: Final = re.compile(r"[0-9a-f]{2}(?::[0-9a-f]{2}){5}")


@dataclass(frozen=True, slots=True)
class Neighbour:
    """One neighbour of one port.

    Attributes:
        device: id of the device that hears it.
        interface: the port that hears it.
        protocol: "lldp" or "cdp".
        remote: what tells neighbours of one port apart.
        chassis: its chassis id, "" like all that follows if it sent none.
        port: the id of its port.
        port_description: what it calls the port in words.
        name: its sysName.
        description: its sysDescr, or what CDP calls its platform.
        address: its management address.
        capabilities: what it does, as the catalogue's row says; None if unknown.
    """

    device: str
    interface: str
    protocol: str
    remote: str
    chassis: str = ""
    port: str = ""
    port_description: str = ""
    name: str = ""
    description: str = ""
    address: str = ""
    capabilities: int | None = None

    @property
    def its_port(self) -> str:
        """The best name it gives its own port; "" if it gives none but a MAC address."""
        if self.port and not _MAC.fullmatch(self.port):
            described = bool(_known(self.port_description))
            return self.port_description if described and not _known(self.port) else self.port
        return self.port_description

    def says_port(self, interface: str) -> bool:
        """Return whether `interface` is what it calls its own port."""
        wanted = port_key(interface)
        return wanted in (port_key(self.port), port_key(self.port_description))


def neighbour(tags: Mapping[str, str], fields: Mapping[str, FieldValue | None]) -> Neighbour:
    """Return the neighbour that a stored reading, or parts of it, tells of."""
    capabilities = fields.get("capabilities")

    def text(key: str) -> str:
        return str(fields.get(key) or "")

    return Neighbour(
        device=tags.get("device", ""),
        interface=tags.get("interface", ""),
        protocol=tags.get("protocol", ""),
        remote=tags.get("remote", ""),
        chassis=text("chassis"),
        port=text("port"),
        port_description=text("port_description"),
        name=text("name"),
        description=text("description"),
        address=text("address"),
        capabilities=int(capabilities) if isinstance(capabilities, int | float) else None,
    )


def neighbours(readings: Iterable[Reading]) -> list[Neighbour]:
    """Return the neighbours that the readings of one poll tell of.

    One neighbour may be told of by several readings with the same tags.
    """
    found: dict[tuple[str, ...], dict[str, FieldValue]] = {}
    for reading in readings:
        if reading.measurement == MEASUREMENT:
            identity = tuple(reading.tags.get(tag, "") for tag in TAGS)
            found.setdefault(identity, {}).update(reading.fields)
    return [neighbour(dict(zip(TAGS, tags, strict=True)), fields) for tags, fields in found.items()]


def port_key(name: str) -> str:
    """Return what all spellings of a port's name have in common.

    "GigabitEthernet 0/1", "Gi0/1" and "ge0/1" are one port; a name that is
    spelt in no known way stays as it is, in lower case.
    """
    plain = re.sub(r"[\s_-]", "", name.casefold())
    found = _PORT.fullmatch(plain)
    if found is None:
        return plain
    return _SHORT.get(found["kind"], found["kind"]) + found["number"]


def _known(name: str) -> bool:
    return _PORT.fullmatch(re.sub(r"[\s_-]", "", name.casefold())) is not None
