"""What topics of availability say: a device's birth, and its last will."""

from __future__ import annotations

from edge_agents.sources.mqtt.decoded import Decoded
from edge_agents.sources.mqtt.messages import PayloadError
from edge_agents.sources.mqtt.quantities import shown

_THERE = ("online", "true")
_GONE = ("offline", "false")


def will(said: object, speaker: str = "last will") -> Decoded:
    """Return what "online" or "offline" (or "true", "false") means for a device.

    Raises:
        PayloadError: it is another word.
    """
    word = str(said).lower() if isinstance(said, str | bool) else ""
    if word in _THERE:
        return Decoded(alive=True)
    if word in _GONE:
        return Decoded(alive=False, reason=f"{speaker}: {said}")
    raise PayloadError(f"{shown(said)}: expected online or offline")
