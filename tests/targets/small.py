"""A small school in Berlin, over five days on which much is out of the ordinary.

The clocks go back on Sunday 25 October 2026, which is a make-up day; Monday is
an exam day with sessions, Tuesday is closed, and every night the switch is
maintained for an hour.
"""

from __future__ import annotations

import datetime as dt
from zoneinfo import ZoneInfo

from campuswatch.inventory.models import Inventory

ZONE = ZoneInfo("Europe/Berlin")
SECOND = 10**9
FIRST, LAST = dt.date(2026, 10, 24), dt.date(2026, 10, 28)


def midnight(day: dt.date) -> int:
    return round(dt.datetime.combine(day, dt.time(), ZONE).timestamp()) * SECOND


DAYS = [FIRST + dt.timedelta(number) for number in range((LAST - FIRST).days + 1)]
SPANS = [(midnight(day), midnight(day + dt.timedelta(1))) for day in DAYS]
START, END = SPANS[0][0], SPANS[-1][1]

EXAM = dt.date(2026, 10, 26)
SCHOOL_DAYS = {dt.date(2026, 10, 25), EXAM, dt.date(2026, 10, 28)}

_DISTRICT = {
    "id": "hills",
    "name": "Hills",
    "timezone": ZONE.key,
    "country": "DE",
    "subdivision": "BE",
    "targets": [
        {
            "id": "network",
            "kind": "uptime",
            "objective": 99,
            "exam_objective": 99.9,
            "window": "5d",
            "device_kinds": ["router", "switch", "ap"],
        },
        {
            "id": "screens",
            "kind": "uptime",
            "objective": 95,
            "window": "month",
            "hours": "always",
            "device_kinds": ["display"],
            "room_kinds": ["lab"],
        },
        {
            "id": "lessons",
            "kind": "uptime",
            "objective": 99,
            "window": "term",
            "hours": "lessons",
            "device_kinds": ["ap"],
        },
        {"id": "wifi", "kind": "wifi-coverage", "objective": 90, "room_kinds": ["classroom"]},
    ],
}
_CALENDAR = {
    "id": "default",
    "terms": [{"id": "autumn", "name": "Autumn", "start": "2026-10-20", "end": "2026-12-18"}],
    "extra_days": ["2026-10-25"],
    "closed_days": ["2026-10-27"],
    "service_hours": {"name": "Service", "start": "01:30", "end": "18:00"},
    "lessons": [
        {"name": "1", "start": "02:30", "end": "03:15"},
        {"name": "2", "start": "10:00", "end": "10:45"},
    ],
    "exams": [
        {
            "name": "Finals",
            "start": "2026-10-26",
            "end": "2026-10-26",
            "sessions": [{"name": "Evening", "start": "17:00", "end": "20:00"}],
        }
    ],
}
_MAINTENANCE = {
    "id": "nightly",
    "reason": "Updates",
    "start": "2026-10-01T02:00",
    "duration": "1h",
    "repeat": "FREQ=DAILY",
    "devices": ["switch"],
}
_ROOMS = [
    {"id": "r-101", "name": "101", "seats": 30},
    {"id": "r-102", "name": "102", "kind": "lab", "seats": 20, "wifi": False},
    {"id": "office", "name": "Office", "kind": "office", "seats": 2, "wifi": False},
]
_DEVICES = [
    {"id": "router", "kind": "router"},
    {"id": "switch", "kind": "switch", "uplink": "router"},
    {"id": "ap", "kind": "ap", "uplink": "switch", "room": "r-101"},
    {"id": "screen", "kind": "display", "uplink": "switch", "room": "r-102"},
    {"id": "desk", "kind": "printer", "uplink": "switch", "room": "office"},
]
_SCHOOL = {
    "id": "hill",
    "name": "Hill",
    "area": "rural",
    "students": 50,
    "agents": [{"id": "hill-agent"}],
    "buildings": [
        {
            "id": "main",
            "name": "Main",
            "floors": [{"id": "ground", "name": "Ground", "level": 0, "rooms": _ROOMS}],
        }
    ],
    "devices": [
        {**device, "name": device["id"], "address": f"10.0.0.{number}"}
        for number, device in enumerate(_DEVICES, 1)
    ],
}
INVENTORY = Inventory.model_validate(
    {
        "district": _DISTRICT,
        "calendars": [_CALENDAR],
        "mappings": [],
        "schools": [_SCHOOL],
        "maintenance": [_MAINTENANCE],
    }
)
[SCHOOL] = INVENTORY.schools
NAMES = [device.id for device in SCHOOL.devices]


def served(day: dt.date, clock: dt.time) -> bool:
    """Say what the calendar promises, from the text above."""
    if day not in SCHOOL_DAYS:
        return False
    evening = day == EXAM and dt.time(17) <= clock < dt.time(20)
    return dt.time(1, 30) <= clock < dt.time(18) or evening


def taught(day: dt.date, clock: dt.time) -> bool:
    if day not in SCHOOL_DAYS:
        return False
    if day == EXAM:
        return dt.time(17) <= clock < dt.time(20)
    return dt.time(2, 30) <= clock < dt.time(3, 15) or dt.time(10) <= clock < dt.time(10, 45)
