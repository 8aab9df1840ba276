"""One column as a walk finds it, and what is wrong with it."""

from __future__ import annotations

from collections.abc import Iterator

from edge_agents.sources.snmp.cells import Cell, Decoder
from edge_agents.sources.snmp.faults import Fault
from edge_agents.sources.snmp.profile import Column
from edge_agents.sources.snmp.rates import Sample
from edge_agents.sources.snmp.session import Page, Value


class WalkedColumn:
    """Takes the pages of a walk.

    Attributes:
        oid: of the column.
        cells: row's index ▸ value.
        counters: row's index ▸ sample, if it is a counter.

    Args:
        rule: the column.
        decode: makes cells of its raw values.
    """

    def __init__(self, rule: Column, decode: Decoder) -> None:
        self.oid = str(rule.oid)
        self.cells: dict[str, Cell] = {}
        self.counters: dict[str, Sample] = {}
        self._counts = rule.counter is not None
        self._decode = decode
        self._start = len(self.oid) + 1
        self._taken = 0
        self._indexes: set[str] = set()
        self._mistyped: tuple[str, Value] | None = None

    def take(self, page: Page) -> None:
        """Add what one PDU holds."""
        start = self._start
        found = [(oid[start:], raw) for oid, raw in page.varbinds]
        self._taken += len(found)
        self._indexes.update([index for index, _ in found])
        if self._counts:
            samples = {index: Sample(raw, page.at) for index, raw in found if type(raw) is int}
            self.counters |= samples
            if len(samples) < len(found):
                self._notice_type(found)
            return
        decode = self._decode
        for index, raw in found:
            value = decode(raw)
            if value is not None:
                self.cells[index] = value

    def missing(self, rows: set[str]) -> list[str]:
        """Return the OIDs of those rows that no page held."""
        return [f"{self.oid}.{index}" for index in sorted(rows - self._indexes)]

    def faults(self) -> Iterator[tuple[Fault, str]]:
        """Yield what the agent got wrong."""
        doubled = self._taken - len(self._indexes)
        if doubled:
            yield Fault.DUPLICATE_ROW, f"{doubled} rows came more than once"
        if self._mistyped is not None:
            index, raw = self._mistyped
            yield Fault.WRONG_TYPE, f"row {index} is no counter: {raw!r}"

    def _notice_type(self, found: list[tuple[str, Value]]) -> None:
        for index, raw in found:
            if type(raw) is not int:
                self._mistyped = (index, raw)
                return
