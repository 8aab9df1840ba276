"""Whether every batch that was made has reached the store.

A stream's batches are numbered without a gap, and the ledger holds the number
of each that was stored, so what is missing is what lies between. Asked of a
period, the audit speaks of the batches that arrived in it and of the gaps
between them and the ones before; a gap that was filled at any other time is
none. What the agent says it gave up, or has yet to send, is told apart.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import IntEnum
from typing import Final

from campuswatch.intervals import NOTHING, IntervalSet
from campuswatch.readings import FieldValue, now_ns
from campuswatch.stores.base import Aggregate, Query, Store
from collector.ranges import read_ranges

LOOK_BACK: Final = 30 * 24 * 3600 * 10**9
"""How long before the period a stream's last batch is looked for, nanoseconds."""

SETTLED_AFTER: Final = 60 * 10**9
"""How long a batch may lag behind a later one, in nanoseconds, before it is missing."""

_BEGINNING: Final = 10**18

_STREAM: Final = ("school", "agent", "stream")
StreamKey = tuple[str, str, str]


class Outcome(IntEnum):
    """What an audit found; its number is the command's exit code."""

    COMPLETE = 0
    INCOMPLETE = 1
    UNKNOWN = 2


@dataclass(frozen=True, slots=True)
class StreamAudit:
    """What became of one stream's batches.

    Attributes:
        school: whose.
        agent: whose.
        stream: id of the spool that numbered them; "" for an agent of which
            nothing arrived.
        stored: how many different ones arrived.
        repeated: how many arrivals were repeats.
        missing: those that should have arrived and did not.
        dropped: those that the agent says it gave up.
        waiting: those that may yet come: the agent has them still, as it last
            said, or a later one came less than a minute ago.
        quarantined: lines of them that were refused.
    """

    school: str
    agent: str
    stream: str
    stored: int = 0
    repeated: int = 0
    missing: IntervalSet = NOTHING
    dropped: IntervalSet = NOTHING
    waiting: IntervalSet = NOTHING
    quarantined: int = 0

    @property
    def sent(self) -> int:
        """How many batches are known to have been made, but for those that wait."""
        return self.stored + self.missing.total + self.dropped.total


def outcome(audits: Sequence[StreamAudit]) -> Outcome:
    """Judge an audit: incomplete if any batch is lost, unknown if an agent is silent."""
    if any(audit.missing or audit.dropped for audit in audits):
        return Outcome.INCOMPLETE
    if not audits or any(not audit.stored for audit in audits):
        return Outcome.UNKNOWN
    return Outcome.COMPLETE


def audit_streams(
    store: Store, agents: Sequence[tuple[str, str]], start: int, end: int
) -> list[StreamAudit]:
    """Audit every stream of some agents.

    Args:
        store: the ledger's store.
        agents: (school, agent) of each; one that delivered nothing gets a row too.
        start: first nanosecond of the period, UTC.
        end: first nanosecond after it.

    Returns:
        Rows sorted by school, agent and stream.

    Raises:
        StoreUnavailableError: the store can't be reached.
        StoreError: it refuses a query.
    """
    ledger = _Ledger(store, sorted({school for school, _ in agents}), start, end)
    rows = [row for row in ledger.audits() if (row.school, row.agent) in set(agents)]
    heard = {(row.school, row.agent) for row in rows}
    silent = [StreamAudit(school, agent, "") for school, agent in set(agents) - heard]
    return sorted(rows + silent, key=lambda row: (row.school, row.agent, row.stream))


@dataclass(frozen=True, slots=True)
class _Promise:
    """What an agent last said of a stream."""

    first_unsent: int | None = None
    last_seq: int | None = None
    dropped: IntervalSet = NOTHING


class _Ledger:
    """The queries of one audit."""

    def __init__(self, store: Store, schools: list[str], start: int, end: int) -> None:
        self._store = store
        self._schools = schools
        self._start = start
        self._end = end

    def audits(self) -> list[StreamAudit]:
        arrived = self._numbers("delivery", "seq", Aggregate.COUNT)
        stored = self._numbers("delivery", "seq", Aggregate.COUNT_DISTINCT)
        lowest = self._numbers("delivery", "seq", Aggregate.MIN)
        newest = self._numbers("delivery", "seq", Aggregate.MAX)
        quarantined = self._numbers("delivery", "quarantined", Aggregate.SUM)
        before = self._numbers(
            "delivery", "seq", Aggregate.MAX, start=self._start - LOOK_BACK, end=self._start
        )
        promises = self._promises()
        return [
            self._audit(
                StreamAudit(
                    *key,
                    stored=stored[key],
                    repeated=max(0, arrived[key] - stored[key]),
                    quarantined=quarantined.get(key, 0),
                ),
                lowest[key],
                IntervalSet.of([(before.get(key, 0) + 1, newest[key] + 1)]),
                promises.get(key, _Promise()),
            )
            for key in arrived
        ]

    def _audit(
        self, counted: StreamAudit, lowest: int, expected: IntervalSet, promise: _Promise
    ) -> StreamAudit:
        """Tell apart what is not there."""
        gaps = unsettled = NOTHING
        if not expected or (lowest, counted.stored) != (expected.spans[0][0], expected.total):
            gaps, unsettled = self._gaps(counted, expected)
        dropped = gaps & promise.dropped
        if promise.first_unsent is not None:
            unsettled |= gaps - IntervalSet.of([(0, promise.first_unsent)])
        waiting = unsettled - dropped
        to_come = NOTHING
        if expected and promise.last_seq is not None:
            to_come = IntervalSet.of([(expected.spans[-1][1], promise.last_seq + 1)])
        return replace(
            counted,
            missing=gaps - dropped - waiting,
            dropped=dropped,
            waiting=waiting | to_come,
        )

    def _gaps(self, stream: StreamAudit, expected: IntervalSet) -> tuple[IntervalSet, IntervalSet]:
        """Return the numbers that never came, and those of them that may yet come."""
        arrivals = self._arrivals(stream, self._start, self._end)
        gaps = expected - _numbers_of(arrivals)
        if not gaps:
            return NOTHING, NOTHING
        # They may have come before the period, or after it.
        gaps -= _numbers_of(self._arrivals(stream, _BEGINNING, now_ns()))
        latest = now_ns() - SETTLED_AFTER
        settled = max((seq for seq, time in arrivals if time < latest), default=0)
        return gaps, gaps - IntervalSet.of([(0, settled)])

    def _arrivals(self, stream: StreamAudit, start: int, end: int) -> list[tuple[int, int]]:
        """Return (seq, time) of each arrival."""
        series = self._store.query(
            Query(
                "delivery",
                ("seq",),
                start,
                end,
                where={
                    "school": [stream.school],
                    "agent": [stream.agent],
                    "stream": [stream.stream],
                },
            )
        )
        return [
            (_whole(value), time)
            for each in series
            for value, time in zip(each.columns["seq"], each.times, strict=True)
        ]

    def _promises(self) -> dict[StreamKey, _Promise]:
        start, end = self._start - LOOK_BACK, now_ns()
        unsent = self._numbers("agent_status", "first_unsent", Aggregate.LAST, start, end)
        last = self._numbers("agent_status", "last_seq", Aggregate.LAST, start, end)
        dropped = self._values("agent_status", "dropped", Aggregate.LAST, start, end)
        return {
            key: _Promise(unsent.get(key), last.get(key), read_ranges(str(dropped.get(key, ""))))
            for key in unsent.keys() | last.keys() | dropped.keys()
        }

    def _numbers(
        self,
        measurement: str,
        field: str,
        aggregate: Aggregate,
        start: int | None = None,
        end: int | None = None,
    ) -> dict[StreamKey, int]:
        values = self._values(measurement, field, aggregate, start, end)
        return {key: _whole(value) for key, value in values.items()}

    def _values(
        self,
        measurement: str,
        field: str,
        aggregate: Aggregate,
        start: int | None = None,
        end: int | None = None,
    ) -> dict[StreamKey, FieldValue]:
        series = self._store.query(
            Query(
                measurement,
                (field,),
                self._start if start is None else start,
                self._end if end is None else end,
                where={"school": self._schools},
                group_by=_STREAM,
                aggregate=aggregate,
            )
        )
        return {
            (each.tags["school"], each.tags["agent"], each.tags["stream"]): value
            for each in series
            for value in each.columns[field]
            if value is not None
        }


def _numbers_of(arrivals: Sequence[tuple[int, int]]) -> IntervalSet:
    return IntervalSet.of((seq, seq + 1) for seq, _ in arrivals)


def _whole(value: FieldValue | None) -> int:
    """Return a number that the store may have made a float."""
    assert isinstance(value, int | float)
    return int(value)
