"""Devices that send lines of text: a pattern or columns say what is in them."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final

from campuswatch.inventory.models import Device, TextLines
from campuswatch.readings import Reading, merged
from edge_agents.sources.reachability import device_tags
from edge_agents.sources.serial.frames import LONGEST
from edge_agents.sources.serial.values import Value, quantity, readings

_END: Final = re.compile(rb"[\r\n]+")


class TextDriver:
    """A `HearingDriver` of a device that sends text.

    A line that the pattern does not fit is none of its business; an empty
    column is no value. What can't be a number is counted as damaged.

    Args:
        device: whose readings these are.
        lines: from the inventory.
    """

    def __init__(self, device: Device, lines: TextLines) -> None:
        self._tags = device_tags(device)
        self._rest = b""
        self._whole = False
        self._latest: list[Reading] = []
        self._pattern = None if lines.pattern is None else re.compile(lines.pattern)
        self._delimiter = lines.delimiter
        self._groups = {name: quantity(named) for name, named in lines.fields.items()}
        self._columns = [None if named is None else quantity(named) for named in lines.columns]

    def restart(self) -> None:
        """Skip what is left of the line that is being sent."""
        self._rest = b""
        self._whole = False

    def hear(self, data: bytes, damaged: Callable[[], None]) -> bool:
        """Take bytes of the stream."""
        *lines, self._rest = _END.split(self._rest + data)
        heard = False
        for line in lines:
            whole, self._whole = self._whole, True
            if whole:
                found = readings(self._tags, self._values(line), damaged)
                self._latest = merged([*self._latest, *found])
                heard = heard or bool(found)
        if len(self._rest) > LONGEST:
            damaged()
            self.restart()
        return heard

    def take(self) -> list[Reading]:
        """Return the newest value of each field since the last call."""
        latest, self._latest = self._latest, []
        return latest

    def _values(self, sent: bytes) -> list[Value]:
        line = sent.decode("utf-8", "replace").strip()
        if self._pattern is None:
            cells = [cell.strip() for cell in line.split(self._delimiter)]
            pairs = zip(self._columns, cells, strict=False)
            return [Value(what, cell) for what, cell in pairs if what is not None and cell]
        found = self._pattern.search(line)
        if found is None:
            return []
        return [
            Value(what, text)
            for name, what in self._groups.items()
            if (text := found[name]) is not None
        ]
