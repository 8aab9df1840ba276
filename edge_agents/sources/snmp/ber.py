"""The little of the Basic Encoding Rules (X.690) that finds its way in a message.

What stands at fixed places is read in a few microseconds; a general decoder
takes a hundred times as long, and is only worth it for messages that count.
"""

from __future__ import annotations

from typing import Final

INTEGER: Final = 0x02
OCTETS: Final = 0x04
OID: Final = 0x06
SEQUENCE: Final = 0x30


class BerError(ValueError):
    """A message is not laid out as it should be."""


def enter(message: bytes, at: int, tag: int) -> tuple[int, int]:
    """Return where the contents of the element at `at` begin and end.

    Raises:
        BerError: it has another tag, or ends after the message.
    """
    if tag_at(message, at) != tag:
        raise BerError(f"tag {message[at]:#04x} at octet {at}, not {tag:#04x}")
    if at + 1 >= len(message):
        raise BerError("cut off")
    size, start = message[at + 1], at + 2
    if size & 0x80:
        start += size & 0x7F
        size = int.from_bytes(message[at + 2 : start])
    if start + size > len(message):
        raise BerError("cut off")
    return start, start + size


def tag_at(message: bytes, at: int) -> int:
    """Return the tag of the element at `at`.

    Raises:
        BerError: the message ends before.
    """
    if at >= len(message):
        raise BerError("cut off")
    return message[at]


def read_integer(message: bytes, at: int) -> tuple[int, int]:
    """Return the INTEGER at `at`, and where the next element begins."""
    start, end = enter(message, at, INTEGER)
    return int.from_bytes(message[start:end], signed=True), end


def read_octets(message: bytes, at: int) -> tuple[bytes, int]:
    """Return the OCTET STRING at `at`, and where the next element begins."""
    start, end = enter(message, at, OCTETS)
    return message[start:end], end
