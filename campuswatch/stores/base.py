"""What every store can do, and the one query type that all of them answer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol

from campuswatch.lineprotocol import RejectedLine
from campuswatch.readings import FieldValue

__all__ = [
    "Aggregate",
    "Query",
    "RejectedLine",
    "Runs",
    "Series",
    "Store",
    "StoreError",
    "StoreUnavailableError",
]


class StoreUnavailableError(ConnectionError):
    """The store can't be reached or refuses for now; try the same again later.

    Attributes:
        retry_after: how long the store asks to be left alone, s; None if it does not say.
    """

    def __init__(self, message: str, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class StoreError(RuntimeError):
    """The store refuses this request for good; the message says why."""


class Aggregate(StrEnum):
    """How to summarise the samples of a window."""

    MEAN = "mean"
    MIN = "min"
    MAX = "max"
    SUM = "sum"
    COUNT = "count"
    COUNT_DISTINCT = "count_distinct"
    FIRST = "first"
    LAST = "last"
    P50 = "p50"
    P95 = "p95"


@dataclass(frozen=True, slots=True)
class Runs:
    """How to make one row of samples that repeat each other.

    A run is as many samples of a group in order of time as have the same
    values, and of which each comes before the one before has ended: within
    `hold` of its interval, and within `longest`.

    Attributes:
        interval: the field that holds a sample's interval in seconds; a sample
            that lacks it is a run by itself.
        hold: for how many intervals a sample holds.
        longest: for how long a sample holds at the most, ns.
    """

    interval: str
    hold: float
    longest: int


@dataclass(frozen=True, slots=True)
class Query:
    """A question to a store.

    What comes back depends on `aggregate` and `window`: with neither, the raw
    samples in order of time; with an aggregate alone, one row per group over
    the whole span (its time is `start`; for LAST and FIRST, the sample's own);
    with both, one row per group and window that holds a sample, timed at the
    window's start. Windows are aligned to 1970-01-01 UTC. Samples of different
    series that share a time come in any order.

    COUNT is 0 for a field that a row lacks. Only numbers have a MEAN, SUM, MIN,
    MAX or percentile. A percentile is the sample of the nearest rank: number
    floor(n * p / 100 + 1/2) of n, as InfluxQL counts.

    With `runs`, there is one row for each run of raw samples, timed at its
    first; samples that share a time are in order of their fields' values.

    Attributes:
        measurement: which measurement.
        fields: which fields; rows that have none of them are left out.
        start: first nanosecond, UTC.
        end: first nanosecond no longer included, UTC.
        where: for each tag key, the values that pass; a missing tag is "".
        group_by: tag keys; one series for each combination of their values.
        aggregate: how to summarise, or None for raw samples.
        window: length of a window in nanoseconds, or None for the whole span.
        limit: at most this many rows in each series, counted from the oldest;
            with `newest`, from the newest.
        newest: count `limit` from the newest row; rows stay in order of time.
        runs: make one row of samples that repeat each other.
    """

    measurement: str
    fields: tuple[str, ...]
    start: int
    end: int
    where: Mapping[str, Sequence[str]] = field(default_factory=dict)
    group_by: tuple[str, ...] = ()
    aggregate: Aggregate | None = None
    window: int | None = None
    limit: int | None = None
    newest: bool = False
    runs: Runs | None = None

    def __post_init__(self) -> None:
        if not self.fields:
            raise ValueError("a query needs at least one field")
        if self.end <= self.start:
            raise ValueError("a query's end must be later than its start")
        if self.window is not None and (self.aggregate is None or self.window <= 0):
            raise ValueError("a window needs an aggregate and a positive length")
        if self.runs is not None:
            if self.aggregate is not None or self.limit is not None:
                raise ValueError("runs are made of raw samples, without a limit")
            if self.runs.interval not in self.fields:
                raise ValueError("the interval of runs must be one of the query's fields")


@dataclass(frozen=True, slots=True)
class Series:
    """One group's rows.

    Attributes:
        tags: the values of the query's `group_by` tags; "" where missing.
        times: nanoseconds UTC, ascending.
        columns: for each field, one value a row; None where a row lacks it.
        until: of a query for runs, the time of each one's last sample.
    """

    tags: Mapping[str, str]
    times: Sequence[int]
    columns: Mapping[str, Sequence[FieldValue | None]]
    until: Sequence[int] | None = None


class Store(Protocol):
    """Keeps readings; safe to call from several threads.

    Attributes:
        samples_at_once: over how many raw samples a query for runs may go
            before it takes more than some hundred megabytes.
    """

    @property
    def samples_at_once(self) -> int: ...

    def write(self, lines: bytes) -> list[RejectedLine]:
        """Store lines of InfluxDB line protocol, durably, before returning.

        Writing a point again changes nothing; a point with the same identity
        and other fields is merged. Lines that can't ever be stored are
        returned, and do not keep the others from being stored.

        Args:
            lines: whole lines, each ended by a newline and with its time in nanoseconds.

        Raises:
            StoreUnavailableError: nothing can be said of any line; write all again.
            StoreError: the store is not set up to be written to (a wrong token,
                a missing bucket); when that is mended, write all again.
        """
        ...

    def query(self, query: Query) -> list[Series]:
        """Answer a query; series are sorted by their tags' values.

        Raises:
            StoreUnavailableError: the store can't be reached.
            StoreError: it refuses the query.
        """
        ...

    def ping(self) -> None:
        """Return if the store can take writes now.

        Raises:
            StoreUnavailableError: it can't.
        """
        ...

    def close(self) -> None:
        """Release what is held; the store is not used after that."""
        ...
