"""From the columns of a table to readings: the arithmetic of a profile."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

from campuswatch.measurements import CATALOGUE, CatalogueError
from campuswatch.readings import FieldValue, Reading
from edge_agents.sources.snmp.profile import (
    CeilingRule,
    Column,
    FieldRule,
    Table,
    TagRule,
    columns_of,
)
from edge_agents.sources.snmp.rates import Absent, Ceiling, Sample, rate
from edge_agents.sources.snmp.session import Value
from edge_agents.sources.snmp.text import decode_text

Cell = int | float | str
"""A value after its column's ignore, enum and scale."""

SCALAR: Final = "0"
"""The index of what is no table."""

_TICKS: Final = 100
_MOST_DECIMALS: Final = 9  # RFC 3433, EntitySensorPrecision


def cell(rule: Column, raw: Value) -> Cell | None:
    """Return a value as its column means it; None if that is no data."""
    value = decode_text(raw) if isinstance(raw, bytes) else raw
    if value in rule.ignore:
        return None
    if rule.enum is not None:
        return rule.enum.get(value) if isinstance(value, int | str) else None
    if rule.scale != 1 and not isinstance(value, str):
        return value * rule.scale
    return value


@dataclass
class Columns:
    """What is known of a table's columns.

    Attributes:
        cells: column ▸ row's index ▸ value.
        counters: counter column ▸ row's index ▸ newest sample.
        fresh: columns read in this poll.
        uptime: sysUpTime in seconds, None if the agent has none.
    """

    cells: dict[str, dict[str, Cell]] = field(default_factory=lambda: defaultdict(dict))
    counters: dict[str, dict[str, Sample]] = field(default_factory=lambda: defaultdict(dict))
    fresh: set[str] = field(default_factory=set)
    uptime: float | None = None

    def first(self, columns: Iterable[str], index: str) -> Cell | None:
        """Return the row's value in the first of the columns that has one.

        Empty text is second to any value, but it is one: a cleared ifAlias.
        """
        empty: Cell | None = None
        for column in columns:
            value = self.cells[column].get(index)
            if value == "":
                empty = value
            elif value is not None:
                return value
        return empty


class TableRows:
    """Makes readings of one table of one device; remembers its counters.

    Attributes:
        absent: why rates were left out since the table was first read, and how often.
    """

    def __init__(self, table: Table) -> None:
        self.absent: Counter[Absent] = Counter()
        self._table = table
        self._measurement = CATALOGUE[table.measurement]
        self._before: dict[tuple[str, str], Sample] = {}
        self._counted_since: dict[str, Cell] = {}
        self._present: set[str] = set()
        self._sources = {name: _sources(table, name) for name in table.fields}
        self._needed = {needed for rule in table.fields.values() for needed in _fields_needed(rule)}

    def readings(
        self, columns: Columns, device_tags: Mapping[str, str], time: int
    ) -> list[Reading]:
        """Return a reading for each row that has anything new.

        Args:
            columns: what was read.
            device_tags: tags of the device.
            time: nanoseconds since 1970-01-01 UTC.
        """
        indexes = self._indexes(columns)
        self._forget_rows_but(indexes)
        self._notice_resets(columns, indexes)
        wanted = [name for name, sources in self._sources.items() if sources & columns.fresh]
        rules = [
            (name, rule)
            for name, rule in self._table.fields.items()
            if name in wanted or name in self._needed
        ]
        tags = self._tags(columns, indexes)
        found: list[Reading] = []
        for index in indexes:
            values = self._row(columns, index, rules)
            row = self._reading(
                {**device_tags, **tags[index]}, {name: values[name] for name in wanted}, time
            )
            if row is not None:
                found.append(row)
        return found

    def _indexes(self, columns: Columns) -> list[str]:
        if self._table.scalar:
            return [SCALAR]
        indexes: list[str] = [
            index
            for index in columns.cells[self._table.row_column]
            if all(
                columns.cells[column].get(index) in values
                for column, values in self._table.where.items()
            )
        ]
        return indexes[:1] if self._table.first else indexes

    def _forget_rows_but(self, indexes: Collection[str]) -> None:
        """Let a row that comes back begin anew; some devices never use an index twice."""
        present = set(indexes)
        if gone := self._present - present:
            self._before = {k: v for k, v in self._before.items() if k[1] not in gone}
            self._counted_since = {k: v for k, v in self._counted_since.items() if k not in gone}
        self._present = present

    def _notice_resets(self, columns: Columns, indexes: Collection[str]) -> None:
        column = self._table.discontinuity
        if column is None or column not in columns.fresh:
            return
        for index in indexes:
            since = columns.cells[column].get(index)
            if since is not None and self._counted_since.setdefault(index, since) != since:
                self._counted_since[index] = since
                for counter in columns.counters:
                    self._before.pop((counter, index), None)

    def _row(
        self, columns: Columns, index: str, rules: Iterable[tuple[str, FieldRule]]
    ) -> dict[str, FieldValue | None]:
        values: dict[str, FieldValue | None] = {}
        for name, rule in rules:
            if rule.rate is not None and rule.ceiling is not None:
                speed = values[rule.ceiling.of]
                values[name] = self._rate(columns, rule.rate, _ceiling(rule.ceiling, speed), index)
            elif rule.share is not None and rule.of is not None:
                values[name] = _share(values[rule.share], values[rule.of])
            elif rule.since is not None:
                values[name] = _age(columns.cells[rule.since].get(index), columns.uptime)
            else:
                values[name] = _taken(columns, rule, index)
        return values

    def _rate(
        self, columns: Columns, names: Iterable[str], ceiling: Ceiling, index: str
    ) -> float | None:
        for name in names:
            now = columns.counters[name].get(index)
            if now is None:
                continue
            rule = self._table.columns[name]
            assert rule.counter is not None
            found = rate(self._before.get((name, index)), now, rule.counter, ceiling)
            if found is not Absent.NO_TIME:
                self._before[name, index] = now
            if isinstance(found, Absent):
                self.absent[found] += 1
                return None
            return found * rule.scale
        return None

    def _tags(self, columns: Columns, indexes: Collection[str]) -> dict[str, dict[str, str]]:
        tags: dict[str, dict[str, str]] = {index: {} for index in indexes}
        for name, rule in self._table.tags.items():
            for index, value in _tag_values(columns, rule, indexes).items():
                tags[index][name] = value
        return tags

    def _reading(
        self, tags: Mapping[str, str], fields: Mapping[str, FieldValue | None], time: int
    ) -> Reading | None:
        if all(value is None for value in fields.values()):
            return None
        try:
            return self._measurement.reading(tags, fields, time)
        except CatalogueError:
            return self._mended(tags, fields, time)

    def _mended(
        self, tags: Mapping[str, str], fields: Mapping[str, FieldValue | None], time: int
    ) -> Reading | None:
        """Leave out what a device sent in another type than its MIB says."""
        kept: dict[str, FieldValue | None] = {}
        for name, value in fields.items():
            if value is None:
                continue
            try:
                kept[name] = self._measurement.fields[name].settle(value)
            except CatalogueError:
                continue
        try:
            return self._measurement.reading(tags, kept, time)
        except CatalogueError:
            return None  # nothing is left, or a tag is missing


def _sources(table: Table, name: str) -> set[str]:
    """Return the columns a field comes from, through other fields too."""
    rule = table.fields[name]
    if rule.share is not None:
        return _sources(table, rule.share)
    return set(columns_of(rule))


def _fields_needed(rule: FieldRule) -> list[str]:
    needed = [rule.share, rule.of, rule.ceiling.of if rule.ceiling else None]
    return [name for name in needed if name]


def _taken(columns: Columns, rule: FieldRule, index: str) -> FieldValue | None:
    for column, values in rule.unless.items():
        if columns.cells[column].get(index) in values:
            return None
    value = columns.first(rule.from_ or [], index)
    for column in rule.times:
        factor = columns.cells[column].get(index)
        if value is None or isinstance(value, str) or not isinstance(factor, int | float):
            return None
        value *= factor
    if rule.decimals is not None and isinstance(value, int | float):
        digits = columns.cells[rule.decimals].get(index, 0)
        if isinstance(digits, int) and abs(digits) <= _MOST_DECIMALS:
            value /= 10.0**digits
    return value


def _share(part: FieldValue | None, whole: FieldValue | None) -> float | None:
    if isinstance(part, int | float) and isinstance(whole, int | float) and whole > 0:
        return 100.0 * part / whole
    return None


def _age(ticks: Cell | None, uptime: float | None) -> float | None:
    if uptime is None or not isinstance(ticks, int):
        return None
    age = uptime - ticks / _TICKS
    return age if age >= 0 else None  # sysUpTime wrapped since, or the agent is wrong


def _ceiling(rule: CeilingRule, speed: FieldValue | None) -> Ceiling:
    if isinstance(speed, int | float) and speed > 0:
        return Ceiling(speed / rule.per, known=True)
    return Ceiling(rule.unknown / rule.per, known=False)


def _tag_values(columns: Columns, rule: TagRule, indexes: Collection[str]) -> dict[str, str]:
    if rule.index:
        return {index: index for index in indexes}
    found = {index: columns.first(rule.from_, index) for index in indexes}
    values = {index: "" if value is None else str(value) for index, value in found.items()}
    if not rule.unique:
        return values
    rows_with = Counter(values.values())
    return {
        index: value if rows_with[value] == 1 and value else f"{value}#{index}".removeprefix("#")
        for index, value in values.items()
    }
