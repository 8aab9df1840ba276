"""What the small devices of a classroom feel: its air, its people, its Wi-Fi."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from campuswatch.calendar import SECOND, SchoolCalendar
from campuswatch.inventory.models import Device, DeviceKind, MqttAddress, School
from simulator.noise import between, drift, unit
from simulator.tally import Tally
from simulator.world import Trouble, World

_OUTDOOR_CO2: Final = 430.0
_FULL_ROOM_CO2: Final = 1750.0
_AIRING: Final = 1500.0
"""Seconds in which a room's air comes 63 % of the way to its balance."""
_WARM_UP: Final = 3 * 3600.0
_MINUTE: Final = 60.0
_POWER_LOSS: Final = 30.0
"""dB by which an access point with weak transmission is quieter."""
_FRESH_BATTERY_V: Final = 3.1
_SIGNAL: Final = "wifi_signal"
_ON_WIFI: Final = frozenset({"tasmota", "shelly", "shelly-gen1", "esphome", "homeassistant"})
"""Ecosystems whose devices hang on an access point; the others have a gateway."""
_CHANNELS: Final = {"2.4": (1, 6, 11), "5": (36, 44, 149, 157)}
"""Bands, as the catalogue tags them, and the channels that are in use."""
_BAND_LOSS: Final = {"2.4": 0.0, "5": 6.0}
"""dB that a band's signal is weaker by."""

Values = Mapping[str, float | str]


@dataclass
class _Air:
    time: float
    co2: float


class Rooms:
    """Values of every field that a small device may publish."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._calendars = {
            school.id: SchoolCalendar.of(world.inventory, school)
            for school in world.inventory.schools
        }
        self._air: dict[str, _Air] = {}
        self._meters: dict[str, Tally] = {}
        self._mappings = {mapping.id: mapping for mapping in world.inventory.mappings}
        self._makers: Mapping[str, Callable[[Device, float], Sequence[Values]]] = {
            "environment": self._environment,
            "presence": self._presence,
            "power": self._power,
            "device_health": self._health,
            _SIGNAL: self._signals,
        }

    def values(self, device: Device, measurement: str, now: float) -> Sequence[Values]:
        """Return tags and fields of a measurement, as the catalogue names and measures them.

        More than one if there is more than one thing to say, such as a signal
        for each band; none if the device can't know.
        """
        maker = self._makers.get(measurement)
        return () if maker is None else maker(device, now)

    def reaches_broker(self, device: Device, now: float) -> bool:
        """Return whether what a device publishes arrives at its school's broker.

        A device that reports a Wi-Fi signal depends on an access point; the
        others, unless they name an uplink, on their school's radio gateway.
        """
        world = self._world
        if world.has(Trouble.SILENT, device.id) or not world.answers(device.id, now):
            return False
        if device.uplink is not None:
            return True
        if any(self._is_on_wifi(entry) for entry in device.mqtt):
            return self._access_point(device, now) is not None
        school = world.school_of(device.id)
        gateways = [other for other in school.devices if other.kind is DeviceKind.GATEWAY]
        return all(world.answers(gateway.id, now) for gateway in gateways)

    def _is_on_wifi(self, entry: MqttAddress) -> bool:
        if entry.mapping is None:
            return entry.decoder in _ON_WIFI
        return self._mappings[entry.mapping].measurement == _SIGNAL

    def _environment(self, device: Device, now: float) -> Sequence[Values]:
        occupied = self._occupied(device, now)
        hour = self._local_hour(device, now)
        daylight = max(0.0, math.sin(math.pi * (hour - 6) / 12))
        dust = 24 + 14 * self._wander(device, now, 7200, "dust")
        values: Values = {
            "temperature": 20
            + 3 * math.sin(math.pi * (hour - 9) / 12)
            + 1.5 * occupied
            + 0.6 * self._wander(device, now, 1800, "temperature"),
            "humidity": 48 + 9 * self._wander(device, now, 5400, "humidity") + 4 * occupied,
            "co2": self._co2(device, now) + 15 * self._wander(device, now, 120, "co2"),
            "pm2_5": dust,
            "pm10": dust * 1.6,
            "illuminance": 20 + 480 * daylight + 300 * occupied,
            "noise": 34 + 24 * occupied + 4 * self._wander(device, now, 60, "noise"),
            "pressure": 101_300 + 900 * self._wander(device, now, 43_200, "pressure"),
        }
        return [values]

    def _co2(self, device: Device, now: float) -> float:
        """Let the air drift towards its balance, minute by minute (a well-mixed room)."""
        air = self._air.setdefault(device.id, _Air(now - _WARM_UP, _OUTDOOR_CO2))
        while now - air.time >= _MINUTE:
            balance = _FULL_ROOM_CO2 if self._occupied(device, air.time) else _OUTDOOR_CO2
            air.co2 += (balance - air.co2) * _MINUTE / _AIRING
            air.time += _MINUTE
        return air.co2

    def _presence(self, device: Device, now: float) -> Sequence[Values]:
        occupied = self._occupied(device, now)
        seats = self._seats(device)
        opened = unit(self._world.seed, "door", device.id, int(now / 300)) < 0.15
        values: Values = {
            "occupancy": int(occupied),
            "door": int(opened and not occupied),
            "people": round(0.92 * seats) if occupied else 0,
        }
        return [values]

    def _power(self, device: Device, now: float) -> Sequence[Values]:
        power = self._watts(device, now)
        voltage = 228 + 4 * self._wander(device, now, 900, "voltage")
        meter = self._meters.get(device.id)
        if meter is None:
            backlog = between(1e8, 2e9, self._world.seed, "meter", device.id)
            meter = Tally(lambda at: self._watts(device, at), lambda: 0.0, now, backlog)
            self._meters[device.id] = meter
        values: Values = {
            "power": power,
            "voltage": voltage,
            "current": power / voltage,
            "energy": meter.total(now),
            "relay": 1,
        }
        return [values]

    def _watts(self, device: Device, now: float) -> float:
        if not self._occupied(device, now):
            return 1.4
        return 255 + 12 * self._wander(device, now, 300, "power")

    def _health(self, device: Device, now: float) -> Sequence[Values]:
        charge = between(45, 100, self._world.seed, "battery", device.id)
        values: Values = {
            "battery": round(charge),
            "battery_voltage": _FRESH_BATTERY_V - 0.4 * (100 - charge) / 100,
            "link_quality": round(70 + 20 * self._wander(device, now, 300, "link")),
        }
        return [values]

    def _signals(self, device: Device, now: float) -> Sequence[Values]:
        heard = self._access_point(device, now)
        return (
            [] if heard is None else [self._signal(device, now, band, heard) for band in _CHANNELS]
        )

    def _signal(self, device: Device, now: float, band: str, heard: tuple[Device, float]) -> Values:
        access_point, loss = heard
        seed = self._world.seed
        rssi = between(-58, -48, seed, "rssi", device.id) - loss - _BAND_LOSS[band]
        rssi += 2 * self._wander(device, now, 45, "rssi")
        noise = -95 + 2 * self._wander(device, now, 120, "noise floor")
        channels = _CHANNELS[band]
        channel = channels[int(unit(seed, "channel", access_point.id) * len(channels))]
        return {
            "rssi": round(rssi),
            "snr": round(rssi - noise),
            "noise": round(noise),
            "channel": channel,
            "ssid": "campus",
            "bssid": bssid(access_point),
            "band": band,
        }

    def _access_point(self, device: Device, now: float) -> tuple[Device, float] | None:
        """Return the access point a device is joined to, and the dB lost on the way."""
        seed = self._world.seed
        serving, others = self._world.access_points(device, now)
        candidates = [(candidate, 0.0) for candidate in serving] + [
            (candidate, between(20, 32, seed, "wall", device.id, candidate.id))
            for candidate in others
        ]
        heard = [
            (candidate, loss + _POWER_LOSS * self._world.has(Trouble.WEAK_SIGNAL, candidate.id))
            for candidate, loss in candidates
        ]
        return min(heard, key=lambda pair: pair[1], default=None)

    def _in_lesson(self, school: School, now: float) -> bool:
        start = int(now * SECOND)
        return bool(self._calendars[school.id].lessons(start, start + 1))

    def _occupied(self, device: Device, now: float) -> bool:
        return self._in_lesson(self._world.school_of(device.id), now)

    def _seats(self, device: Device) -> int:
        rooms = self._world.school_of(device.id).rooms()
        return next((room.seats for room in rooms if room.id == device.room), 0)

    def _local_hour(self, device: Device, now: float) -> float:
        zone = self._world.inventory.zone_of(self._world.school_of(device.id))
        local = dt.datetime.fromtimestamp(now, zone)
        return local.hour + local.minute / 60

    def _wander(self, device: Device, now: float, period: float, key: str) -> float:
        return drift(now, period, self._world.seed, key, device.id)


def bssid(access_point: Device) -> str:
    """Return the BSSID of an access point: as declared, or locally administered and made up."""
    if access_point.bssids:
        return access_point.bssids[0]
    digits = int(unit("bssid", access_point.id) * 2**40)
    return ":".join(f"{octet:02x}" for octet in (0x02, *digits.to_bytes(5)))
