"""How agents misbehave, told apart and counted.

A poll goes on whatever an agent sends; what it got wrong is noted here, for
the availability's reason and for a counter of each kind.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

MAX_WORDS: Final = 200
"""Characters of a reason; some hold what a device sent."""


class Fault(StrEnum):
    """A kind of misbehaviour; the values are those of the tag `fault`."""

    NOT_INCREASING = "not-increasing"
    """A walk's OIDs don't increase, or don't end (RFC 3416, 4.2.2)."""
    DUPLICATE_ROW = "duplicate-row"
    """A walk holds an instance twice."""
    MISSING_ROWS = "missing-rows"
    """A walk ends before rows that the one before had."""
    TOO_BIG = "too-big"
    """Answers of an ordinary size are refused or get lost (tooBig; RFC 3416, 4.2.3)."""
    ERROR_STATUS = "error-status"
    """An instance can't be read (genErr and the like; RFC 3416, 3)."""
    WRONG_TYPE = "wrong-type"
    """A value is not of the type that its MIB gives it."""
    UNDECODABLE = "undecodable"
    """Answers are no SNMP messages."""
    LATE = "late"
    """Answers come after the timeout."""
    SLOW = "slow"
    """A poll takes longer than the interval."""
    OTHER_ADDRESS = "other-address"
    """Answers come from another address than was asked."""
    BACKWARDS = "backwards"
    """A counter went backwards while the agent ran on."""
    SHORT_COUNTER = "short-counter"
    """A 32-bit counter may wrap more than once in an interval (RFC 2863, 3.1.6)."""
    IMPLAUSIBLE = "implausible"
    """A counter counts faster than its port can carry."""


@dataclass(slots=True)
class Noted:
    """What was noted of one kind of fault.

    Attributes:
        count: how often.
        words: of the first time, for people.
    """

    count: int
    words: str


class Faults:
    """The faults of one agent since they were last taken."""

    def __init__(self) -> None:
        self._noted: dict[Fault, Noted] = {}

    def note(self, fault: Fault, words: str, count: int = 1) -> None:
        """Count a fault; of several of a kind the first one's words are kept."""
        noted = self._noted.get(fault)
        if noted is None:
            self._noted[fault] = Noted(count, words[:MAX_WORDS])
        else:
            noted.count += count

    def count(self, fault: Fault) -> int:
        """Return how often a fault was noted."""
        noted = self._noted.get(fault)
        return noted.count if noted else 0

    def take(self) -> dict[Fault, Noted]:
        """Return what was noted since the last call, and begin anew."""
        taken, self._noted = self._noted, {}
        return taken

    def __iter__(self) -> Iterator[str]:
        """Yield the words of each kind."""
        return (noted.words for noted in self._noted.values())
