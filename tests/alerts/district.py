"""A small district, and a way to say how its devices answered."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from alerts.journal import Journal
from campuswatch.inventory.models import (
    Agent,
    Area,
    Building,
    Calendar,
    Device,
    DeviceKind,
    District,
    Floor,
    Inventory,
    Room,
    RoomKind,
    School,
)
from campuswatch.lineprotocol import encode
from campuswatch.measurements import CATALOGUE
from campuswatch.readings import Reading
from campuswatch.stores.base import Store

SECOND = 10**9
MINUTE = 60 * SECOND
START = 1_790_000_000 * SECOND
"""A moment from which the tests count."""


def room(number: str, kind: RoomKind = RoomKind.CLASSROOM, seats: int = 40) -> Room:
    return Room(id=number, name=f"Room {number}", kind=kind, seats=seats)


def device(
    name: str, kind: DeviceKind, place: str, uplink: str | None = None, **more: object
) -> Device:
    return Device.model_validate(
        {
            "id": name,
            "name": name.replace("-", " ").title(),
            "kind": kind,
            "room": place,
            "address": "192.0.2.1",
            "uplink": uplink,
            **more,
        }
    )


def heping() -> School:
    """A school of one core switch, two access switches and three APs."""
    rooms = [room("h-100", RoomKind.EQUIPMENT, 0), room("h-101"), room("h-102"), room("h-201")]
    return School(
        id="heping",
        name="Heping School",
        area=Area.URBAN,
        students=120,
        agents=[Agent(id="h-agent")],
        buildings=[
            Building(
                id="h-main", name="Main", floors=[Floor(id="h-1", name="1F", level=0, rooms=rooms)]
            )
        ],
        devices=[
            device("h-core", DeviceKind.SWITCH, "h-100"),
            device("h-access-1", DeviceKind.SWITCH, "h-100", "h-core"),
            device("h-access-2", DeviceKind.SWITCH, "h-100", "h-core"),
            device("h-ap-1", DeviceKind.AP, "h-101", "h-access-1", serves=["h-101", "h-102"]),
            device("h-ap-2", DeviceKind.AP, "h-102", "h-access-1"),
            device("h-ap-3", DeviceKind.AP, "h-201", "h-access-2"),
        ],
    )


def qiushi() -> School:
    """A rural school of one router and one AP."""
    return School(
        id="qiushi",
        name="求是小学",
        area=Area.RURAL,
        students=30,
        agents=[Agent(id="q-agent")],
        buildings=[
            Building(
                id="q-main",
                name="主楼",
                floors=[Floor(id="q-1", name="一层", level=0, rooms=[room("q-101", seats=30)])],
            )
        ],
        devices=[
            device("q-router", DeviceKind.ROUTER, "q-101"),
            device("q-ap-1", DeviceKind.AP, "q-101", "q-router"),
        ],
    )


def inventory(schools: Sequence[School] | None = None) -> Inventory:
    return Inventory(
        district=District(id="demo", name="Demo District", timezone="Asia/Shanghai", country="CN"),
        calendars=[Calendar(id="default")],
        mappings=[],
        schools=[heping(), qiushi()] if schools is None else list(schools),
    )


def journal(directory: Path) -> Journal:
    return Journal(f"sqlite:///{directory / 'alerts.db'}")


def poll(
    store: Store,
    schools: Iterable[School],
    time: int,
    down: Iterable[str] = (),
    unasked: Iterable[str] = (),
) -> None:
    """Store that every device was asked at `time`, and that those in `down` did not answer."""
    store.write(
        encode(
            _poll(school, polled, time, polled.id not in set(down))
            for school in schools
            for polled in school.devices
            if polled.id not in set(unasked)
        )
    )


def _poll(school: School, polled: Device, time: int, up: bool) -> Reading:
    reading = CATALOGUE["availability"].reading(
        {"device": polled.id, "room": polled.room or ""},
        {"up": int(up), "interval": 60.0, "reason": None if up else "no answer to ICMP echo"},
        time,
    )
    tags = {**reading.tags, "school": school.id, "agent": school.agent_of(polled)}
    return Reading(reading.measurement, tags, reading.fields, reading.time)
