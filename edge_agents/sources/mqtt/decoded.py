"""What a decoder gives back, and what all of an agent's decoders have in common."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TypeVar, cast
from zoneinfo import ZoneInfo

from campuswatch.readings import Reading

Shared = TypeVar("Shared")


@dataclass(frozen=True, slots=True)
class Topic:
    """Topics that a decoder wants to hear.

    Attributes:
        filter: as in MQTT 5, section 4.7.
        retained: whether what the broker has kept there is wanted as well:
            states, which are published once, but not measurements.
    """

    filter: str
    retained: bool = False


@dataclass(frozen=True, slots=True)
class Request:
    """A message for a device.

    Attributes:
        topic: where it is published.
        payload: its bytes.
    """

    topic: str
    payload: bytes


@dataclass(frozen=True, slots=True)
class Question:
    """A request that is repeated.

    Attributes:
        request: what is published.
        interval: seconds from one to the next.
    """

    request: Request
    interval: float


@dataclass(frozen=True, slots=True)
class Decoded:
    """What a decoder made of a message.

    Attributes:
        readings: what could be read.
        problems: what could not be, in words; a payload that simply lacks
            some of the fields has none.
        alive: True if the message shows that the device is there, False if it
            says that it is not (a last will), None if it says nothing of it.
        reason: for False, the words of the will.
        known: whether the message is one that the decoder expects.
        follow: further topics to hear, which the message named.
        requests: what to publish in answer.
    """

    readings: tuple[Reading, ...] = ()
    problems: tuple[str, ...] = ()
    alive: bool | None = None
    reason: str = ""
    known: bool = True
    follow: tuple[Topic, ...] = ()
    requests: tuple[Request, ...] = ()


NOTHING = Decoded()
"""A message that is understood, and of no interest."""


@dataclass(frozen=True)
class Site:
    """What all decoders of an agent have in common.

    Attributes:
        zone: of times that name none.
        access_points: the AP behind each BSSID that the inventory declares.
    """

    zone: ZoneInfo
    access_points: Mapping[str, str] = field(default_factory=dict)
    _shared: dict[str, object] = field(default_factory=dict, repr=False)

    def shared(self, key: str, make: Callable[[], Shared]) -> Shared:
        """Return what the decoders of one gateway share, made by the first that asks."""
        if key not in self._shared:
            self._shared[key] = make()
        return cast("Shared", self._shared[key])
