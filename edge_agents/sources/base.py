"""What a source of readings is.

A source either answers when it is asked (`PolledSource`: SNMP, probes, serial
lines) or speaks when it likes (`StreamSource`: a local MQTT broker, traps).
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar, runtime_checkable

from pydantic import BaseModel

from campuswatch.inventory.models import Device
from campuswatch.readings import Reading

Emit = Callable[[Iterable[Reading]], asyncio.Future[None]]
"""Takes readings into the spool; cheap, and only called on the event loop's thread.

The future is done once they are on the disk; whoever does not need to know ignores it.
"""


@runtime_checkable
class PolledSource(Protocol):
    """Asked at every interval; one at a time."""

    @property
    def name(self) -> str:
        """What the schedule and the logs call it; unique in the agent."""
        ...

    @property
    def interval(self) -> float:
        """Seconds from one poll's start to the next."""
        ...

    async def poll(self) -> list[Reading]:
        """Ask once.

        A device that does not answer is a reading (`availability` with `up`
        0), not an exception; what is raised here is a fault of the source and
        counted as such.
        """
        ...

    async def close(self) -> None:
        """Release sockets and the like."""
        ...


class StreamSource(Protocol):
    """Runs as long as the agent does."""

    @property
    def name(self) -> str:
        """What the logs call it; unique in the agent."""
        ...

    async def run(self, emit: Emit) -> None:
        """Emit readings until cancelled; reconnect by itself."""
        ...


Options = TypeVar("Options", bound=BaseModel)


@dataclass(frozen=True)
class SourceKind(Generic[Options]):
    """What a package announces as an entry point of the group `campuswatch.sources`.

    Attributes:
        options: what the inventory may say under `source.options` of a device.
        open: makes the source of one device; it raises `UserError` for what
            the user has to mend, and connects to nothing yet.
    """

    options: type[Options]
    open: Callable[[Device, Options], PolledSource | StreamSource]
