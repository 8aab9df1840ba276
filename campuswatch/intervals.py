"""Sets of time, as half-open intervals of whole nanoseconds, and their algebra.

Everything that is measured in time (service hours, outages, lessons lost)
is such a set, so that sums are exact integers and parts add up to the whole.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

Span = tuple[int, int]
"""From the first nanosecond to the first one no longer included."""


@dataclass(frozen=True, slots=True)
class IntervalSet:
    """A set of instants; immutable, and equal when it holds the same instants.

    Build one with `IntervalSet.of`, which takes spans in any shape.

    Attributes:
        spans: disjoint, ascending, not touching, none empty.
    """

    spans: tuple[Span, ...] = ()

    @classmethod
    def of(cls, spans: Iterable[Span]) -> IntervalSet:
        """Return the union of `spans`, which may overlap, touch, be empty or out of order."""
        merged: list[Span] = []
        for start, end in sorted(spans):
            if end <= start:
                continue
            if merged and start <= merged[-1][1]:
                merged[-1] = (merged[-1][0], max(merged[-1][1], end))
            else:
                merged.append((start, end))
        return cls(tuple(merged))

    @property
    def total(self) -> int:
        """How many nanoseconds it holds."""
        return sum(end - start for start, end in self.spans)

    def grow(self, before: int, after: int) -> IntervalSet:
        """Return it with every span begun `before` earlier and ended `after` later."""
        return IntervalSet.of((start - before, end + after) for start, end in self.spans)

    def __or__(self, other: IntervalSet) -> IntervalSet:
        return IntervalSet.of((*self.spans, *other.spans))

    def __and__(self, other: IntervalSet) -> IntervalSet:
        common: list[Span] = []
        mine, theirs = 0, 0
        while mine < len(self.spans) and theirs < len(other.spans):
            (a_start, a_end), (b_start, b_end) = self.spans[mine], other.spans[theirs]
            start, end = max(a_start, b_start), min(a_end, b_end)
            if start < end:
                common.append((start, end))
            if a_end <= b_end:
                mine += 1
            else:
                theirs += 1
        return IntervalSet(tuple(common))

    def __sub__(self, other: IntervalSet) -> IntervalSet:
        if not self.spans:
            return self
        return self & other._outside(self.spans[0][0], self.spans[-1][1])

    def _outside(self, start: int, end: int) -> IntervalSet:
        """Return what of [start, end) it does not hold."""
        edges = [start, *(edge for span in self.spans for edge in span), end]
        return IntervalSet(
            tuple((a, b) for a, b in zip(edges[::2], edges[1::2], strict=True) if a < b)
        )

    def __iter__(self) -> Iterator[Span]:
        return iter(self.spans)

    def __bool__(self) -> bool:
        return bool(self.spans)


NOTHING: Final = IntervalSet()
"""The empty set."""
