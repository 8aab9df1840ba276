"""How the embedded store lays out its tables, and queries in DuckDB's SQL."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final

from campuswatch.lineprotocol import FIELD_TYPES
from campuswatch.readings import FieldValue
from campuswatch.stores.base import Aggregate, Query, Runs, StoreError

_SQL_TYPES: Final[Mapping[type[FieldValue], str]] = {
    float: "DOUBLE",
    int: "BIGINT",
    bool: "BOOLEAN",
    str: "VARCHAR",
}
PYTHON_TYPES: Final = {sql: python for python, sql in _SQL_TYPES.items()}
"""What a column of a type in SQL holds."""


@dataclass(frozen=True, slots=True)
class Column:
    """Where a field is kept."""

    name: str
    holds: type[FieldValue]

    @property
    def type(self) -> str:
        """Its type in SQL."""
        return _SQL_TYPES[self.holds]


@dataclass(slots=True)
class Table:
    """What is known of one measurement.

    Attributes:
        name: the table's name.
        columns: the columns by field.
        series: ids by tags, which are sorted.
    """

    name: str
    columns: dict[str, Column] = field(default_factory=dict)
    series: dict[tuple[tuple[str, str], ...], int] = field(default_factory=dict)


def quoted(identifier: str) -> str:
    """Quote the name of a table or column."""
    return '"' + identifier.replace('"', '""') + '"'


def groups_of(table: Table, query: Query) -> dict[tuple[str, ...], list[int]]:
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


def _aggregated(aggregate: Aggregate, name: str, column: Column) -> str:
    summary, types = _SUMMARIES[aggregate]
    if column.holds not in types:
        raise StoreError(f"{aggregate} of field {name!r}: it is a {FIELD_TYPES[column.holds]}")
    return summary(quoted(column.name))


def select(query: Query, table: str, columns: Mapping[str, Column | None]) -> str:
    """Compile a query: the rows of each group, then one list for each column of a group.

    Its parameters are the ids of the series, and the number of each one's
    group. A row of the answer is a group's number, its times, its values
    field by field and, of runs, the times of their last samples.

    Raises:
        StoreError: the aggregate does not fit a field's type.
    """
    present = [quoted(column.name) for column in columns.values() if column]
    values: list[str] = []
    for name, column in columns.items():
        if column is None:
            values.append("0" if query.aggregate in _COUNTS else "NULL")
        elif query.aggregate is None:
            values.append(quoted(column.name))
        else:
            values.append(_aggregated(query.aggregate, name, column))
    named = [f"{value} AS v{number}" for number, value in enumerate(values)]
    rows = (
        f"SELECT number, {_time(query)} AS moment, {', '.join([_tie(query), *named])}"
        f" FROM {quoted(table)} JOIN (SELECT unnest(?) AS id, unnest(?) AS number) ON series = id"
        f" WHERE time >= {query.start} AND time < {query.end}"
        f" AND ({' OR '.join(f'{column} IS NOT NULL' for column in present)})"
    )
    if query.aggregate is not None:
        rows += " GROUP BY number" if query.window is None else f" GROUP BY number, {_time(query)}"
    names = ["moment", *(f"v{number}" for number in range(len(values)))]
    order = "moment, tie"
    if query.runs is not None:
        order = ", ".join(f"{name} NULLS FIRST" for name in names)
        rows = _runs(query, query.runs, rows, order)
        names.append("until")
    lists = [f"list({name} ORDER BY {order}){_cut(query)}" for name in names]
    return f"SELECT number, {', '.join(lists)} FROM ({rows}) GROUP BY number ORDER BY number"


def _runs(query: Query, runs: Runs, rows: str, order: str) -> str:
    """Keep of raw rows those that begin a run, with the time at which it ends.

    That is the time of the row before the one that begins the next run.
    """
    values = [f"v{number}" for number in range(len(query.fields))]
    interval = f"v{query.fields.index(runs.interval)}"
    same = [f"{value} IS NOT DISTINCT FROM lag({value}) OVER run" for value in values]
    hold = f"least({runs.hold * 1e9!r} * {interval}, {runs.longest})"
    # Without the first half, least() would pass over a missing interval.
    held = f"{interval} > 0 AND moment - lag(moment) OVER run <= {hold}"
    return (
        f"SELECT *, coalesce(lead(before) OVER (PARTITION BY number ORDER BY {order}), newest)"
        f" AS until FROM (SELECT *, lag(moment) OVER run AS before,"
        f" max(moment) OVER (PARTITION BY number) AS newest FROM ({rows})"
        f" WINDOW run AS (PARTITION BY number ORDER BY {order})"
        f" QUALIFY NOT coalesce({' AND '.join([*same, held])}, false))"
    )


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


def _tie(query: Query) -> str:
    """Samples of one time are put in the same order in the list of every column."""
    return "series AS tie" if query.aggregate is None else "0 AS tie"


def _cut(query: Query) -> str:
    if query.limit is None:
        return ""
    return f"[-{query.limit}:]" if query.newest else f"[:{query.limit}]"
