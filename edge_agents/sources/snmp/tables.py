"""Reading a table of one device: which columns are due, and what is remembered."""

from __future__ import annotations

import logging
import math
from collections.abc import Mapping
from typing import Final

from campuswatch.readings import Reading
from edge_agents.sources.snmp.errors import SnmpDecodeError, SnmpLoopError
from edge_agents.sources.snmp.profile import Column, Pace, Table
from edge_agents.sources.snmp.rates import Sample
from edge_agents.sources.snmp.rows import SCALAR, Cell, Columns, TableRows, cell
from edge_agents.sources.snmp.session import SnmpSession

log = logging.getLogger(__name__)

PERIODS: Final[Mapping[Pace, float]] = {Pace.FAST: 0.0, Pace.NORMAL: 300.0, Pace.SLOW: 900.0}
"""Seconds between two readings of a column."""


class TableReader:
    """One table of one device.

    Args:
        table: from the profile.
        interval: seconds between two polls.
        who: name of the device, for the log.
    """

    def __init__(self, table: Table, interval: float, who: str) -> None:
        self.table = table
        self.rows = TableRows(table)
        self._who = who
        self._slack = interval / 2
        self._columns = Columns()
        self._read_at = dict.fromkeys(table.columns, -math.inf)
        self._ever_had: set[str] = set()
        self._fallbacks = _fallbacks(table)
        self._order = sorted(table.columns, key=self._fallbacks.__contains__)

    def stale(self) -> None:
        """Make everything due: the device says that it changed."""
        self._read_at = dict.fromkeys(self.table.columns, -math.inf)

    async def read(self, session: SnmpSession, now: float, uptime: float | None) -> None:
        """Read the columns that are due.

        Args:
            session: with the device.
            now: monotonic time, in seconds.
            uptime: sysUpTime in seconds, None if unknown.

        Raises:
            SnmpError: the device stopped answering; what is missing stays due.
        """
        self._columns.uptime = uptime
        if self.table.scalar:
            await self._read_scalars(session, now)
        else:
            await self._read_columns(session, now)

    def readings(self, device_tags: Mapping[str, str], time: int) -> list[Reading]:
        """Return what the columns read since the last call say; see `TableRows.readings`."""
        if not self._columns.fresh:
            return []
        found = self.rows.readings(self._columns, device_tags, time)
        self._columns.fresh.clear()
        return found

    async def _read_scalars(self, session: SnmpSession, now: float) -> None:
        due = {name: rule for name, rule in self.table.columns.items() if self._due(name, now)}
        if not due:
            return
        answer = await session.get([rule.oid for rule in due.values()])
        for name, rule in due.items():
            value = cell(rule, answer[rule.oid]) if rule.oid in answer else None
            self._columns.cells[name] = {} if value is None else {SCALAR: value}
            self._note(name, now, has_values=value is not None)

    async def _read_columns(self, session: SnmpSession, now: float) -> None:
        anchor = self.table.row_column
        known = self._columns.cells[anchor].keys()
        if self._due(anchor, now):
            await self._read_column(session, anchor, now)
        rows = self._columns.cells[anchor].keys()
        if not rows:
            return
        if not rows <= known:
            read_now = self._read_at[anchor]
            self.stale()
            self._read_at[anchor] = read_now
        for name in self._order:
            if name != anchor and self._due(name, now) and not self._covered(name):
                await self._read_column(session, name, now)

    def _due(self, name: str, now: float) -> bool:
        # What the device does not have is asked for rarely.
        pace = self.table.columns[name].read if name in self._ever_had else Pace.SLOW
        return now - self._read_at[name] >= max(PERIODS[pace] - self._slack, 0.0)

    def _covered(self, name: str) -> bool:
        """Return whether the columns preferred to this one have every row."""
        if name not in self._fallbacks:
            return False
        rows = self._columns.cells[self.table.row_column].keys()
        return any(
            rows <= (self._columns.cells[better].keys() | self._columns.counters[better].keys())
            for better in self._fallbacks[name]
        )

    async def _read_column(self, session: SnmpSession, name: str, now: float) -> None:
        rule = self.table.columns[name]
        try:
            cells, counters = await self._walk(session, rule)
        except (SnmpLoopError, SnmpDecodeError) as error:
            log.warning("%s: %s.%s left out: %s", self._who, self.table.id, name, error)
            self._read_at[name] = now
            return
        self._columns.cells[name], self._columns.counters[name] = cells, counters
        self._note(name, now, has_values=bool(cells or counters))

    def _note(self, name: str, now: float, *, has_values: bool) -> None:
        self._read_at[name] = now
        self._columns.fresh.add(name)
        if has_values:
            self._ever_had.add(name)

    async def _walk(
        self, session: SnmpSession, rule: Column
    ) -> tuple[dict[str, Cell], dict[str, Sample]]:
        cells: dict[str, Cell] = {}
        counters: dict[str, Sample] = {}
        start = len(rule.oid) + 1
        rows = len(self._columns.cells[self.table.row_column]) or None
        async for page in session.walk(rule.oid, rows):
            if rule.counter is not None:
                for oid, raw in page.varbinds:
                    if isinstance(raw, int):
                        counters[oid[start:]] = Sample(raw, page.at)
                continue
            for oid, raw in page.varbinds:
                value = cell(rule, raw)
                if value is not None:
                    cells[oid[start:]] = value
        return cells, counters


def _fallbacks(table: Table) -> dict[str, set[str]]:
    """Return the columns that are read only where better ones are missing.

    Returns:
        By column, those that are preferred to it wherever it is used.
    """
    preferred: dict[str, list[set[str]]] = {}
    choices = [tag.from_ for tag in table.tags.values()]
    choices += [
        names for rule in table.fields.values() for names in (rule.from_, rule.rate) if names
    ]
    for names in choices:
        for position, name in enumerate(names):
            preferred.setdefault(name, []).append(set(names[:position]))
    return {
        name: set.intersection(*better)
        for name, better in preferred.items()
        if set.intersection(*better)
    }
