r"""The query type in InfluxQL, which InfluxDB 1.x, 2.x and 3.x all answer.

Names and values come from users and devices: they are quoted here and nowhere
else. See https://docs.influxdata.com/influxdb/v1/query_language/spec/.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from campuswatch.lineprotocol import MAX_TIME, MIN_TIME
from campuswatch.stores.base import Aggregate, Query

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
    """Compile a query; the columns of each statement are called v0, v1, ...

    FIRST and LAST over the whole span take one statement for each field, since
    InfluxQL tells the time of a sample only when it is asked for nothing else.
    """
    sampled = query.aggregate in (Aggregate.FIRST, Aggregate.LAST) and query.window is None
    selections = [[name] for name in query.fields] if sampled else [list(query.fields)]
    return [_statement(query, fields) for fields in selections]


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
