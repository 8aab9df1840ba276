"""How many notifications there were."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(slots=True)
class TrapStatistics:
    """What happened since the statistics were last taken.

    Attributes:
        received: notifications of devices that are known.
        rejected: those of others, with a wrong community or user, or damaged.
        dropped: datagrams of senders that sent too many.
    """

    received: int = 0
    rejected: int = 0
    dropped: int = 0
