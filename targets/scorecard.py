"""What a school made of its targets in a period, and its place in the district."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from targets.verdicts import Share


@dataclass(frozen=True, slots=True)
class Mark:
    """How far one target was reached: its objective and what was attained."""

    objective: float
    share: Share


def score(marks: Sequence[Mark]) -> float | None:
    """Return the mean of how far targets were reached, each at most fully, in percent.

    None when nothing is known of any of them.
    """
    reached = [
        min(1.0, mark.share.attained / mark.objective) if mark.objective else 1.0
        for mark in marks
        if mark.share.attained is not None
    ]
    return 100 * math.fsum(reached) / len(reached) if reached else None


def ranks(scores: Mapping[str, float | None]) -> dict[str, int]:
    """Return the rank of each school with a score; equal scores share the better rank."""
    known = [value for value in scores.values() if value is not None]
    ordered = sorted(known, reverse=True)
    places: dict[float, int] = {}
    for place, value in enumerate(ordered, 1):
        places.setdefault(value, place)
    return {school: places[value] for school, value in scores.items() if value is not None}
