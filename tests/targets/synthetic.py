"""Fills a store with what an agent would have reported of a school and its outages."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from campuswatch.inventory.models import School
from campuswatch.lineprotocol import encode
from campuswatch.measurements import CATALOGUE
from campuswatch.readings import Reading
from campuswatch.stores.base import Store
from targets.topology import Topology, is_watched

SECOND = 1_000_000_000
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
INTERVAL = 5 * MINUTE
REASON = "no answer to SNMP or ICMP"


def ns(text: str) -> int:
    return round(dt.datetime.fromisoformat(text).timestamp()) * SECOND


@dataclass(frozen=True)
class Outage:
    """A device is down over [start, end), and so is all that lies behind it."""

    device: str
    start: int
    end: int


def fill(store: Store, school: School, start: int, end: int, outages: Sequence[Outage]) -> None:
    """Store the availability of a school's watched devices over [start, end)."""
    lines = encode(_availability(school, start, end, outages))
    assert store.write(_stamped(lines, school)) == []


def add_signal(store: Store, school: School, device: str, rssi: float, time: int) -> None:
    """Store one measurement of the signal in the room that a device stands in."""
    room = next(d.room for d in school.devices if d.id == device)
    reading = CATALOGUE["wifi_signal"].reading(
        {"device": device, "room": room or ""}, {"rssi": rssi}, time
    )
    assert store.write(_stamped(encode([reading]), school)) == []


def _stamped(lines: bytes, school: School) -> bytes:
    """Add the tags that the collector adds."""
    stamp = f",school={school.id},agent={school.agents[0].id},".encode()
    return b"".join(line.replace(b",", stamp, 1) for line in lines.splitlines(keepends=True))


def _availability(
    school: School, start: int, end: int, outages: Sequence[Outage]
) -> Iterator[Reading]:
    topology, row = Topology(school.devices), CATALOGUE["availability"]
    for number, device in enumerate(d for d in school.devices if is_watched(d)):
        felt = [outage for outage in outages if outage.device in topology.path(device.id)]
        # Polls of one round are spread, and what hangs on a switch starts after it.
        phase = number * 7 * SECOND
        for time in range(start + phase, end, INTERVAL):
            down = any(
                o.start <= time < o.end + (2 * MINUTE if o.device != device.id else 0) for o in felt
            )
            yield row.reading(
                {"device": device.id, "room": device.room or ""},
                {
                    "up": not down,
                    "interval": INTERVAL / SECOND,
                    "reason": REASON if down else None,
                },
                time,
            )
