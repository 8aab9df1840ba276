"""The Wi-Fi signal that devices measure in the rooms they stand in."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from statistics import median_low
from typing import Final

from campuswatch.stores.base import Query, Series, Store

CURRENT: Final = 15 * 60 * 1_000_000_000
"""How old a measurement may be to speak of now, in ns."""


@dataclass(frozen=True, slots=True, order=True)
class Signal:
    """The signal one device receives.

    Attributes:
        rssi: dBm.
        device: the device that measured it.
        time: when, ns UTC.
    """

    rssi: float
    device: str
    time: int


def read_signals(store: Store, school: str, now: int) -> dict[str, Signal]:
    """Return the current signal of each room of a school that has a measurement.

    Raises:
        StoreUnavailableError: the store can't be reached.
    """
    query = Query(
        "wifi_signal",
        ("rssi",),
        now - CURRENT,
        now,
        where={"school": [school]},
        group_by=("room", "device"),
    )
    return signals_by_room(store.query(query))


def signals_by_room(measured: Iterable[Series]) -> dict[str, Signal]:
    """Settle on one signal for each room.

    A device counts with its newest measurement, and with the strongest access
    point if it heard several at that moment, because that is the one a client
    would use. A room counts with the median of its devices (the lower one of
    two), so that one device in a metal cupboard does not speak for the room.

    Args:
        measured: raw `rssi` samples by `room` and `device`.
    """
    rooms: dict[str, list[Signal]] = defaultdict(list)
    for series in measured:
        samples = zip(series.times, series.columns["rssi"], strict=True)
        heard = [(time, float(rssi)) for time, rssi in samples if rssi is not None]
        if heard and series.tags["room"]:
            time, rssi = max(heard)
            rooms[series.tags["room"]].append(Signal(rssi, series.tags["device"], time))
    return {room: median_low(signals) for room, signals in rooms.items()}
