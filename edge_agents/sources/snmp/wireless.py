"""Access points seen through a controller, and which device of the inventory each is.

A profile's tables call an access point by what its controller knows it by: a
MAC address, a serial number, a row's index. That key is in the tag `device` of
`access_point`, `radio` and `wifi_clients` readings, and becomes an inventory
id here. An access point polled by itself has no such key: its readings are
about the device that was asked.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

from campuswatch.inventory.models import Device
from campuswatch.inventory.slugs import slug
from campuswatch.measurements import CATALOGUE
from campuswatch.readings import FieldValue, Reading
from campuswatch.wifi import normalise_bssid

log = logging.getLogger(__name__)

_ACCESS_POINT: Final = CATALOGUE["access_point"]
_AVAILABILITY: Final = CATALOGUE["availability"]
_TOLD: Final = frozenset({"access_point", "radio", "wifi_clients"})
_ID_LENGTH: Final = 63
_SHOWN: Final = 5
_INTERVALS_BELIEVED: Final = 3
_NANOSECONDS: Final = 1_000_000_000


@dataclass
class Description:
    """What a controller says of an access point; "" where it says nothing."""

    name: str = ""
    serial_number: str = ""
    address: str = ""
    macs: set[str] = field(default_factory=set)

    def learn(self, fields: Mapping[str, FieldValue]) -> None:
        """Take over what an `access_point` or `radio` reading says."""
        self.name = str(fields.get("name", self.name))
        self.serial_number = str(fields.get("serial_number", self.serial_number))
        self.address = str(fields.get("address", self.address))
        for name in ("mac", "bssid"):
            if mac := _mac(str(fields.get(name, ""))):
                self.macs.add(mac)


@dataclass(frozen=True)
class _Word:
    """What one controller said last of one declared access point."""

    controller: str
    up: bool
    until: int


class AccessPointDirectory:
    """The access points of a school, and what its controllers say of each.

    Args:
        devices: the school's.
    """

    def __init__(self, devices: Iterable[Device]) -> None:
        known = list(devices)
        self._ids = {device.id for device in known}
        self._serial_numbers = {
            device.serial_number.casefold(): device for device in known if device.serial_number
        }
        self._macs = {mac: device for device in known for mac in device.bssids}
        self._macs |= {_mac(device.chassis_id): device for device in known if device.chassis_id}
        self._names = {device.id: device for device in known}
        self._names |= {device.name.casefold(): device for device in known}
        self._addresses = {device.address: device for device in known if device.address}
        self._called: dict[str, str] = {}
        self._words: dict[str, _Word] = {}

    def declared(self, description: Description) -> Device | None:
        """Return the device that an access point is declared as.

        What cannot be mistaken comes first: serial number, MAC address or
        BSSID, name in either case, address.
        """
        found = self._serial_numbers.get(description.serial_number.casefold())
        for mac in sorted(description.macs):
            found = found or self._macs.get(mac)
        found = found or self._names.get(description.name.casefold())
        return found or self._addresses.get(description.address)

    def name(self, key: str, description: Description) -> str:
        """Return an id for an access point that nobody declared, the same at every controller.

        It is made of the name; where that is not enough to tell it from others,
        of its serial number, its MAC address or the controller's key too.
        """
        mac = min(description.macs, default="")
        identity = description.serial_number or mac or key
        made = slug(description.name)[:_ID_LENGTH].strip("-")
        if not made or not description.name.isascii() or not self._free(made, identity):
            tail = slug(mac.replace(":", "") or identity)
            made = f"{made[: _ID_LENGTH - len(tail) - 1]}-{tail}".strip("-")
        self._called[made] = identity
        return made

    def _free(self, made: str, identity: str) -> bool:
        return made not in self._ids and self._called.get(made, identity) == identity

    def heard(self, device: str, word: _Word, now: int) -> bool:
        """Note what a controller says; return whether that is now what counts.

        An access point may move to another controller: the one it left says
        "down", the one it joined says "up", and up is right.
        """
        before = self._words.get(device)
        if (
            before is not None
            and before.controller != word.controller
            and before.up
            and not word.up
            and before.until > now
        ):
            return False
        self._words[device] = word
        return True

    def said_down(self, device: str, now: int) -> str:
        """Return why a device is down although it may answer itself; "" if it is not.

        Args:
            device: its id.
            now: nanoseconds since 1970-01-01 UTC.
        """
        word = self._words.get(device)
        if word is None or word.up or word.until <= now:
            return ""
        return f"controller {word.controller} says: down"


class ControllerView:
    """What one polled device says of access points.

    Args:
        device: the controller, or an access point that is polled by itself.
        directory: of its school.
    """

    def __init__(self, device: Device, directory: AccessPointDirectory) -> None:
        self._device = device
        self._directory = directory
        self._interval = device.interval.total_seconds()
        self._descriptions: dict[str, Description] = {}
        self._declared: dict[str, Device] = {}
        self._named: dict[str, str] = {}

    def resolved(self, readings: list[Reading], time: int) -> list[Reading]:
        """Return readings in which access points have ids instead of keys.

        What the controller says of a declared one's state is also its
        `availability`, if it is not asked itself; so is that the controller
        lists it no more.

        Args:
            readings: of one poll.
            time: of the poll, in nanoseconds since 1970-01-01 UTC.
        """
        self._learn(readings)
        found: list[Reading] = []
        states: dict[str, bool] = {}
        for reading in readings:
            key = self._key(reading)
            if key is None:
                found.append(reading)
                continue
            found.append(self._about(key, reading))
            if reading.measurement == _ACCESS_POINT.name and "state" in reading.fields:
                states[key] = bool(reading.fields["state"])
        if states:
            found += self._vanished(states, time)
            found += self._availability(states, time)
        return found

    def _key(self, reading: Reading) -> str | None:
        if reading.measurement not in _TOLD or reading.tags["device"] == self._device.id:
            return None
        return reading.tags["device"]

    def _learn(self, readings: list[Reading]) -> None:
        for reading in readings:
            key = self._key(reading)
            if key is not None and reading.measurement != "wifi_clients":
                self._descriptions.setdefault(key, Description()).learn(reading.fields)
        new = self._descriptions.keys() - self._declared.keys() - self._named.keys()
        for key in new:
            device = self._directory.declared(self._descriptions[key])
            if device is not None:
                self._declared[key] = device
            else:
                self._named[key] = self._directory.name(key, self._descriptions[key])
        if unknown := sorted(self._named[key] for key in new & self._named.keys()):
            more = f" and {len(unknown) - _SHOWN} more" if len(unknown) > _SHOWN else ""
            shown = ", ".join(unknown[:_SHOWN])
            log.info("%s: access points not declared: %s%s", self._device.id, shown, more)

    def _about(self, key: str, reading: Reading) -> Reading:
        tags = {**reading.tags, "controller": self._device.id, "device": self._id(key)}
        tags.pop("room", None)
        if (device := self._declared.get(key)) is not None and device.room:
            tags["room"] = device.room
        fields = dict(reading.fields)
        if mac := _mac(str(fields.get("mac", ""))):
            fields["mac"] = mac
        return Reading(reading.measurement, tags, fields, reading.time)

    def _id(self, key: str) -> str:
        if (device := self._declared.get(key)) is not None:
            return device.id
        return self._named.get(key) or self._directory.name(key, Description())

    def _vanished(self, states: dict[str, bool], time: int) -> list[Reading]:
        """Add the declared ones that were listed, and are no more, to those that are down."""
        gone = [key for key in self._declared if key not in states]
        states |= dict.fromkeys(gone, False)
        return [
            self._about(
                key,
                _ACCESS_POINT.reading({"device": self._device.id}, {"state": 0}, time),
            )
            for key in gone
        ]

    def _availability(self, states: Mapping[str, bool], time: int) -> list[Reading]:
        until = time + int(_INTERVALS_BELIEVED * self._interval * _NANOSECONDS)
        found: list[Reading] = []
        for key, up in states.items():
            device = self._declared.get(key)
            if device is None:
                continue
            word = _Word(self._device.id, up, until)
            if self._directory.heard(device.id, word, time) and not _asked_itself(device):
                found.append(self._available(device, up, time))
        return found

    def _available(self, device: Device, up: bool, time: int) -> Reading:
        fields: dict[str, FieldValue | None] = {
            "up": int(up),
            "service_up": int(up),
            "interval": self._interval,
            "reason": None if up else self._directory.said_down(device.id, time),
        }
        return _AVAILABILITY.reading({"device": device.id, "room": device.room or ""}, fields, time)


def _asked_itself(device: Device) -> bool:
    return device.address is not None and (device.ping or device.snmp is not None)


def _mac(text: str) -> str:
    try:
        return normalise_bssid(text)
    except ValueError:
        return ""
