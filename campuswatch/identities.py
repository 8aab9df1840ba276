"""Which device of the inventory is meant by what a device says of itself."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True)
class Identity:
    """What one device is known by.

    Attributes:
        device: its id.
        chassis: chassis ids, as LLDP sends them.
        serials: serial numbers.
        addresses: IP addresses.
        names: sysName and the like.
    """

    device: str
    chassis: frozenset[str] = frozenset()
    serials: frozenset[str] = frozenset()
    addresses: frozenset[str] = frozenset()
    names: frozenset[str] = frozenset()


class Identities:
    """Finds devices by what they say of themselves.

    What several devices have in common says nothing: a sysName that nobody
    set, an address behind which there are several.
    """

    def __init__(self, known: Iterable[Identity]) -> None:
        self._devices: defaultdict[tuple[str, str], set[str]] = defaultdict(set)
        for identity in known:
            for key, words in (
                ("chassis", identity.chassis),
                ("serial", identity.serials),
                ("address", identity.addresses),
                ("name", identity.names),
            ):
                for word in words - {""}:
                    self._devices[key, word.casefold()].add(identity.device)

    def find(
        self, *, chassis: str = "", serial: str = "", address: str = "", name: str = ""
    ) -> str | None:
        """Return the id of the device; None if it is none of the known, or several.

        A chassis id decides before a serial number, this before an address,
        and this before a name. A name may carry a domain or, in brackets, a
        serial number, as CDP's do.
        """
        asked = [
            ("chassis", chassis),
            ("serial", serial),
            ("address", address),
            ("name", name),
            ("name", plain_name(name)),
        ]
        for key, word in asked:
            devices = self._devices.get((key, word.casefold()), set())
            if len(devices) == 1:
                return next(iter(devices))
        return None


def plain_name(name: str) -> str:
    """Return a sysName without a domain, and without the serial number that NX-OS adds for CDP."""
    return name.partition("(")[0].partition(".")[0]
