"""What a probe's measurement is."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from campuswatch.readings import FieldValue

Fields = dict[str, FieldValue | None]
"""Fields of the catalogue's `probe`."""

Measure = Callable[[], Awaitable[Fields | None]]
"""Tries once; None if now is not the time for it.

Raises:
    ProbeFailedError: it did not go well.
    OSError: likewise, and the network says why.
"""


class ProbeFailedError(Exception):
    """A try did not go well.

    Attributes:
        fields: what is known all the same.
    """

    def __init__(self, reason: str, fields: Fields | None = None) -> None:
        super().__init__(reason)
        self.fields = fields or {}
