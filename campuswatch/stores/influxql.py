r"""Queries in InfluxQL, and what is answered; InfluxDB 1.x, 2.x and 3.x all speak it.

Names and values come from users and devices: they are quoted here and nowhere
else. See https://docs.influxdata.com/influxdb/v1/query_language/spec/.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Set
from typing import Any, Final

from campuswatch.lineprotocol import MAX_TIME, MIN_TIME
from campuswatch.readings import FieldValue
from campuswatch.stores.base import Aggregate, Query, Series

_FUNCTIONS: Final[Mapping[Aggregate, Callable[[str], str]]] = {
    Aggregate.MEAN: "mean({})".format,
    Aggregate.MIN: "min({})".format,
    Aggregate.MAX: "max({})".format,
    Aggregate.SUM: "sum({})".format,
    Aggregate.COUNT: "count({})".format,
    Aggregate.COUNT_DISTINCT: "count(distinct({}))".format,
    Aggregate.FIRST: "first({})".format,
    Aggregate.LAST: "last({})".format,
    Aggregate.P50: "percentile({}, 50)".format,
    Aggregate.P95: "percentile({}, 95)".format,
}


def identifier(name: str) -> str:
    """Quote a measurement, tag key or field key."""
    return '"' + _escaped(name).replace('"', r"\"") + '"'


def string(value: str) -> str:
    """Quote a tag value."""
    return "'" + _escaped(value).replace("'", r"\'") + "'"


def _escaped(text: str) -> str:
    return text.replace("\\", r"\\").replace("\n", r"\n")


def statements(query: Query) -> list[str]:
    """Compile a query; `read` understands the answers.

    FIRST and LAST over the whole span take one statement for each field, since
    InfluxQL tells the time of a sample only when it is asked for nothing else.
    The last statement asks for the types of the fields.
    """
    selections = [[name] for name in query.fields] if _is_sample(query) else [list(query.fields)]
    return [
        *(_statement(query, fields) for fields in selections),
        f"SHOW FIELD KEYS FROM {identifier(query.measurement)}",
    ]


def _is_sample(query: Query) -> bool:
    return query.window is None and query.aggregate in (Aggregate.FIRST, Aggregate.LAST)


def _statement(query: Query, fields: list[str]) -> str:
    columns = ", ".join(
        f"{_column(query.aggregate, name)} AS v{number}" for number, name in enumerate(fields)
    )
    return (
        f"SELECT {columns} FROM {identifier(query.measurement)}"  # noqa: S608 - quoted here
        f" WHERE {_condition(query)}{_grouping(query)}{_cut(query)}"
    )


def _column(aggregate: Aggregate | None, name: str) -> str:
    # A tag of the same name would be taken for the field.
    column = f"{identifier(name)}::field"
    return column if aggregate is None else _FUNCTIONS[aggregate](column)


def _condition(query: Query) -> str:
    parts = [f"time >= {max(query.start, MIN_TIME)}", f"time < {min(query.end, MAX_TIME + 1)}"]
    for key, values in query.where.items():
        choices = " OR ".join(f"{identifier(key)}::tag = {string(value)}" for value in values)
        parts.append(f"({choices})")
    return " AND ".join(parts)


def _grouping(query: Query) -> str:
    terms = [identifier(key) for key in query.group_by]
    if query.window is not None:
        terms.append(f"time({query.window}ns)")
    if not terms:
        return ""
    return f" GROUP BY {', '.join(terms)}" + ("" if query.window is None else " fill(none)")


def _cut(query: Query) -> str:
    if query.aggregate is not None or query.limit is None:
        return ""
    return f"{' ORDER BY time DESC' if query.newest else ''} LIMIT {query.limit}"


def read(query: Query, answers: Iterable[tuple[int, Mapping[str, Any]]]) -> list[Series]:
    """Make series of the answers to a query's statements.

    Args:
        query: what was asked.
        answers: the number of a statement, from 0, and a series of its answer as
            InfluxDB writes it in JSON; long series come in several parts.
    """
    types = 1 if not _is_sample(query) else len(query.fields)
    groups: dict[tuple[str, ...], _Group] = {}
    floats: set[str] = set()
    for statement, series in answers:
        if statement == types:
            floats.update(name for name, type_ in series["values"] if type_ == "float")
            continue
        tags = series.get("tags", {})
        key = tuple(tags[name] for name in query.group_by)
        groups.setdefault(key, _Group()).add(statement, series["values"])
    return [groups[key].series(query, key, floats) for key in sorted(groups)]


class _Group:
    """Collects the rows of one series from all statements and parts of the answer."""

    def __init__(self) -> None:
        self._rows: dict[int, list[list[Any]]] = {}

    def add(self, statement: int, rows: list[list[Any]]) -> None:
        self._rows.setdefault(statement, []).extend(rows)

    def series(self, query: Query, key: tuple[str, ...], floats: Set[str]) -> Series:
        rows = self._joined(query) if _is_sample(query) else self._rows[0]
        if query.aggregate is not None and query.window is None and not _is_sample(query):
            rows = [[query.start, *row[1:]] for row in rows]
        rows = _first_or_last(query, sorted(rows, key=lambda row: int(row[0])))
        return Series(
            dict(zip(query.group_by, key, strict=True)),
            [row[0] for row in rows],
            {
                name: _stored(query, name in floats, [row[number] for row in rows])
                for number, name in enumerate(query.fields, 1)
            },
        )

    def _joined(self, query: Query) -> list[list[Any]]:
        """Join the samples of FIRST or LAST, one statement for each field, to one row."""
        times = [rows[0][0] for rows in self._rows.values()]
        time = min(times) if query.aggregate is Aggregate.FIRST else max(times)
        values = [
            self._rows[number][0][1] if number in self._rows else None
            for number in range(len(query.fields))
        ]
        return [[time, *values]]


def _first_or_last(query: Query, rows: list[list[Any]]) -> list[list[Any]]:
    if query.limit is None:
        return rows
    return rows[-query.limit :] if query.newest else rows[: query.limit]


def _stored(query: Query, is_float: bool, values: list[Any]) -> list[FieldValue | None]:
    """Give values back the type they were stored with; JSON writes 1.0 as 1."""
    if query.aggregate in (Aggregate.COUNT, Aggregate.COUNT_DISTINCT):
        return [0 if value is None else value for value in values]
    if is_float or query.aggregate is Aggregate.MEAN:
        return [None if value is None else float(value) for value in values]
    return values
