"""A month of three schools, some of it summarised, with lines, classrooms and air."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from zoneinfo import ZoneInfo

from campuswatch.inventory.models import Inventory
from campuswatch.lineprotocol import encode
from campuswatch.measurements import CATALOGUE
from campuswatch.readings import Reading
from campuswatch.stores.base import Store
from targets.period import Period
from targets.service import Rounds

SECOND = 10**9
MINUTE, HOUR = 60 * SECOND, 3600 * SECOND
ZONE = ZoneInfo("Asia/Shanghai")
STEP = 5 * MINUTE


def at(text: str) -> int:
    return round(dt.datetime.fromisoformat(text).replace(tzinfo=ZONE).timestamp()) * SECOND


FIRST, LAST = dt.date(2026, 10, 12), dt.date(2026, 10, 16)
"""Five school days; the district's only lesson of a day lasts from 9 to 10."""
PERIOD = Period(FIRST, LAST)
START, END = at("2026-10-12"), at("2026-10-17")
NOW = END + HOUR


def _school(name: str, area: str, students: int, down: int) -> dict[str, object]:
    rooms = [{"id": f"{name}-101", "name": "101 / 一班", "seats": 40}]
    return {
        "id": name,
        "name": f"{name.title()} / {name}校",
        "area": area,
        "students": students,
        "agents": [{"id": f"{name}-agent"}],
        "internet": {"device": f"{name}-router", "interface": "wan", "down": down, "up": 50},
        "buildings": [
            {
                "id": f"{name}-b",
                "name": "Main",
                "floors": [{"id": f"{name}-f", "name": "1", "level": 0, "rooms": rooms}],
            }
        ],
        "devices": [
            {"id": f"{name}-router", "name": "Router", "kind": "router", "address": "10.0.0.1"},
            {
                "id": f"{name}-ap",
                "name": "AP",
                "kind": "ap",
                "address": "10.0.0.2",
                "uplink": f"{name}-router",
                "room": f"{name}-101",
            },
            {
                "id": f"{name}-screen",
                "name": "Screen",
                "kind": "display",
                "address": "10.0.0.3",
                "uplink": f"{name}-router",
                "room": f"{name}-101",
            },
            {
                "id": f"{name}-air",
                "name": "Air",
                "kind": "sensor",
                "mqtt": {"topic": f"zigbee2mqtt/{name}", "decoder": "zigbee2mqtt"},
                "room": f"{name}-101",
            },
        ],
    }


INVENTORY = Inventory.model_validate(
    {
        "district": {
            "id": "plain",
            "name": "Plain / 平原区",
            "timezone": ZONE.key,
            "country": "CN",
            "targets": [
                {
                    "id": "network",
                    "kind": "uptime",
                    "objective": 99,
                    "device_kinds": ["router", "ap"],
                },
                {
                    "id": "seats",
                    "kind": "wifi-coverage",
                    "objective": 90,
                    "room_kinds": ["classroom"],
                },
                {"id": "internet", "kind": "bandwidth", "down": 1},
            ],
        },
        "calendars": [
            {
                "id": "default",
                "service_hours": {"name": "s", "start": "08:00", "end": "16:00"},
                "lessons": [{"name": "1", "start": "09:00", "end": "10:00"}],
            }
        ],
        "mappings": [],
        "schools": [
            _school("city", "urban", 100, 200),
            _school("market", "town", 100, 100),
            _school("valley", "rural", 100, 50),
        ],
    }
)

DOWN = (at("2026-10-14T08:30"), at("2026-10-14T09:30"))
"""The valley's router fails: an hour of service, and half of a lesson."""
FULL = (at("2026-10-13T09:00"), at("2026-10-13T09:30"))
"""The market's line is full for half a lesson."""
STALE = (at("2026-10-15T09:15"), at("2026-10-15T10:00"))
"""The city's room has bad air for three quarters of a lesson."""


def fill(store: Store, start: int = START, end: int = END) -> None:
    """Store what the agents read in [start, end)."""
    assert store.write(encode(_readings(start, end))) == []


def summarise(store: Store, now: int = NOW) -> None:
    """Let the targets service do a round."""
    Rounds(INVENTORY, store).run(now)


def _readings(start: int, end: int) -> Iterator[Reading]:
    for school in INVENTORY.schools:
        stamp = {"school": school.id, "agent": school.agents[0].id}
        for time in range(start, end, STEP):
            for reading in _of(school.id, time):
                yield Reading(
                    reading.measurement, {**reading.tags, **stamp}, reading.fields, reading.time
                )


def _of(name: str, time: int) -> Iterator[Reading]:
    down = name == "valley" and DOWN[0] <= time < DOWN[1]
    for device in ("router", "ap", "screen", "air"):
        yield CATALOGUE["availability"].reading(
            {"device": f"{name}-{device}"}, {"up": not down, "interval": 300}, time
        )
    full = name == "market" and FULL[0] <= time < FULL[1]
    yield CATALOGUE["interface"].reading(
        {"device": f"{name}-router", "interface": "wan"},
        {
            "in_rate": 95e6 if full else 20e6 + (time // STEP % 7) * 1e5,
            "out_rate": 5e6,
            "speed": 100_000_000,
        },
        time,
    )
    if time % HOUR == 0:
        yield CATALOGUE["probe"].reading(
            {"probe": f"{name}-line", "kind": "bandwidth"},
            {"ok": 1, "download": 88e6, "upload": 40e6, "rtt": 0.01, "loaded_rtt": 0.25},
            time,
        )
    stale = name == "city" and STALE[0] <= time < STALE[1]
    yield CATALOGUE["environment"].reading(
        {"device": f"{name}-air"}, {"co2": 1600.0 if stale else 700.0}, time
    )
