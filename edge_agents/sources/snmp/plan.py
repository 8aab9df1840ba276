"""What is worked out once for all the devices of which a table is read."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from campuswatch.measurements import CATALOGUE, Measurement
from campuswatch.units import IDENTITY
from edge_agents.sources.snmp.cells import Decoder, decoder
from edge_agents.sources.snmp.profile import (
    Column,
    FieldRule,
    Over,
    Table,
    columns_of,
    conversions,
)


@dataclass(frozen=True, slots=True)
class TablePlan:
    """How a table is read; a fleet's devices share it, which saves half of their memory.

    Attributes:
        table: from the profile.
        measurement: that its rows become.
        required: tags that every row must have.
        asked: columns that are read by an OID of their own.
        decoders: what makes cells of those.
        same: by column, those with its OID, itself among them.
        derived: columns that are part of the index, or joined from another table.
        fallbacks: by column, those that are preferred to it wherever it is used.
        order: in which the columns are asked for.
        without: by column, what its value has in rows that don't count.
        sources: by field, the columns it comes from, through other fields too.
        plain: by field that is a column as it stands, that column.
        needed: fields that others are computed from.
    """

    table: Table
    measurement: Measurement
    required: frozenset[str]
    asked: Mapping[str, Column]
    decoders: Mapping[str, Decoder]
    same: Mapping[str, tuple[str, ...]]
    derived: Mapping[str, Column]
    fallbacks: Mapping[str, set[str]]
    order: tuple[str, ...]
    without: Mapping[str, re.Pattern[str]]
    sources: Mapping[str, set[str]]
    plain: Mapping[str, str]
    needed: frozenset[str]


_PLANS: Final[dict[int, TablePlan]] = {}
"""By the table's id, which stays its own: the plan keeps the table alive."""


def plan_of(table: Table) -> TablePlan:
    """Return a table's plan."""
    plan = _PLANS.get(id(table))
    if plan is None:
        plan = _PLANS[id(table)] = _planned(table)
    return plan


def _planned(table: Table) -> TablePlan:
    measurement = CATALOGUE[table.measurement]
    units = conversions(table)
    asked = {name: rule for name, rule in table.columns.items() if rule.oid is not None}
    derived = {name: rule for name, rule in table.columns.items() if rule.index or rule.by}
    fallbacks = _fallbacks(table)
    return TablePlan(
        table=table,
        measurement=measurement,
        required=frozenset(measurement.tags[: measurement.required]),
        asked=asked,
        decoders={name: decoder(rule, units.get(name, IDENTITY)) for name, rule in asked.items()},
        same={
            name: tuple(other for other, twin in asked.items() if twin.oid == rule.oid)
            for name, rule in asked.items()
        },
        derived=derived,
        fallbacks=fallbacks,
        # What is joined is looked up by the table's own columns; these come first.
        order=tuple(sorted(asked, key=lambda name: (name in derived, name in fallbacks))),
        without={name: re.compile(pattern) for name, pattern in table.without.items()},
        sources={name: _sources(table, name) for name in table.fields},
        plain={
            name: rule.from_[0]
            for name, rule in table.fields.items()
            if rule.from_ and columns_of(rule) == rule.from_[:1] and rule.over is None
        },
        needed=frozenset(
            needed for rule in table.fields.values() for needed in _fields_needed(rule)
        ),
    )


def _sources(table: Table, name: str) -> set[str]:
    """Return the columns a field comes from, through other fields too."""
    rule = table.fields[name]
    if rule.share is not None:
        return _sources(table, rule.share)
    if table.grouped and rule.over is Over.COUNT:
        return {table.row_column, *columns_of(rule)}
    return set(columns_of(rule))


def _fields_needed(rule: FieldRule) -> list[str]:
    needed = [rule.share, rule.of, rule.ceiling.of if rule.ceiling else None]
    return [name for name in needed if name]


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
