r"""Says on every line which school and agent it came from.

The tags `school` and `agent` are written from the topic, which the broker's
ACL guards; what a line itself claims under these names is taken out. Nearly
all lines are plain, and are stamped as bytes, a run of them at a time; every
other line is parsed and written anew. A plain line is one that no reader of
line protocol can split or understand differently: a measurement without
escapes, tags without quotes and no escapes but `\ `, `\,` and `\=`, fields
whose strings hold no quote, backslash or line break, and a time in nanoseconds.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Final

from campuswatch import lineprotocol
from campuswatch.lineprotocol import LineProtocolError
from campuswatch.measurements import STAMPED_TAGS
from campuswatch.readings import Reading
from campuswatch.stores.base import RejectedLine
from campuswatch.wire import AgentAddress

RESERVED: Final = frozenset(
    {
        "delivery",
        "agent_status",
        "collector",
        "daily_uptime",
        "daily_lessons",
        "daily_bandwidth",
        "daily_classroom",
        "target_status",
        "lesson_time_lost",
        "targets",
    }
)
"""Measurements that only the district's own services write."""

EARLIEST: Final = 10**18
"""2001-09-09: an earlier time was given in another unit, or by a clock never set."""

_WORD = rb"[^\x00-\x20\x7f,=\"\\]++"
_TAG = rb"(?:" + _WORD + rb"|\\[ ,=])++"
_HEAD = rb"(?!\#)[^\x00-\x20\x7f,\"\\]++(?:," + _TAG + rb"=" + _TAG + rb")*+"
_VALUE = rb"(?:-?[0-9][0-9.eE+-]*+i?|\"[^\x00\n\r\"\\]*+\"|true|false)"
_FIELDS = _WORD + rb"=" + _VALUE + rb"(?:," + _WORD + rb"=" + _VALUE + rb")*+"
_PLAIN_RUN = re.compile(rb"(?:" + _HEAD + rb" " + _FIELDS + rb" [1-9][0-9]{18}\n)++")

# Up to the newline that ends the line: in its fields, strings may hold others.
_ANY_LINE = re.compile(
    rb"(?:[^\\ \n]++|\\.?)*+"
    rb"(?: (?:[^=\\\n]++|\\.?|=(?:\"(?:[^\"\\]++|\\[\s\S])*+\")?+)*+)?+"
)

_CLAIMS = (
    *(f",{tag}=".encode() for tag in STAMPED_TAGS),
    *(f"{before}{key}=".encode() for key in lineprotocol.RESERVED_KEYS for before in ", "),
)
_RESERVED_STARTS = tuple(f"\n{name}".encode() for name in RESERVED)


@dataclass(slots=True)
class Stamped:
    """What became of a batch's lines.

    Attributes:
        lines: those to store, each ended by a newline.
        count: how many those are.
        rejected: those to keep aside.
        timeless: whether any had no time of its own.
    """

    lines: bytes
    count: int
    rejected: list[RejectedLine]
    timeless: bool


def stamp(lines: bytes, address: AgentAddress, time: int) -> Stamped:
    """Stamp every line of a batch.

    Args:
        lines: line protocol, each line ended by a newline.
        address: who sent them.
        time: nanoseconds UTC, for lines that have no time of their own.
    """
    work = _Work(address, time)
    position = 0
    plain = _is_utf8(lines)
    while position < len(lines):
        run = _PLAIN_RUN.match(lines, position) if plain else None
        if run is not None:
            work.add_run(run[0])
            position = run.end()
            continue
        line = _ANY_LINE.match(lines, position)
        assert line is not None  # it matches the empty string
        work.add_exactly(line[0])
        position = line.end() + 1
    return Stamped(b"".join(work.parts), work.count, work.rejected, work.timeless)


def _is_utf8(lines: bytes) -> bool:
    try:
        lines.decode()
    except UnicodeDecodeError:
        return False
    return True


@dataclass(slots=True)
class _Work:
    """One batch being stamped."""

    address: AgentAddress
    time: int
    parts: list[bytes] = field(default_factory=list)
    count: int = 0
    rejected: list[RejectedLine] = field(default_factory=list)
    timeless: bool = False

    def add_run(self, run: bytes) -> None:
        """Stamp plain lines."""
        if not _is_suspicious(run):
            self._add_plain(run)
            return
        for line in run.splitlines(keepends=True):
            if _is_suspicious(line):
                self.add_exactly(line)
            else:
                self._add_plain(line)

    def add_exactly(self, lines: bytes) -> None:
        """Stamp any lines, one by one."""
        for verdict in lineprotocol.parse(lines):
            reading = verdict if isinstance(verdict, Reading) else self._with_time(verdict)
            if isinstance(reading, Reading):
                self._add_reading(reading, lines)
            else:
                self.rejected.append(reading)

    def _add_plain(self, run: bytes) -> None:
        tags = f",school={self.address.school},agent={self.address.agent}".encode()
        with_tags, without = tags + b",", tags + b" "
        for line in run.splitlines(keepends=True):
            name, _, rest = line.partition(b",")
            if b" " in name:
                name, _, rest = line.partition(b" ")
                self.parts += (name, without, rest)
            else:
                self.parts += (name, with_tags, rest)
            self.count += 1

    def _add_reading(self, reading: Reading, line: bytes) -> None:
        try:
            self.parts.append(lineprotocol.encode([self._stamped(reading)]))
            self.count += 1
        except LineProtocolError as error:
            self.rejected.append(RejectedLine(line.removesuffix(b"\n"), str(error)))

    def _stamped(self, reading: Reading) -> Reading:
        if reading.measurement in RESERVED:
            raise LineProtocolError(f"measurement {reading.measurement!r} is the collector's own")
        if reading.time < EARLIEST:
            raise LineProtocolError(
                f"time {reading.time}: expected nanoseconds since 1970, after September 2001"
            )
        own = {"school": self.address.school, "agent": self.address.agent}
        return Reading(reading.measurement, {**reading.tags, **own}, reading.fields, reading.time)

    def _with_time(self, rejected: RejectedLine) -> Reading | RejectedLine:
        """Read a line again that may have been refused for want of a time alone."""
        line = rejected.line.rstrip(b" \r") + f" {self.time}".encode()
        again = next(lineprotocol.parse(line), rejected)
        if isinstance(again, Reading):
            self.timeless = True
            return again
        return rejected


def _is_suspicious(lines: bytes) -> bool:
    """Return whether there may be a tag or measurement that only the collector writes."""
    return any(claim in lines for claim in _CLAIMS) or any(
        lines.startswith(start[1:]) or start in lines for start in _RESERVED_STARTS
    )
