"""The embedded store: one DuckDB file, written and read by one process.

Each measurement has a table of its points; a point is (series, time, fields),
and a series stands for one combination of tags, kept once in `campuswatch_meta.series`.
So the tags of a new kind of device change no table, and finding whether a
point is there already compares two integers. Tables and columns appear with
the first line that needs them; `campuswatch_meta.fields` says which column holds which
field, because InfluxDB tells `Up` from `up` and DuckDB does not.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import duckdb

from campuswatch.lineprotocol import FIELD_TYPES, RejectedLine, scan
from campuswatch.readings import FieldValue, Reading
from campuswatch.stores.base import (
    Aggregate,
    Query,
    Series,
    StoreError,
    StoreUnavailableError,
)

_COLUMN_TYPES: Final[Mapping[type, str]] = {
    float: "DOUBLE",
    int: "BIGINT",
    bool: "BOOLEAN",
    str: "VARCHAR",
}
_HOLDS: Final = {sql: python for python, sql in _COLUMN_TYPES.items()}

_LAYOUT: Final = """
CREATE SCHEMA IF NOT EXISTS campuswatch_meta;
CREATE TABLE IF NOT EXISTS campuswatch_meta.series (
    id INTEGER NOT NULL, measurement VARCHAR NOT NULL, tags VARCHAR NOT NULL
);
CREATE TABLE IF NOT EXISTS campuswatch_meta.fields (
    measurement VARCHAR NOT NULL, field VARCHAR NOT NULL, type VARCHAR NOT NULL,
    table_name VARCHAR NOT NULL, column_name VARCHAR NOT NULL
);
"""


@dataclass(frozen=True, slots=True)
class _Column:
    """Where a field is kept."""

    name: str
    holds: type[FieldValue]

    @property
    def type(self) -> str:
        """Its type in SQL."""
        return _COLUMN_TYPES[self.holds]


@dataclass(slots=True)
class _Table:
    """What is known of one measurement.

    Attributes:
        name: the table's name.
        columns: the columns by field.
        series: ids by tags, which are sorted.
    """

    name: str
    columns: dict[str, _Column] = field(default_factory=dict)
    series: dict[tuple[tuple[str, str], ...], int] = field(default_factory=dict)


_Points = dict[tuple[int, int], Mapping[str, FieldValue]]
"""Fields by (series, time)."""


class DuckDBStore:
    """Readings in one DuckDB file.

    DuckDB lets one process at a time open a file for writing; see
    `campuswatch.stores.sharing` for reading beside it.
    """

    def __init__(self, path: Path) -> None:
        """Open the file, or make it.

        Raises:
            StoreUnavailableError: another process holds it.
            StoreError: it is no DuckDB file.
        """
        try:
            self._connection = duckdb.connect(path)
        except duckdb.IOException as error:
            if "lock" in str(error):
                raise StoreUnavailableError(f"{path} is open in another process") from None
            raise StoreError(f"{path}: {error}") from None
        self._lock = threading.Lock()
        self._tables: dict[str, _Table] = {}
        self._next_series = 0
        self._unsaved_series: list[tuple[int, str, str]] = []
        self._connection.execute(_LAYOUT)
        self._load()

    def write(self, lines: bytes) -> list[RejectedLine]:
        """See `Store.write`."""
        rejected: list[RejectedLine] = []
        with self._lock, self._transaction():
            batch: dict[str, _Points] = {}
            for text, found in scan(lines):
                if isinstance(found, RejectedLine):
                    rejected.append(found)
                elif reason := self._add(batch, found):
                    rejected.append(RejectedLine(text.encode(), reason))
            self._save_series()
            for measurement, points in batch.items():
                self._merge(self._tables[measurement], points)
        return rejected

    def query(self, query: Query) -> list[Series]:
        """See `Store.query`."""
        with self._lock:
            table = self._tables.get(query.measurement)
            if table is None:
                return []
            groups = _groups(table, query)
            columns = {name: table.columns.get(name) for name in query.fields}
        if not groups or not any(columns.values()):
            return []
        sql = _select(query, table.name, columns)
        keys = sorted(groups)
        ids = [series for key in keys for series in groups[key]]
        numbers = [number for number, key in enumerate(keys) for _ in groups[key]]
        with self._connection.cursor() as cursor:
            try:
                rows = cursor.execute(sql, [ids, numbers]).fetchall()
            except duckdb.Error as error:
                raise StoreError(str(error)) from None
        return [
            Series(
                dict(zip(query.group_by, keys[number], strict=True)),
                times,
                dict(zip(query.fields, values, strict=True)),
            )
            for number, times, *values in rows
        ]

    def ping(self) -> None:
        """See `Store.ping`."""
        with self._connection.cursor() as cursor:
            cursor.execute("SELECT 1")

    def close(self) -> None:
        """See `Store.close`."""
        with self._lock:
            self._connection.close()

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        self._connection.begin()
        try:
            yield
            self._connection.commit()
        except BaseException as error:
            self._connection.rollback()
            self._load()
            if isinstance(error, duckdb.Error):
                raise StoreUnavailableError(str(error)) from error
            raise

    def _load(self) -> None:
        """Learn what the file holds; also forgets what was rolled back."""
        self._tables = {}
        self._next_series = 0
        self._unsaved_series.clear()
        execute = self._connection.execute
        for measurement, name, type_, table, column in execute(
            "SELECT measurement, field, type, table_name, column_name FROM campuswatch_meta.fields"
        ).fetchall():
            known = self._tables.setdefault(measurement, _Table(table))
            known.columns[name] = _Column(column, _HOLDS[type_])
        for series, measurement, tags in execute(
            "SELECT * FROM campuswatch_meta.series"
        ).fetchall():
            key = tuple(json.loads(tags).items())
            self._tables[measurement].series[key] = series
            self._next_series = max(self._next_series, series + 1)

    def _add(self, batch: dict[str, _Points], reading: Reading) -> str | None:
        """Add a reading to the batch, or return why that can't be."""
        table = self._tables.get(reading.measurement)
        if table is None:
            table = self._new_table(reading.measurement)
        columns = table.columns
        for name, value in reading.fields.items():
            column = columns.get(name)
            if column is None:
                self._new_column(reading.measurement, table, name, type(value))
            elif column.holds is not type(value):
                return (
                    f'field type conflict: field "{name}" on measurement '
                    f'"{reading.measurement}" is {FIELD_TYPES[type(value)]}, '
                    f"already exists as {FIELD_TYPES[column.holds]}"
                )
        tags = tuple(sorted(reading.tags.items()))
        series = table.series.get(tags)
        if series is None:
            series = self._new_series(reading.measurement, table, tags)
        points = batch.setdefault(reading.measurement, {})
        identity = (series, reading.time)
        before = points.get(identity)
        points[identity] = reading.fields if before is None else {**before, **reading.fields}
        return None

    def _new_table(self, measurement: str) -> _Table:
        name = _free_name(measurement, (table.name for table in self._tables.values()))
        self._connection.execute(
            f"CREATE TABLE {_quoted(name)} (series INTEGER NOT NULL, time BIGINT NOT NULL)"
        )
        table = self._tables[measurement] = _Table(name)
        return table

    def _new_column(
        self, measurement: str, table: _Table, name: str, holds: type[FieldValue]
    ) -> None:
        taken = ["series", "time", *(column.name for column in table.columns.values())]
        column = _Column(_free_name(name, taken), holds)
        self._connection.execute(
            f"ALTER TABLE {_quoted(table.name)} ADD COLUMN {_quoted(column.name)} {column.type}"
        )
        self._connection.execute(
            "INSERT INTO campuswatch_meta.fields VALUES (?, ?, ?, ?, ?)",
            [measurement, name, column.type, table.name, column.name],
        )
        table.columns[name] = column

    def _new_series(
        self, measurement: str, table: _Table, tags: tuple[tuple[str, str], ...]
    ) -> int:
        series = table.series[tags] = self._next_series
        self._next_series += 1
        text = json.dumps(dict(tags), ensure_ascii=False)
        self._unsaved_series.append((series, measurement, text))
        return series

    def _save_series(self) -> None:
        with self._connection.appender("campuswatch_meta.series") as appender:
            appender.append_rows(self._unsaved_series)
        self._unsaved_series.clear()

    def _merge(self, table: _Table, points: _Points) -> None:
        """Insert points; those that are there already take over the new fields.

        The range of times lets DuckDB pass over the parts of the table that
        can't hold any of them.
        """
        names = list(dict.fromkeys(name for fields in points.values() for name in fields))
        columns = [table.columns[name] for name in names]
        quoted = [_quoted(column.name) for column in columns]
        times = [time for _, time in points]
        changed = " OR ".join(
            f"(b.{c} IS NOT NULL AND t.{c} IS DISTINCT FROM b.{c})" for c in quoted
        )
        statement = (
            f"MERGE INTO {_quoted(table.name)} AS t USING appender_data AS b"
            f" ON t.series = b.series AND t.time = b.time"
            f" AND t.time BETWEEN {min(times)} AND {max(times)}"
            f" WHEN MATCHED AND ({changed})"
            f" THEN UPDATE SET {', '.join(f'{c} = coalesce(b.{c}, t.{c})' for c in quoted)}"
            f" WHEN NOT MATCHED THEN INSERT (series, time, {', '.join(quoted)})"
            f" VALUES (b.series, b.time, {', '.join(f'b.{c}' for c in quoted)})"
        )
        types = {"series": "INTEGER", "time": "BIGINT"} | {c.name: c.type for c in columns}
        with self._connection.query_appender(statement, types) as appender:
            appender.append_rows(
                (series, time, *map(fields.get, names)) for (series, time), fields in points.items()
            )


def _quoted(identifier: str) -> str:
    return '"' + identifier.replace('"', '""') + '"'


def _free_name(wanted: str, taken: Iterable[str]) -> str:
    """Return `wanted`, or with a number if DuckDB would take it for one of `taken`."""
    used = {name.casefold() for name in taken}
    name = wanted
    number = 2
    while name.casefold() in used:
        name = f"{wanted}~{number}"
        number += 1
    return name


# Questions -------------------------------------------------------------------


def _groups(table: _Table, query: Query) -> dict[tuple[str, ...], list[int]]:
    """Return the ids of the series that pass, by the values of the `group_by` tags."""
    passing = {key: frozenset(values) for key, values in query.where.items()}
    groups: dict[tuple[str, ...], list[int]] = {}
    for pairs, series in table.series.items():
        tags = dict(pairs)
        if all(tags.get(key, "") in values for key, values in passing.items()):
            group = tuple([tags.get(key, "") for key in query.group_by])
            groups.setdefault(group, []).append(series)
    return groups


def _nearest_rank(percent: int) -> Callable[[str], str]:
    """Return InfluxQL's percentile(): an actual sample, its rank rounded half up."""
    return (
        f"list({{0}} ORDER BY {{0}})[floor(count({{0}}) * {percent} / 100::DOUBLE + 0.5)::BIGINT]"
    ).format


_COUNTS: Final = (Aggregate.COUNT, Aggregate.COUNT_DISTINCT)
_NUMBERS: Final = (float, int)
_ORDERED: Final = (*_NUMBERS, bool)
_ANYTHING: Final = (*_ORDERED, str)
_SUMMARIES: Final[Mapping[Aggregate, tuple[Callable[[str], str], tuple[type, ...]]]] = {
    Aggregate.MEAN: ("avg({0})".format, _NUMBERS),
    Aggregate.MIN: ("min({0})".format, _ORDERED),
    Aggregate.MAX: ("max({0})".format, _ORDERED),
    Aggregate.SUM: ("sum({0})".format, _NUMBERS),
    Aggregate.COUNT: ("count({0})".format, _ANYTHING),
    Aggregate.COUNT_DISTINCT: ("count(DISTINCT {0})".format, _ANYTHING),
    # Where two series of a group have a sample of that time, InfluxQL takes the larger value.
    Aggregate.FIRST: (
        "first({0} ORDER BY time, {0} DESC) FILTER ({0} IS NOT NULL)".format,
        _ANYTHING,
    ),
    Aggregate.LAST: ("last({0} ORDER BY time, {0}) FILTER ({0} IS NOT NULL)".format, _ANYTHING),
    Aggregate.P50: (_nearest_rank(50), _NUMBERS),
    Aggregate.P95: (_nearest_rank(95), _NUMBERS),
}
"""How to summarise a column, and the types for which InfluxQL does it too."""


def _aggregated(aggregate: Aggregate, name: str, column: _Column) -> str:
    summary, types = _SUMMARIES[aggregate]
    if column.holds not in types:
        raise StoreError(f"{aggregate} of field {name!r}: it is a {FIELD_TYPES[column.holds]}")
    return summary(_quoted(column.name))


def _select(query: Query, table: str, columns: Mapping[str, _Column | None]) -> str:
    """Compile the query: the rows of each group, then one list for each column of a group."""
    present = [_quoted(column.name) for column in columns.values() if column]
    values: list[str] = []
    for name, column in columns.items():
        if column is None:
            values.append("0" if query.aggregate in _COUNTS else "NULL")
        elif query.aggregate is None:
            values.append(_quoted(column.name))
        else:
            values.append(_aggregated(query.aggregate, name, column))
    named = [f"{value} AS v{number}" for number, value in enumerate(values)]
    rows = (
        f"SELECT number, {_time(query)} AS moment, {', '.join(named)}"
        f" FROM {_quoted(table)} JOIN (SELECT unnest(?) AS id, unnest(?) AS number) ON series = id"
        f" WHERE time >= {query.start} AND time < {query.end}"
        f" AND ({' OR '.join(f'{column} IS NOT NULL' for column in present)})"
    )
    if query.aggregate is not None:
        rows += " GROUP BY number" if query.window is None else f" GROUP BY number, {_time(query)}"
    lists = [
        f"list({name} ORDER BY moment){_cut(query)}"
        for name in ("moment", *(f"v{number}" for number in range(len(values))))
    ]
    return f"SELECT number, {', '.join(lists)} FROM ({rows}) GROUP BY number ORDER BY number"


def _time(query: Query) -> str:
    if query.aggregate is None:
        return "time"
    if query.window is not None:
        # The remainder of a negative time is negative: round towards the past.
        return f"time - ((time % {query.window}) + {query.window}) % {query.window}"
    if query.aggregate is Aggregate.FIRST:
        return "min(time)"
    if query.aggregate is Aggregate.LAST:
        return "max(time)"
    return f"{query.start}::HUGEINT"


def _cut(query: Query) -> str:
    if query.limit is None:
        return ""
    return f"[-{query.limit}:]" if query.newest else f"[:{query.limit}]"
