"""What a driver of a serial device is."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from campuswatch.readings import Reading
from edge_agents.sources.serial.frames import Frame, Take


class Ask(Protocol):
    """Puts a request to the device, repeated as its entry says."""

    async def __call__(self, request: bytes, take: Take[Frame]) -> Frame:
        """Return the answer.

        Raises:
            LineError: the port can't be used.
            NoAnswerError: there is no answer.
        """
        ...

    def note_damage(self) -> None:
        """Count a value that can't be."""
        ...


class AskingDriver(Protocol):
    """Of a device that answers."""

    @property
    def protocol(self) -> str:
        """What it is called in messages."""
        ...

    async def read(self, ask: Ask) -> list[Reading]:
        """Ask the device for all it has.

        Raises:
            LineError: the port can't be used.
            NoAnswerError: the device does not answer.
            RefusedError: it answers that it will not.
        """
        ...


class HearingDriver(Protocol):
    """Of a device that speaks by itself."""

    def restart(self) -> None:
        """Begin anew: the port has been opened, amid whatever is being sent."""
        ...

    def hear(self, data: bytes, damaged: Callable[[], None]) -> bool:
        """Take what has arrived; return whether the device has said something whole by it."""
        ...

    def take(self) -> list[Reading]:
        """Return the latest readings since the last call, each when it was heard."""
        ...
