"""From the columns of a table to readings: the arithmetic of a profile."""

from __future__ import annotations

import math
import operator
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from types import NoneType
from typing import Final

from campuswatch.measurements import CatalogueError, Field
from campuswatch.readings import FieldValue, Reading
from edge_agents.sources.snmp.cells import Cell
from edge_agents.sources.snmp.faults import Fault, Faults
from edge_agents.sources.snmp.groups import aggregate
from edge_agents.sources.snmp.plan import TablePlan
from edge_agents.sources.snmp.profile import (
    ROW,
    CeilingRule,
    FieldRule,
    TagRule,
    text_columns,
)
from edge_agents.sources.snmp.rates import Absent, Ceiling, Sample, rates

SCALAR: Final = "0"
"""The index of what is no table."""

RATE_DIGITS: Final = 5
"""Significant digits of rates and shares. What else they hold is the jitter of
the two samples' arrival (a tenth of a millisecond in 10 s is one in 100,000),
and it would be stored, sent and compressed as noise."""

_FAULTS: Final[Mapping[Absent, Fault]] = {
    Absent.AMBIGUOUS: Fault.SHORT_COUNTER,
    Absent.RESET: Fault.BACKWARDS,
    Absent.IMPLAUSIBLE: Fault.IMPLAUSIBLE,
}
"""What a rate's absence says of the agent; a first sample says nothing."""

_SIGNIFICANT: Final = f"%.{RATE_DIGITS}g"  # twice as fast as a format specification
_TICKS: Final = 100
_MOST_DECIMALS: Final = 9  # RFC 3433, EntitySensorPrecision


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

    Args:
        plan: of the table.
        faults: takes what the agent does wrong.
    """

    def __init__(self, plan: TablePlan, faults: Faults) -> None:
        self._plan = plan
        self._table = plan.table
        self._measurement = plan.measurement
        self._faults = faults
        self._before: dict[str, dict[str, Sample]] = {
            name: {} for name, rule in plan.table.columns.items() if rule.counter
        }
        self._counted_since: dict[str, Cell] = {}
        self._present: set[str] = set()

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
        device_tags = {name: value for name, value in device_tags.items() if value}
        if self._table.grouped:
            return self._groups(columns, indexes, device_tags, time)
        self._forget_rows_but(indexes)
        self._notice_resets(columns, indexes)
        wanted = [name for name, sources in self._plan.sources.items() if sources & columns.fresh]
        values = self._values(columns, indexes, wanted)
        rows = zip(*(self._settled(name, values[name]) for name in wanted), strict=True)
        row_tags = self._tags(columns, indexes)
        found: list[Reading] = []
        for index, row in zip(indexes, rows, strict=bool(wanted)):
            fields = {
                name: value for name, value in zip(wanted, row, strict=True) if value is not None
            }
            tags = _about(device_tags, row_tags[index])
            if fields and self._plan.required <= tags.keys():
                found.append(Reading(self._measurement.name, tags, fields, time))
        return found

    def _groups(
        self,
        columns: Columns,
        indexes: Collection[str],
        device_tags: Mapping[str, str],
        time: int,
    ) -> list[Reading]:
        """Return a reading for all the rows that have the same tags."""
        groups: dict[tuple[tuple[str, str], ...], list[str]] = defaultdict(list)
        for index, tags in self._tags(columns, indexes).items():
            groups[tuple(tags.items())].append(index)
        fresh = [name for name, sources in self._plan.sources.items() if sources & columns.fresh]
        found: list[Reading] = []
        for group, rows in groups.items():
            values: dict[str, FieldValue | None] = {}
            for name, rule in self._table.fields.items():
                if rule.share is not None and rule.of is not None:
                    values[name] = _share(values[rule.share], values[rule.of])
                elif rule.over is not None:
                    taken = (_taken(columns, rule, index) for index in rows)
                    values[name] = aggregate(
                        rule, rule.over, [value for value in taken if value is not None]
                    )
            tags = _about(device_tags, dict(group))
            settled = {name: self._settled(name, [values[name]])[0] for name in fresh}
            fields = {name: value for name, value in settled.items() if value is not None}
            if fields and self._plan.required <= tags.keys():
                found.append(Reading(self._measurement.name, tags, fields, time))
        return found

    def _indexes(self, columns: Columns) -> list[str]:
        if self._table.scalar:
            return [SCALAR]
        cells = columns.cells
        indexes = list(cells[self._table.row_column])
        for column, values in self._table.where.items():
            indexes = [index for index in indexes if cells[column].get(index) in values]
        for column, pattern in self._plan.without.items():
            indexes = [i for i in indexes if not pattern.search(str(cells[column].get(i, "")))]
        return indexes[:1] if self._table.first else indexes

    def _forget_rows_but(self, indexes: Collection[str]) -> None:
        """Let a row that comes back begin anew; some devices never use an index twice."""
        present = set(indexes)
        if gone := self._present - present:
            for samples in self._before.values():
                for index in gone:
                    samples.pop(index, None)
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
                for samples in self._before.values():
                    samples.pop(index, None)

    def _values(
        self, columns: Columns, indexes: Sequence[str], wanted: Collection[str]
    ) -> dict[str, list[FieldValue | None]]:
        """Return the rows' values of each field, and of those it is computed from.

        It goes by field and not by row: a rule is then looked at once for all
        rows, which is half of what a poll of a switch costs.
        """
        values: dict[str, list[FieldValue | None]] = {}
        ceilings: dict[tuple[str | None, float, float], list[Ceiling]] = {}
        for name, rule in self._table.fields.items():
            if name not in wanted and name not in self._plan.needed:
                continue
            if rule.rate is not None and rule.ceiling is not None:
                key = (rule.ceiling.of, rule.ceiling.per, rule.ceiling.unknown)
                if key not in ceilings:
                    speeds = values[rule.ceiling.of] if rule.ceiling.of else [None] * len(indexes)
                    ceilings[key] = [_ceiling(rule.ceiling, speed) for speed in speeds]
                values[name] = self._rates(columns, rule.rate, indexes, ceilings[key])
            elif rule.share is not None and rule.of is not None:
                values[name] = list(map(_share, values[rule.share], values[rule.of]))
            elif rule.since is not None:
                ticks = columns.cells[rule.since]
                values[name] = [_age(ticks.get(index), columns.uptime) for index in indexes]
            elif name in self._plan.plain:
                values[name] = list(map(columns.cells[self._plan.plain[name]].get, indexes))
            else:
                values[name] = [_taken(columns, rule, index) for index in indexes]
        return values

    def _rates(
        self,
        columns: Columns,
        names: Iterable[str],
        indexes: Sequence[str],
        ceilings: Sequence[Ceiling],
    ) -> list[FieldValue | None]:
        """Return the rows' rates of the first of the counters that each has."""
        found: dict[str, float | None] = {}
        for name in names:
            samples = columns.counters[name]
            rows = [
                (index, samples[index], ceiling)
                for index, ceiling in zip(indexes, ceilings, strict=True)
                if index in samples and index not in found
            ]
            if rows:
                found |= self._counted(name, rows)
        return [found.get(index) for index in indexes]

    def _counted(
        self, name: str, rows: Sequence[tuple[str, Sample, Ceiling]]
    ) -> dict[str, float | None]:
        """Return the rates of one counter by row, and remember its samples."""
        column, before = self._table.columns[name], self._before[name]
        assert column.counter is not None
        steps = [(before.get(index), now, ceiling) for index, now, ceiling in rows]
        counted: dict[str, float | None] = {}
        scale = column.scale
        for (index, now, _), found in zip(rows, rates(steps, column.counter), strict=True):
            if type(found) is float:
                before[index] = now
                counted[index] = _significant(found * scale)
            elif isinstance(found, Absent):
                counted[index] = None
                self._notice(found, index)
                if found is not Absent.NO_TIME:
                    before[index] = now
        return counted

    def _settled(
        self, name: str, values: Sequence[FieldValue | None]
    ) -> Sequence[FieldValue | None]:
        """Return values as the field's type, without those that a device sent in another."""
        field = self._measurement.fields[name]
        if set(map(type, values)) <= {field.type, NoneType} and all(
            map(math.isfinite, [value for value in values if isinstance(value, float)])
        ):
            return values
        return [None if value is None else self._settled_one(field, value) for value in values]

    def _settled_one(self, field: Field, value: FieldValue) -> FieldValue | None:
        try:
            return field.settle(value)
        except CatalogueError as error:
            self._faults.note(Fault.WRONG_TYPE, f"{self._table.id}: {error}")
            return None

    def _notice(self, absent: Absent, index: str) -> None:
        fault = _FAULTS.get(absent)
        if fault is not None:
            self._faults.note(fault, f"{self._table.id}, row {index}: {absent}")

    def _tags(self, columns: Columns, indexes: Collection[str]) -> dict[str, dict[str, str]]:
        tags: dict[str, dict[str, str]] = {index: {} for index in indexes}
        for name, rule in self._table.tags.items():
            for index, value in _tag_values(columns, rule, indexes).items():
                tags[index][name] = value
        return tags


def _about(device_tags: Mapping[str, str], tags: Mapping[str, str]) -> dict[str, str]:
    """Return a row's tags; it may be about another device than the one that was asked."""
    return {**device_tags, **{name: value for name, value in tags.items() if value}}


def _taken(columns: Columns, rule: FieldRule, index: str) -> Cell | None:
    for column, values in rule.unless.items():
        if columns.cells[column].get(index) in values:
            return None
    value = columns.first(_names(columns, rule, index), index)
    if value is None or isinstance(value, str):
        return value
    computed = _computed(columns, rule, index, value)
    if computed is not None and rule.decimals is not None:
        digits = columns.cells[rule.decimals].get(index, 0)
        if isinstance(digits, int) and abs(digits) <= _MOST_DECIMALS:
            return computed / 10.0**digits
    return computed


def _names(columns: Columns, rule: FieldRule, index: str) -> list[str]:
    if rule.when is None:
        return rule.from_ or []
    which = columns.cells[rule.when].get(index)
    name = rule.select.get(which) if isinstance(which, int | str) else None
    return [name] if name is not None else []


def _computed(columns: Columns, rule: FieldRule, index: str, value: float) -> float | None:
    """Add, subtract and multiply; None if a column has no number there."""
    for names, operate in (
        (rule.plus, operator.add),
        (rule.minus, operator.sub),
        (rule.times, operator.mul),
    ):
        for name in names:
            other = columns.cells[name].get(index)
            if not isinstance(other, int | float):
                return None
            value = operate(value, other)
    return value


def _share(part: FieldValue | None, whole: FieldValue | None) -> float | None:
    if isinstance(part, int | float) and isinstance(whole, int | float) and whole > 0:
        return _significant(100.0 * part / whole)
    return None


def _significant(value: float) -> float:
    return float(_SIGNIFICANT % value)


def _age(ticks: Cell | None, uptime: float | None) -> float | None:
    """Return an age in whole seconds, which is how exactly anybody asks for it."""
    if uptime is None or not isinstance(ticks, int):
        return None
    age = uptime - ticks / _TICKS
    return float(round(age)) if age >= 0 else None  # sysUpTime wrapped since, or is wrong


def _ceiling(rule: CeilingRule, speed: FieldValue | None) -> Ceiling:
    if isinstance(speed, int | float) and speed > 0:
        return Ceiling(speed / rule.per, known=True)
    return Ceiling(rule.unknown / rule.per, known=False)


def _tag_values(columns: Columns, rule: TagRule, indexes: Collection[str]) -> dict[str, str]:
    if rule.index:
        return {index: index for index in indexes}
    values = {index: _tag(columns, rule, index) for index in indexes}
    if not rule.unique:
        return values
    rows_with = Counter(values.values())
    return {
        index: value if rows_with[value] == 1 and value else f"{value}#{index}".removeprefix("#")
        for index, value in values.items()
    }


def _tag(columns: Columns, rule: TagRule, index: str) -> str:
    value = columns.first(rule.from_, index)
    if value not in (None, "") or rule.text is None:
        return "" if value is None else str(value)
    parts = {name: columns.cells[name].get(index) for name in text_columns(rule)}
    if None in parts.values():
        return ""
    return rule.text.format(**parts, **{ROW: index})
