"""What is counted on serial lines."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(slots=True)
class SerialStatistics:
    """What happened on an agent's serial lines since the statistics were last taken.

    Attributes:
        damaged: frames with a wrong checksum, or values that can't be.
        unanswered: requests without an answer.
    """

    damaged: int = 0
    unanswered: int = 0
