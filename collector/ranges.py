"""Sets of batch numbers as people write them: "3-5,9"."""

from __future__ import annotations

from campuswatch.intervals import IntervalSet


def write_ranges(numbers: IntervalSet, most: int | None = None) -> str:
    """Return the ranges, both ends included.

    Args:
        numbers: whole numbers; an interval's end is not part of it.
        most: after so many ranges, say only how many more there are.
    """
    spans = numbers.spans[:most]
    written = ",".join(f"{a}" if b == a + 1 else f"{a}-{b - 1}" for a, b in spans)
    left = len(numbers.spans) - len(spans)
    return f"{written} and {left} more" if left else written


def read_ranges(text: str) -> IntervalSet:
    """Return the numbers of "3-5,9".

    Raises:
        ValueError: the text is no list of ranges.
    """
    spans: list[tuple[int, int]] = []
    for part in filter(None, text.split(",")):
        first, _, last = part.partition("-")
        spans.append((int(first), int(last or first) + 1))
    return IntervalSet.of(spans)
