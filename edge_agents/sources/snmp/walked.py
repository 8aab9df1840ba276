"""One column as a walk finds it, and what is wrong with it."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from sys import intern

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
        self._taken = self._refused = 0
        self._mistyped: tuple[str, Value] | None = None

    def take(self, page: Page) -> None:
        """Add what one PDU holds."""
        self._taken += len(page.varbinds)
        if self._counts:
            self._count(page)
            return
        start, decode = self._start, self._decode
        for oid, raw in page.varbinds:
            value = decode(raw)
            if value is None:
                self._refused += 1
            else:
                # Indexes are the same in every column, and mostly in every device.
                self.cells[intern(oid[start:])] = value

    def _count(self, page: Page) -> None:
        start, at = self._start, page.at
        samples = {
            intern(oid[start:]): Sample(raw, at) for oid, raw in page.varbinds if type(raw) is int
        }
        self.counters |= samples
        if len(samples) < len(page.varbinds):
            strange = [(oid[start:], raw) for oid, raw in page.varbinds if type(raw) is not int]
            self._refused += len(strange)
            self._mistyped = self._mistyped or next(iter(strange), None)

    def missing(self, rows: Collection[str]) -> list[str]:
        """Return the OIDs of those rows that have no value yet."""
        found = self.counters if self._counts else self.cells
        return [f"{self.oid}.{index}" for index in rows if index not in found]

    def faults(self) -> Iterator[tuple[Fault, str]]:
        """Yield what the agent got wrong."""
        doubled = self._taken - self._refused - len(self.cells) - len(self.counters)
        if doubled:
            yield Fault.DUPLICATE_ROW, f"{doubled} rows came more than once"
        if self._mistyped is not None:
            index, raw = self._mistyped
            yield Fault.WRONG_TYPE, f"row {index} is no counter: {raw!r}"
