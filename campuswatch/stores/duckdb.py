"""The embedded store: one DuckDB file, written and read by one process.

Each measurement has a table of its points; a point is (series, time, fields),
and a series stands for one combination of tags, kept once in
`campuswatch_meta.series`. So the tags of a new kind of device change no table,
and finding whether a point is there already compares two integers. Tables and
columns appear with the first line that needs them; `campuswatch_meta.fields`
says which column holds which field, because InfluxDB tells `Up` from `up` and
DuckDB does not.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import duckdb

from campuswatch.lineprotocol import FIELD_TYPES, RejectedLine, scan
from campuswatch.readings import FieldValue, Reading
from campuswatch.stores.base import (
    Query,
    Series,
    StoreError,
    StoreUnavailableError,
)
from campuswatch.stores.duckdb_sql import PYTHON_TYPES, Column, Table, groups_of, quoted, select

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


_Points = dict[tuple[int, int], Mapping[str, FieldValue]]
"""Fields by (series, time)."""


class DuckDBStore:
    """Readings in one DuckDB file.

    DuckDB lets one process at a time open a file for writing; see
    `campuswatch.stores.sharing` for reading beside it.
    """

    samples_at_once = 15_000_000

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
        self._tables: dict[str, Table] = {}
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
            groups = groups_of(table, query)
            columns = {name: table.columns.get(name) for name in query.fields}
        if not groups or not any(columns.values()):
            return []
        sql = select(query, table.name, columns)
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
                dict(zip(query.fields, values, strict=False)),
                values[-1] if query.runs is not None else None,
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
            known = self._tables.setdefault(measurement, Table(table))
            known.columns[name] = Column(column, PYTHON_TYPES[type_])
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

    def _new_table(self, measurement: str) -> Table:
        name = _free_name(measurement, (table.name for table in self._tables.values()))
        self._connection.execute(
            f"CREATE TABLE {quoted(name)} (series INTEGER NOT NULL, time BIGINT NOT NULL)"
        )
        table = self._tables[measurement] = Table(name)
        return table

    def _new_column(
        self, measurement: str, table: Table, name: str, holds: type[FieldValue]
    ) -> None:
        taken = ["series", "time", *(column.name for column in table.columns.values())]
        column = Column(_free_name(name, taken), holds)
        self._connection.execute(
            f"ALTER TABLE {quoted(table.name)} ADD COLUMN {quoted(column.name)} {column.type}"
        )
        self._connection.execute(
            "INSERT INTO campuswatch_meta.fields VALUES (?, ?, ?, ?, ?)",
            [measurement, name, column.type, table.name, column.name],
        )
        table.columns[name] = column

    def _new_series(self, measurement: str, table: Table, tags: tuple[tuple[str, str], ...]) -> int:
        series = table.series[tags] = self._next_series
        self._next_series += 1
        text = json.dumps(dict(tags), ensure_ascii=False)
        self._unsaved_series.append((series, measurement, text))
        return series

    def _save_series(self) -> None:
        with self._connection.appender("campuswatch_meta.series") as appender:
            appender.append_rows(self._unsaved_series)
        self._unsaved_series.clear()

    def _merge(self, table: Table, points: _Points) -> None:
        """Insert points; those that are there already take over the new fields.

        The range of times lets DuckDB pass over the parts of the table that
        can't hold any of them.
        """
        names = list(dict.fromkeys(name for fields in points.values() for name in fields))
        columns = [table.columns[name] for name in names]
        keys = [quoted(column.name) for column in columns]
        times = [time for _, time in points]
        changed = " OR ".join(f"(b.{c} IS NOT NULL AND t.{c} IS DISTINCT FROM b.{c})" for c in keys)
        statement = (
            f"MERGE INTO {quoted(table.name)} AS t USING appender_data AS b"
            f" ON t.series = b.series AND t.time = b.time"
            f" AND t.time BETWEEN {min(times)} AND {max(times)}"
            f" WHEN MATCHED AND ({changed})"
            f" THEN UPDATE SET {', '.join(f'{c} = coalesce(b.{c}, t.{c})' for c in keys)}"
            f" WHEN NOT MATCHED THEN INSERT (series, time, {', '.join(keys)})"
            f" VALUES (b.series, b.time, {', '.join(f'b.{c}' for c in keys)})"
        )
        types = {"series": "INTEGER", "time": "BIGINT"} | {c.name: c.type for c in columns}
        with self._connection.query_appender(statement, types) as appender:
            appender.append_rows(
                (series, time, *map(fields.get, names)) for (series, time), fields in points.items()
            )


def _free_name(wanted: str, taken: Iterable[str]) -> str:
    """Return `wanted`, or with a number if DuckDB would take it for one of `taken`."""
    used = {name.casefold() for name in taken}
    name = wanted
    number = 2
    while name.casefold() in used:
        name = f"{wanted}~{number}"
        number += 1
    return name
