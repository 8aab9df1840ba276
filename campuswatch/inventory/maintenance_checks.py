"""Whether maintenance windows are meant for something that is there."""

from __future__ import annotations

from collections.abc import Iterator

from campuswatch.inventory import selections
from campuswatch.inventory.parts import Parts
from campuswatch.inventory.places import Places
from campuswatch.inventory.problems import Problem
from campuswatch.inventory.wording import unknown


def errors(parts: Parts, places: Places) -> Iterator[Problem]:
    """Yield schools, rooms and devices that nobody describes."""
    rooms = [room.id for school in parts.schools for room in school.rooms()]
    devices = [device.id for school in parts.schools for device in school.devices]
    for window in parts.maintenance or []:
        yield from selections.errors(parts, places, window.schools)
        for key, noun, known in (("rooms", "room", rooms), ("devices", "device", devices)):
            for index, identity in enumerate(getattr(window, key) or []):
                if identity not in known:
                    text = unknown(noun, identity, known, "schools/")
                    yield places.problem(window, [key, index], text)
