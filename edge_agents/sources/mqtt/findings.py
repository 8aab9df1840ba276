"""Gathers what one message says, until it is readings."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping
from typing import Final

from campuswatch.inventory.models import Device
from campuswatch.measurements import CATALOGUE
from campuswatch.readings import FieldValue, Reading
from campuswatch.wifi import band_of_channel, normalise_bssid
from edge_agents.sources.mqtt.decoded import Decoded, Request, Site
from edge_agents.sources.mqtt.messages import PayloadError
from edge_agents.sources.mqtt.quantities import RSSI, SIGNAL, Quantity

OLDEST: Final = dt.timedelta(days=7)
NEWEST: Final = dt.timedelta(hours=1)
"""How far a payload's own time may lie in the past and in the future."""

MAX_SENSORS: Final = 16
MAX_BSSIDS: Final = 64
"""Sensors that a device may have, and access points it may meet; more are made-up names."""

_SSID_LENGTH: Final = 32  # octets, IEEE 802.11
_UNFIT_FOR_TAGS: Final = re.compile(r"[\x00-\x1f\x7f\\\ud800-\udfff]")


def fit_for_tag(text: str) -> str:
    """Return text without what no tag can hold."""
    return _UNFIT_FOR_TAGS.sub("", text).strip()[:200]


def plausible(time: dt.datetime, received: int) -> bool:
    """Return whether a time may be that of a payload which arrived at `received` (ns UTC)."""
    now = dt.datetime.fromtimestamp(received / 1e9, dt.UTC)
    return now - OLDEST <= time <= now + NEWEST


def nanoseconds(time: dt.datetime) -> int:
    """Return a time as nanoseconds UTC, exact to the microsecond."""
    return round(time.timestamp() * 1_000_000) * 1000


def network_time(value: object, received: int) -> int:
    """Return the time (RFC 3339) at which a network server had a message, ns UTC.

    The time of arrival if there is none, or none to be believed.
    """
    try:
        time = dt.datetime.fromisoformat(value) if isinstance(value, str) else None
        if time is not None and time.tzinfo is not None and plausible(time, received):
            return nanoseconds(time)
    except (ValueError, OverflowError):
        pass
    return received


class Few:
    """Names that a device has used; beyond a bound no new ones, each of which were a series.

    Args:
        most: the bound.
        what: words for them.
    """

    def __init__(self, most: int, what: str) -> None:
        self._most = most
        self._what = what
        self._names: set[str] = set()

    def admit(self, name: str) -> str:
        """Return a name.

        Raises:
            PayloadError: it is one too many.
        """
        if name not in self._names and len(self._names) >= self._most:
            raise PayloadError(f"expected at most {self._most} {self._what}")
        self._names.add(name)
        return name


class Findings:
    """What one message says of its device.

    A field that comes twice is a second sensor of the same kind: it goes into
    a reading with the tag `sensor`, and the first stays without one, so that a
    device with one sensor has plain series.

    Args:
        device: whose message it is.
        site: knows the access points.
        time: of the readings, ns UTC.
        names: what the device's entry says of names in its payloads.
        sensors: those that the device has shown.
        bssids: those that it has heard.
    """

    def __init__(
        self,
        device: Device,
        site: Site,
        time: int,
        *,
        names: Mapping[str, Quantity],
        sensors: Few,
        bssids: Few,
    ) -> None:
        self.problems: list[str] = []
        self._device = device
        self._site = site
        self._time = time
        self._names = names
        self._sensors = sensors
        self._bssids = bssids
        self._fields: dict[tuple[str, str], dict[str, FieldValue | None]] = {}
        self._signals: list[Reading] = []

    def take(
        self,
        name: str,
        quantity: Quantity | None,
        value: object,
        sensor: str = "",
        *,
        apart: bool = False,
    ) -> None:
        """Take a value; null and names without a quantity are passed over.

        Args:
            name: the payload's, for messages.
            quantity: what it stands for, unless the inventory says otherwise.
            value: as the payload has it.
            sensor: which of several sensors of the device it is from.
            apart: whether it gets the tag even if there is no other.
        """
        quantity = self._names.get(name, quantity)
        if value is None or quantity is None:
            return
        try:
            read = quantity.read(value)
            place = self._place(quantity, fit_for_tag(sensor), apart=apart)
        except PayloadError as error:
            self.problems.append(f"{name[:80]}: {error}")
        else:
            place[quantity.field] = read

    def _place(
        self, quantity: Quantity, sensor: str, *, apart: bool
    ) -> dict[str, FieldValue | None]:
        tagged = sensor and "sensor" in CATALOGUE[quantity.measurement].tags
        first = self._fields.get((quantity.measurement, ""), {})
        key = (quantity.measurement, "")
        if tagged and (apart or quantity.field in first):
            key = (quantity.measurement, self._sensors.admit(sensor))
        return self._fields.setdefault(key, {})

    def signal(
        self, rssi: object, *, bssid: object = None, ssid: object = None, channel: object = None
    ) -> None:
        """Take the Wi-Fi signal that the device receives.

        Args:
            rssi: dBm.
            bssid: of the access point, in any spelling.
            ssid: name of the network.
            channel: as IEEE 802.11 numbers it.
        """
        if rssi is None:
            return
        try:
            number = Quantity(SIGNAL, "channel").read(channel or 0)
            fields: dict[str, FieldValue | None] = {
                "rssi": RSSI.read(rssi),
                "channel": int(number) or None,
                "ssid": ssid[:_SSID_LENGTH] if isinstance(ssid, str) and ssid else None,
            }
            tags = {"bssid": bssid if isinstance(bssid, str) else ""}
            reading = signal_reading(self._device, self._site, tags, fields, self._time)
            self._bssids.admit(reading.tags.get("bssid", ""))
            self._signals.append(reading)
        except PayloadError as error:
            self.problems.append(f"Wi-Fi signal: {error}")

    def take_reading(self, measurement: str, fields: Mapping[str, FieldValue | None]) -> None:
        """Take a reading of another measurement, unless all its fields are None."""
        self._fields[(measurement, "")] = dict(fields)

    def decoded(self, *, requests: tuple[Request, ...] = ()) -> Decoded:
        """Return all of it; a device that says anything is there."""
        place = {"device": self._device.id, "room": self._device.room or ""}
        readings = [
            CATALOGUE[measurement].reading(
                place | ({"sensor": sensor} if sensor else {}), fields, self._time
            )
            for (measurement, sensor), fields in self._fields.items()
            if any(value is not None for value in fields.values())
        ]
        return Decoded(
            (*readings, *self._signals), tuple(self.problems), alive=True, requests=requests
        )


def signal_reading(
    device: Device,
    site: Site,
    tags: Mapping[str, str],
    fields: Mapping[str, FieldValue | None],
    time: int,
) -> Reading:
    """Return a `wifi_signal` reading, with the band and the access point that follow from it.

    Raises:
        PayloadError: the BSSID is none.
        CatalogueError: a field does not fit.
    """
    try:
        bssid = normalise_bssid(tags["bssid"]) if tags.get("bssid") else ""
    except ValueError as error:
        raise PayloadError(f"{tags['bssid'][:40]!r}: {error}") from None
    channel = fields.get("channel")
    band = band_of_channel(channel) if isinstance(channel, int) else ""
    known = {"device": device.id, "room": device.room or "", "band": band}
    return CATALOGUE[SIGNAL].reading(
        {**known, **tags, "bssid": bssid, "ap": site.access_points.get(bssid, "")}, fields, time
    )
