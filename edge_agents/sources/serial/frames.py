"""Finding frames in what a serial line brings: noise, pieces and damage included.

A `Take` removes from a buffer what it has understood, or knows to be noise, and
leaves what may still become a frame. That is all that resynchronisation is.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final, TypeVar

LONGEST: Final = 1024
"""Bytes of a buffer that are kept while no frame is found in them."""

Frame = TypeVar("Frame")

Take = Callable[[bytearray], Frame | None]
"""Removes one frame from a buffer and returns it; None if there is none yet.

It raises `DamagedFrameError` for a frame that is there and wrong, of which it
has removed a byte at least, so that it can be called again.
"""


class DamagedFrameError(Exception):
    """A frame's checksum or layout is wrong."""


def take_next(buffer: bytearray, take: Take[Frame], damaged: Callable[[], None]) -> Frame | None:
    """Return the next good frame of a buffer, which it bounds; None if there is none yet.

    Args:
        buffer: what has arrived.
        take: knows the frames.
        damaged: called for each that is damaged.
    """
    while True:
        try:
            frame = take(buffer)
        except DamagedFrameError:
            damaged()
            continue
        if frame is None:
            del buffer[:-LONGEST]
        return frame


def taking(pattern: re.Pattern[bytes]) -> Take[re.Match[bytes]]:
    """Return a `Take` of whatever text a pattern finds first; what is before it is noise."""

    def take(buffer: bytearray) -> re.Match[bytes] | None:
        found = pattern.search(bytes(buffer))
        if found is not None:
            del buffer[: found.end()]
        return found

    return take


def drop_until(buffer: bytearray, header: bytes) -> None:
    """Remove what is before a header, or before what may be the beginning of one."""
    found = buffer.find(header)
    if found >= 0:
        del buffer[:found]
        return
    kept = next((n for n in range(len(header) - 1, 0, -1) if buffer.endswith(header[:n])), 0)
    del buffer[: len(buffer) - kept]
