"""The projectors of a world: on in lessons, now and then forgotten, and answering by PJLink."""

from __future__ import annotations

import time
from functools import partial
from typing import Final

from campuswatch.calendar import SECOND, SchoolCalendar
from campuswatch.inventory.models import Device
from campuswatch.secrets import resolve
from simulator.noise import between, unit
from simulator.pjlink import Projector, ProjectorState
from simulator.world import World

_LINGER: Final = 600
"""Seconds after a lesson at which somebody switches it off."""
_FORGOTTEN: Final = 5 * 3600
"""Seconds after which it goes off by itself."""
_FORGETFUL: Final = 0.25
"""Share of the days on which nobody does."""
_COOLING: Final = 90
_HOUR: Final = 3600
_USE: Final = 0.25
"""Share of all time for which a projector is lit."""
_CLOGGED: Final = 900
"""Hours after which a filter is reported."""


class Projectors:
    """Plays every device that declares PJLink."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._projectors: list[Projector] = []

    async def start(self) -> None:
        """Let every projector answer at its address.

        Raises:
            OSError: an address can't be listened on.
        """
        for school in self._world.inventory.schools:
            calendar = SchoolCalendar.of(self._world.inventory, school)
            for device in school.devices:
                if device.pjlink is not None and device.address is not None:
                    password = device.pjlink.password
                    projector = Projector(
                        partial(self._now, device, calendar),
                        password=resolve(password) if password else None,
                        answers=partial(self._answers, device),
                    )
                    await projector.start(device.address, device.pjlink.port)
                    self._projectors.append(projector)

    def close(self) -> None:
        """Close every socket."""
        for projector in self._projectors:
            projector.close()

    def _answers(self, device: Device) -> bool:
        return self._world.answers(device.id, time.time())

    def _now(self, device: Device, calendar: SchoolCalendar) -> ProjectorState:
        return state(self._world, device, calendar, time.time())


def state(world: World, device: Device, calendar: SchoolCalendar, now: float) -> ProjectorState:
    """Return what a projector says of itself at a time, Unix seconds."""
    used = (now - world.started) / _HOUR * _USE
    filter_hours = int(between(50, 1100, world.seed, "filter", device.id) + used)
    return ProjectorState(
        power=_power(world, device, calendar, now),
        lamps=(int(between(150, 2800, world.seed, "lamp", device.id) + used),),
        errors="000010" if filter_hours > _CLOGGED else "000000",
        filter_hours=filter_hours,
        name=device.name,
    )


def _power(world: World, device: Device, calendar: SchoolCalendar, now: float) -> int:
    """Return POWR: 0 standby, 1 on, 2 cooling."""
    instant = int(now * SECOND)
    chance = unit(world.seed, "forgotten", device.id, calendar.day(instant).isoformat())
    lit_for = _FORGOTTEN if chance < _FORGETFUL else _LINGER
    if calendar.lessons(instant - lit_for * SECOND, instant + 1):
        return 1
    return 2 if calendar.lessons(instant - (lit_for + _COOLING) * SECOND, instant) else 0
