"""Profiles: what is read from a kind of device, as data.

A profile file says which tables and scalars to walk, how often, and which
measurement of the catalogue each row becomes. Files are composed by
`includes`, so that a vendor's profile is the standard MIBs plus its own.
`edge_agents/profiles/README.md` is the guide to writing one.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, StringConstraints, field_validator, model_validator

from campuswatch.inventory.documents import Document, read_document
from campuswatch.inventory.models import Model, Name, Slug
from campuswatch.inventory.phrasing import validate_document
from campuswatch.inventory.problems import InventoryError
from campuswatch.measurements import CATALOGUE

Oid = Annotated[
    str,
    StringConstraints(pattern=r"^[012](\.[0-9]+)+$"),
    Field(json_schema_extra={"patternErrorMessage": 'an OID such as "1.3.6.1.2.1.2.2.1.10"'}),
]
"""Dotted, without a leading dot."""

Raw = int | str
"""A value as the device sends it, octets decoded to text."""


def _listed(value: object) -> object:
    return [value] if isinstance(value, str) else value


Names = Annotated[list[str], BeforeValidator(_listed, json_schema_input_type=str | list[str])]
"""One name, or several in the order of preference."""


class Pace(StrEnum):
    """How often a column is read."""

    FAST = "fast"
    """At every poll."""
    NORMAL = "normal"
    """Every five minutes."""
    SLOW = "slow"
    """Every quarter of an hour, and when the device says that it changed."""


class Column(Model):
    """One column of a table, or one scalar."""

    oid: Oid
    read: Pace = Pace.FAST
    counter: Literal[32, 64] | None = Field(
        default=None, description="Width in bits, if it counts; only its rate is a reading."
    )
    scale: int | float = Field(default=1, description="Factor that gives the catalogue's unit.")
    enum: dict[Raw, int | float | str] | None = Field(
        default=None, description="What each value stands for; others are no data."
    )
    ignore: list[Raw] = Field(
        default_factory=list, description='Values that mean "no data", before the scale.'
    )


class CeilingRule(Model):
    """The most counts a second that a counter can see."""

    of: str = Field(description="Field that holds the speed.")
    per: float = Field(gt=0, description="Units of that field which one count takes.")
    unknown: float = Field(gt=0, description="Speed to assume where the field has none.")


class FieldRule(Model):
    """How a field comes from columns; exactly one of from, rate, share and since.

    Written as a bare name, it is the column of that name.
    """

    from_: Names | None = Field(
        default=None, alias="from", description="Columns; the first with a value counts."
    )
    times: Names = Field(default_factory=list, description="Columns to multiply by.")
    decimals: str | None = Field(
        default=None, description="Column that says how many digits are behind the point."
    )
    unless: dict[str, list[Raw]] = Field(
        default_factory=dict, description="Values of columns that make the field no data."
    )
    rate: Names | None = Field(
        default=None, description="Counter columns; the first with a value counts."
    )
    ceiling: CeilingRule | None = None
    share: str | None = Field(default=None, description="Field that is a part, given in percent")
    of: str | None = Field(default=None, description="of this field.")
    since: str | None = Field(
        default=None, description="Column with the sysUpTime of an event; gives its age in seconds."
    )


class TagRule(Model):
    """How a tag comes from columns; written as a bare name, it is that column."""

    from_: Names = Field(
        default_factory=list, alias="from", description="Columns; the first with a value counts."
    )
    index: bool = Field(default=False, description="Whether it is the row's index.")
    unique: bool = Field(
        default=False,
        description="Whether to add the index to a value that several rows have, "
        "and to use the index where there is no value.",
    )


def _bare(value: object) -> object:
    return {"from": value} if isinstance(value, str) else value


class Table(Model):
    """Columns that share an index, and the readings its rows become."""

    id: Slug
    measurement: str = Field(description="A measurement of the catalogue.")
    scalar: bool = Field(
        default=False, description="Whether the OIDs are instances, which make one reading."
    )
    rows: str | None = Field(
        default=None, description="Column whose rows count; the first column when omitted."
    )
    where: dict[str, list[Raw]] = Field(
        default_factory=dict, description="Values of columns that a row must have."
    )
    first: bool = Field(default=False, description="Whether only the first such row counts.")
    discontinuity: str | None = Field(
        default=None, description="Column that changes when the row's counters were reset."
    )
    changed_by: list[Oid] = Field(
        default_factory=list, description="Scalars whose change makes slow columns due."
    )
    columns: dict[str, Column] = Field(min_length=1)
    tags: dict[str, Annotated[TagRule, BeforeValidator(_bare)]] = Field(default_factory=dict)
    fields: dict[str, Annotated[FieldRule, BeforeValidator(_bare)]] = Field(min_length=1)

    @property
    def row_column(self) -> str:
        """The column whose rows count."""
        return self.rows or next(iter(self.columns))


class Match(Model):
    """What a profile recognises a device by; everything given must fit."""

    object_id: Oid | None = Field(default=None, description="sysObjectID, or where it begins.")
    description: str | None = Field(
        default=None, description="Regular expression found in sysDescr."
    )

    @field_validator("description")
    @classmethod
    def _expression(cls, value: str | None) -> str | None:
        if value is not None:
            try:
                re.compile(value)
            except re.error as error:
                raise ValueError(f"expected a regular expression: {error}") from None
        return value

    @model_validator(mode="after")
    def _says_something(self) -> Match:
        if self.object_id is None and self.description is None:
            raise ValueError("the match is empty; expected object_id or description")
        return self

    def weight(self, object_id: str, description: str) -> int:
        """Return how well a device fits; 0 if it does not.

        A sysObjectID counts more than any sysDescr, and a longer one more than
        a shorter.
        """
        weight = 0
        if self.object_id is not None:
            if not f"{object_id}.".startswith(f"{self.object_id}."):
                return 0
            weight += 2 * len(self.object_id.split("."))
        if self.description is not None:
            if not re.search(self.description, description):
                return 0
            weight += 1
        return weight


class ProfileFile(Model):
    """The content of one profile file."""

    name: Slug
    title: Name
    reference: str = Field(default="", description="The MIBs or documents it follows.")
    vendor: str = Field(default="", description="Manufacturer of the devices it recognises.")
    includes: list[Slug] = Field(default_factory=list)
    match: list[Match] = Field(default_factory=list)
    tables: list[Table] = Field(default_factory=list)


def read_profile(path: Path) -> tuple[ProfileFile, Document]:
    """Read and check one file, all but its includes.

    Raises:
        InventoryError: with everything that is wrong in it, by file and line.
    """
    document = read_document(path)
    file = validate_document(document, ProfileFile)
    if problems := [
        document.problem(("tables", number, *location), text)
        for number, table in enumerate(file.tables)
        for location, text in _faults(table)
    ]:
        raise InventoryError(problems)
    return file, document


_Fault = tuple[tuple[str | int, ...], str]


def _faults(table: Table) -> Iterator[_Fault]:
    """Find names that a table uses and nobody declares."""
    if table.measurement not in CATALOGUE:
        known = ", ".join(sorted(CATALOGUE))
        yield (
            ("measurement",),
            f"unknown measurement {table.measurement!r}; expected one of {known}",
        )
        return
    measurement = CATALOGUE[table.measurement]
    anchor = table.columns.get(table.row_column)
    if anchor is not None and anchor.counter is not None:
        text = f"{table.row_column!r} is a counter; expected rows to name a column that is not"
        yield ("columns", table.row_column), text
    for location, column in _columns_used(table):
        if column not in table.columns:
            known = ", ".join(table.columns)
            yield location, f"unknown column {column!r}; expected one of {known}"
    for tag in table.tags.keys() - set(measurement.tags):
        known = ", ".join(measurement.tags)
        yield ("tags", tag), f"{measurement.name} has no tag {tag!r}; expected one of {known}"
    seen: set[str] = set()
    for name, rule in table.fields.items():
        place = ("fields", name)
        if name not in measurement.fields:
            known = ", ".join(measurement.fields)
            yield place, f"{measurement.name} has no field {name!r}; expected one of {known}"
        ways = [way for way in (rule.from_, rule.rate, rule.share, rule.since) if way]
        if len(ways) != 1:
            yield place, f"{name} has {len(ways)} of from, rate, share and since; expected one"
        yield from ((place, text) for text in _rule_faults(table, rule, seen))
        seen.add(name)


def _rule_faults(table: Table, rule: FieldRule, seen: set[str]) -> Iterator[str]:
    for column in rule.rate or []:
        if column in table.columns and table.columns[column].counter is None:
            yield f"column {column!r} is no counter; expected counter: 32 or 64 there"
    if bool(rule.rate) != bool(rule.ceiling):
        yield "rate and ceiling belong together; expected both or neither"
    if bool(rule.share) != bool(rule.of):
        yield "share and of belong together; expected both or neither"
    for field in _fields_used(rule):
        if field not in seen:
            yield f"field {field!r} is not declared above; expected one that is"


def _fields_used(rule: FieldRule) -> list[str]:
    used = [rule.share, rule.of, rule.ceiling.of if rule.ceiling else None]
    return [field for field in used if field]


def _columns_used(table: Table) -> Iterator[tuple[tuple[str | int, ...], str]]:
    for key, column in (("rows", table.rows), ("discontinuity", table.discontinuity)):
        if column is not None:
            yield (key,), column
    for column in table.where:
        yield ("where", column), column
    for tag, source in table.tags.items():
        for column in source.from_:
            yield ("tags", tag), column
    for field, rule in table.fields.items():
        for column in columns_of(rule):
            yield ("fields", field), column


def columns_of(rule: FieldRule) -> list[str]:
    """Return the columns a field comes from."""
    single = [column for column in (rule.decimals, rule.since) if column]
    return [*(rule.from_ or []), *(rule.rate or []), *rule.times, *rule.unless, *single]
