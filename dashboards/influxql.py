"""The queries of the panels, in InfluxQL with Grafana's macros and variables.

The stores' own compiler makes queries for a span that is known when they are
asked; a panel's span, window and filters are only known to Grafana, which
fills in `$timeFilter`, `$__interval` and the variables. Every name is looked
up in the catalogue, so that a typo fails when the dashboards are built.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from campuswatch.measurements import (
    CATALOGUE,
    STAMPED_TAGS,
    CatalogueError,
    Field,
    FieldKind,
    Measurement,
)

MAX_SERIES: Final = 100
"""Series a panel may show; a browser draws no more in reasonable time."""

_AGGREGATES: Final = {
    FieldKind.GAUGE: "mean",
    FieldKind.STATE: "last",
    FieldKind.COUNT: "sum",
    FieldKind.TEXT: "last",
}


@dataclass(frozen=True, slots=True)
class Source:
    """A measurement, filtered.

    Attributes:
        measurement: its name.
        where: tags whose values the dashboard's variables of the same name choose.
        equal: tags with one fixed value.
    """

    measurement: str
    where: tuple[str, ...] = ()
    equal: Mapping[str, str] | None = None

    def field(self, name: str) -> Field:
        """Return a field.

        Raises:
            CatalogueError: the measurement has none of that name.
        """
        try:
            return self._row.fields[name]
        except KeyError:
            raise CatalogueError(f"{self.measurement}: unknown field {name!r}") from None

    def over_time(self, field: str, by: Sequence[str], aggregate: str | None = None) -> str:
        """Return the query for a field's course, one series for each combination of tags.

        Args:
            field: the field.
            by: tags that tell the series apart.
            aggregate: an InfluxQL call around `{}`, such as "max({})";
                what suits the field's kind when omitted.
        """
        call = aggregate or f"{_AGGREGATES[self.field(field).kind]}({{}})"
        query = _select(
            [call.format(_quoted(field))],
            _quoted(self.measurement),
            self._filter(),
            ["time($__interval)", *self._tags(by)],
        )
        return f"{query} fill(null) SLIMIT {MAX_SERIES}"

    def latest(self, fields: Sequence[str], by: Sequence[str]) -> str:
        """Return the query for the newest values, one row for each combination of tags."""
        columns = [f"last({self._name(field)}) AS {_quoted(field)}" for field in fields]
        return _select(columns, _quoted(self.measurement), self._filter(), self._tags(by))

    def latest_where(self, condition: str, fields: Sequence[str], by: Sequence[str]) -> str:
        """Return the query for those of the newest rows that meet a condition.

        Args:
            condition: on the first field, such as "= 0".
            fields: the first decides which row is the newest; the others are its.
            by: tags that tell the rows apart.
        """
        first, *others = [self._name(field) for field in fields]
        tags = self._tags(by)
        newest = _select(
            [f"last({first}) AS {first}", *others],
            _quoted(self.measurement),
            self._filter(),
            tags,
        )
        return _select([first, *others], f"({newest})", f"{first} {condition}", tags)

    def summary(self, columns: Mapping[str, tuple[str, str]], by: Sequence[str]) -> str:
        """Return the query that sums up the whole span, one row for each combination of tags.

        Args:
            columns: for each column's name a field, and an InfluxQL call of `{}`
                such as "mean({})".
            by: tags that tell the rows apart.
        """
        selected = [
            f"{call.format(self._name(field))} AS {_quoted(column)}"
            for column, (field, call) in columns.items()
        ]
        return _select(selected, _quoted(self.measurement), self._filter(), self._tags(by))

    def over_latest(
        self,
        field: str,
        columns: Mapping[str, str],
        each: Sequence[str],
        by: Sequence[str] = (),
        where: str = "",
    ) -> str:
        """Return the query that sums up the newest values of a field.

        Args:
            field: the field.
            columns: for each column's name an InfluxQL expression of `{}`, such
                as "sum({})".
            each: tags that tell the newest values apart.
            by: those of `each` that tell the resulting rows apart.
            where: condition on the newest values, such as "= 1"; all of them if "".
        """
        name = self._name(field)
        selected = [
            f"{expression.format(name)} AS {_quoted(column)}"
            for column, expression in columns.items()
        ]
        condition = f"{name} {where}" if where else ""
        return _select(selected, f"({self.latest([field], each)})", condition, self._tags(by))

    def tag_values(self, tag: str) -> str:
        """Return the query for the values of a tag, which a variable may take."""
        (quoted,) = self._tags([tag])
        conditions = self._conditions()
        chosen = f" WHERE {' AND '.join(conditions)}" if conditions else ""
        return f"SHOW TAG VALUES FROM {_quoted(self.measurement)} WITH KEY = {quoted}{chosen}"

    @property
    def _row(self) -> Measurement:
        return CATALOGUE[self.measurement]

    def _name(self, field: str) -> str:
        return _quoted(self.field(field).name)

    def _tags(self, tags: Sequence[str]) -> list[str]:
        known = (*STAMPED_TAGS, *self._row.tags)
        if unknown := [tag for tag in tags if tag not in known]:
            raise CatalogueError(f"{self.measurement}: unknown tag {unknown[0]!r}")
        return [_quoted(tag) for tag in tags]

    def _filter(self) -> str:
        return " AND ".join(["$timeFilter", *self._conditions()])

    def _conditions(self) -> list[str]:
        equal = self.equal or {}
        return [
            *(f"{quoted} =~ /^${{{tag}:regex}}$/" for tag, quoted in self._pairs(self.where)),
            *(f"{quoted} = '{equal[tag]}'" for tag, quoted in self._pairs(tuple(equal))),
        ]

    def _pairs(self, tags: tuple[str, ...]) -> list[tuple[str, str]]:
        return list(zip(tags, self._tags(tags), strict=True))


def _quoted(name: str) -> str:
    return f'"{name}"'


def _select(columns: Sequence[str], source: str, where: str = "", by: Sequence[str] = ()) -> str:
    parts = ["SELECT", ", ".join(columns), "FROM", source]
    if where:
        parts += ["WHERE", where]
    if by:
        parts += ["GROUP BY", ", ".join(by)]
    return " ".join(parts)
