"""Reading a table of one device: which columns are due, and what is remembered."""

from __future__ import annotations

import asyncio
import logging
import math
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Final

from campuswatch.readings import Reading
from edge_agents.sources.snmp.cells import Cell, decoder, index_part
from edge_agents.sources.snmp.errors import SnmpDecodeError, SnmpLoopError, SnmpStatusError
from edge_agents.sources.snmp.faults import Fault, Faults
from edge_agents.sources.snmp.plan import plan_of
from edge_agents.sources.snmp.profile import ROW, Column, IndexPart, Pace, Table
from edge_agents.sources.snmp.rows import SCALAR, Columns, TableRows
from edge_agents.sources.snmp.session import Page, SnmpSession
from edge_agents.sources.snmp.walked import WalkedColumn

log = logging.getLogger(__name__)

PERIODS: Final[Mapping[Pace, float]] = {Pace.FAST: 0.0, Pace.NORMAL: 300.0, Pace.SLOW: 900.0}
"""Seconds between two readings of a column."""


class TableReader:
    """One table of one device.

    Args:
        table: from the profile.
        interval: seconds between two polls.
        who: name of the device, for the log.
        faults: takes what the agent does wrong.
    """

    def __init__(
        self, table: Table, interval: float, who: str, faults: Faults | None = None
    ) -> None:
        self.table = table
        self._plan = plan = plan_of(table)
        self._faults = faults or Faults()
        self._rows = TableRows(plan, self._faults)
        self._who = who
        self._slack = interval / 2
        self._columns = Columns()
        self._others: dict[str, dict[str, Cell]] = {}
        self._read_at = dict.fromkeys(plan.asked, -math.inf)
        self._ever_had: set[str] = set()

    @property
    def has_rows(self) -> bool:
        """Whether the device has any of it."""
        return bool(self._columns.cells.get(self.table.row_column))

    def stale(self) -> None:
        """Make everything due: the device says that it changed."""
        self._read_at = dict.fromkeys(self._plan.asked, -math.inf)

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
        found = self._rows.readings(self._columns, device_tags, time)
        self._columns.fresh.clear()
        return found

    async def _read_scalars(self, session: SnmpSession, now: float) -> None:
        due = {
            name: str(rule.oid) for name, rule in self._plan.asked.items() if self._due(name, now)
        }
        if not due:
            return
        answer = await session.get(sorted(set(due.values())))
        for name, oid in due.items():
            value = self._plan.decoders[name](answer[oid]) if oid in answer else None
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
            self._own_stale(now)
        for name in self._plan.order:
            if name != anchor and self._due(name, now) and not self._covered(name):
                await self._read_column(session, name, now)
        self._derive()

    def _own_stale(self, now: float) -> None:
        """Make due what new rows need, and was not read with them just now.

        Groups are of rows that come and go, such as clients; what other tables
        say of the group is not news because of them.
        """
        for name, read_at in self._read_at.items():
            if read_at != now and not (self.table.grouped and name in self._plan.derived):
                self._read_at[name] = -math.inf

    def _derive(self) -> None:
        """Fill the columns that are part of the index, or other tables'."""
        if not self._columns.fresh:
            return
        rows = self._columns.cells[self.table.row_column].keys()
        for name, rule in self._plan.derived.items():
            if rule.index is not None:
                found = {index: index_part(index, rule.index) for index in rows}
                decode = decoder(rule)
                self._columns.cells[name] = {
                    index: cell
                    for index, part in found.items()
                    if part is not None and (cell := decode(part)) is not None
                }
                if self.table.row_column in self._columns.fresh:
                    self._columns.fresh.add(name)
            else:
                self._columns.cells[name] = self._joined(name, rule, rows)

    def _joined(self, name: str, rule: Column, rows: Iterable[str]) -> dict[str, Cell]:
        others = self._others.get(name, {})
        columns = [None if key == ROW else self._columns.cells[key] for key in rule.by]
        joined: dict[str, Cell] = {}
        shared = _shared(others) if rule.unique else frozenset()
        for index in rows:
            keys = [index if column is None else column.get(index) for column in columns]
            key = ".".join(map(str, keys))
            value = others.get(key)
            if value is not None:
                joined[index] = f"{value}#{key}" if value in shared else value
        return joined

    def _due(self, name: str, now: float) -> bool:
        # What the device does not have is asked for rarely.
        pace = self._plan.asked[name].read if name in self._ever_had else Pace.SLOW
        return now - self._read_at[name] >= max(PERIODS[pace] - self._slack, 0.0)

    def _covered(self, name: str) -> bool:
        """Return whether the columns preferred to this one have every row."""
        if name not in self._plan.fallbacks:
            return False
        rows = self._columns.cells[self.table.row_column].keys()
        if self._plan.derived.keys() & self._plan.fallbacks[name]:
            self._derive()
        return any(
            rows <= (self._columns.cells[better].keys() | self._columns.counters[better].keys())
            for better in self._plan.fallbacks[name]
        )

    async def _read_column(self, session: SnmpSession, name: str, now: float) -> None:
        """Read a column, and with it those that are the same in another form."""
        found = {
            same: WalkedColumn(self._plan.asked[same], self._plan.decoders[same])
            for same in self._plan.same[name]
            if same == name or self._due(same, now)
        }
        try:
            await self._walk(session, name, found)
        except (SnmpLoopError, SnmpDecodeError) as error:
            log.warning("%s: %s.%s left out: %s", self._who, self.table.id, name, error)
            self._notice(error.fault, name, f"left out: {error}")
            self._read_at |= dict.fromkeys(found, now)
            return
        for fault, words in found[name].faults():
            self._notice(fault, name, words)
        for same, column in found.items():
            if same in self._plan.derived:
                self._others[same] = _keyed(column.cells, self._plan.asked[same].key)
            else:
                self._keep(same, column)
            self._note(same, now, has_values=bool(column.cells or column.counters))

    def _keep(self, name: str, found: WalkedColumn) -> None:
        columns = self._columns
        rows = columns.cells[self.table.row_column].keys()
        lost = (columns.cells[name].keys() | columns.counters[name].keys()) & rows
        lost -= found.cells.keys() | found.counters.keys()
        if lost and name != self.table.row_column:
            self._notice(Fault.MISSING_ROWS, name, f"{len(lost)} rows fewer than before")
        columns.cells[name], columns.counters[name] = found.cells, found.counters

    def _notice(self, fault: Fault | None, name: str, words: str) -> None:
        if fault is not None:
            self._faults.note(fault, f"{self.table.id}.{name}: {words}")

    def _note(self, name: str, now: float, *, has_values: bool) -> None:
        self._read_at[name] = now
        self._columns.fresh.add(name)
        if has_values:
            self._ever_had.add(name)

    async def _walk(
        self, session: SnmpSession, name: str, found: Mapping[str, WalkedColumn]
    ) -> None:
        try:
            async for page in session.walk(found[name].oid, self._rows_expected(name)):
                for column in found.values():
                    column.take(page)
        except SnmpStatusError as error:
            # The walk can't go on, but the rows behind the one that can't be
            # read can be asked for by name.
            self._notice(error.fault, name, str(error))
            rows = self._columns.cells[self.table.row_column]
            answer = await session.get(found[name].missing(rows))
            page = Page(list(answer.items()), asyncio.get_running_loop().time())
            for column in found.values():
                column.take(page)

    def _rows_expected(self, name: str) -> int | None:
        if name in self._plan.derived:
            return len(self._others.get(name, {})) or None
        return len(self._columns.cells[self.table.row_column]) or None


def _keyed(cells: dict[str, Cell], key: IndexPart | None) -> dict[str, Cell]:
    """Return another table's values by what rows of this table know of its index."""
    if key is None:
        return cells
    keyed: dict[str, Cell] = {}
    for index, value in cells.items():
        keyed.setdefault(str(index_part(index, key)), value)
    return keyed


def _shared(cells: Mapping[str, Cell]) -> frozenset[Cell]:
    """Return the values, other than none, that more than one row has."""
    rows_with = Counter(cells.values())
    return frozenset(value for value, rows in rows_with.items() if rows > 1 and value != "")
