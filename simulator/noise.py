"""Chance that comes out the same every time: numbers drawn from names."""

from __future__ import annotations

import math
from hashlib import blake2b


def unit(*key: object) -> float:
    """Return a number in [0, 1) that depends on `key` alone."""
    digest = blake2b(repr(key).encode(), digest_size=7).digest()
    return int.from_bytes(digest) / 2**56


def between(low: float, high: float, *key: object) -> float:
    """Return a number in [low, high) that depends on `key` alone."""
    return low + (high - low) * unit(*key)


def drift(now: float, period: float, *key: object) -> float:
    """Return a number in [-1, 1] that wanders smoothly with time.

    Args:
        now: Unix seconds.
        period: seconds from one random point to the next; cosines join them.
        key: names the walk.
    """
    step, rest = divmod(now, period)
    weight = (1 - math.cos(math.pi * rest / period)) / 2
    start = unit(*key, int(step))
    end = unit(*key, int(step) + 1)
    return 2 * (start + (end - start) * weight) - 1
