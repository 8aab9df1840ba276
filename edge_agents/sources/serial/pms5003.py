"""Plantower PMS5003 particulates (PMS5003 series data manual, appendix I and II)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from campuswatch.inventory.models import Device
from campuswatch.readings import Reading, now_ns
from edge_agents.sources.mqtt.quantities import Quantity
from edge_agents.sources.reachability import device_tags
from edge_agents.sources.serial.drivers import Ask
from edge_agents.sources.serial.frames import DamagedFrameError, drop_until, take_next
from edge_agents.sources.serial.values import Value, readings

LONGEST_GAP: Final = 3.0
"""Seconds between two frames in active mode at most: 2.3 s in still air, and some."""

_HEADER: Final = b"BM"
_DATA: Final = 28  # bytes behind the length: 13 numbers and the sum
_ECHO: Final = 4  # of a command: the command, its data and the sum
_GO_PASSIVE: Final = bytes.fromhex("42 4D E1 00 00 01 70")
_READ: Final = bytes.fromhex("42 4D E2 00 00 01 71")
_PM2_5: Final = Quantity("environment", "pm2_5")
_PM10: Final = Quantity("environment", "pm10")

Particulates = tuple[int, int]
"""PM2.5 and PM10 under atmospheric environment, µg/m³."""


def take_particulates(buffer: bytearray) -> Particulates | None:
    """Take a frame of data; echoes of commands are dropped on the way."""
    while True:
        drop_until(buffer, _HEADER)
        if len(buffer) < 4:
            return None
        length = int.from_bytes(buffer[2:4], "big")
        if length not in {_DATA, _ECHO}:
            del buffer[:1]
            raise DamagedFrameError
        if len(buffer) < 4 + length:
            return None
        frame = bytes(buffer[: 4 + length])
        if sum(frame[:-2]) & 0xFFFF != int.from_bytes(frame[-2:], "big"):
            del buffer[:1]
            raise DamagedFrameError
        del buffer[: 4 + length]
        if length == _DATA:
            return int.from_bytes(frame[12:14], "big"), int.from_bytes(frame[14:16], "big")


def _values(found: Particulates) -> list[Value]:
    return [Value(what, number) for what, number in zip((_PM2_5, _PM10), found, strict=True)]


class PassiveDriver:
    """An `AskingDriver` of a sensor that is to speak when it is asked."""

    protocol = "PMS5003"

    def __init__(self, device: Device) -> None:
        self._tags = device_tags(device)

    async def read(self, ask: Ask) -> list[Reading]:
        """Ask for a frame.

        The sensor is told to be passive every time: it forgets that without power.
        """
        found = await ask(_GO_PASSIVE + _READ, take_particulates)
        return readings(self._tags, _values(found), ask.note_damage)


class ActiveDriver:
    """A `HearingDriver` of a sensor as it is when it gets power."""

    def __init__(self, device: Device) -> None:
        self._tags = device_tags(device)
        self._buffer = bytearray()
        self._latest: list[Reading] = []

    def restart(self) -> None:
        """Forget the frame that was broken off."""
        self._buffer.clear()

    def hear(self, data: bytes, damaged: Callable[[], None]) -> bool:
        """Take bytes of the stream."""
        self._buffer += data
        heard = False
        while (found := take_next(self._buffer, take_particulates, damaged)) is not None:
            self._latest = readings(self._tags, _values(found), damaged, now_ns())
            heard = True
        return heard

    def take(self) -> list[Reading]:
        """Return the last frame, if it is a new one."""
        latest, self._latest = self._latest, []
        return latest
