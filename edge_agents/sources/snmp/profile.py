"""Profiles: what is read from a kind of device, as data.

A profile file says which tables and scalars to walk, how often, and which
measurement of the catalogue each row becomes. Files are composed by
`includes`, so that a vendor's profile is the standard MIBs plus its own.
`edge_agents/profiles/README.md` is the guide to writing one.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from enum import StrEnum
from itertools import chain
from pathlib import Path
from string import Formatter
from typing import Annotated, Final, Literal

from pydantic import AfterValidator, BeforeValidator, Field, StringConstraints, model_validator

from campuswatch.inventory.documents import Document, read_document
from campuswatch.inventory.models import Model, Name, Slug
from campuswatch.inventory.phrasing import validate_document
from campuswatch.inventory.problems import InventoryError
from campuswatch.measurements import CATALOGUE, QUANTITIES
from campuswatch.units import Conversion, UnitError, conversion

Oid = Annotated[
    str,
    StringConstraints(pattern=r"^[012](\.[0-9]+)+$"),
    Field(json_schema_extra={"patternErrorMessage": 'an OID such as "1.3.6.1.2.1.2.2.1.10"'}),
]
"""Dotted, without a leading dot."""

ROW: Final = "row"
"""In `by` and in the text of a tag: the row's own index."""

Raw = int | str
"""A value as the device sends it, octets decoded to text."""


def _listed(value: object) -> object:
    return [value] if isinstance(value, str) else value


Names = Annotated[list[str], BeforeValidator(_listed, json_schema_input_type=str | list[str])]
"""One name, or several in the order of preference."""


def _compiling(expression: str) -> str:
    try:
        re.compile(expression)
    except re.error as error:
        raise ValueError(f"expected a regular expression: {error}") from None
    return expression


Expression = Annotated[str, AfterValidator(_compiling)]
"""A regular expression."""


class Pace(StrEnum):
    """How often a column is read."""

    FAST = "fast"
    """At every poll."""
    NORMAL = "normal"
    """Every five minutes."""
    SLOW = "slow"
    """Every quarter of an hour, and when the device says that it changed."""


class Form(StrEnum):
    """What the octets of a value are."""

    TEXT = "text"
    """Text, in the encoding it turns out to have."""
    NUMBER = "number"
    """Text with a number in it, such as "-67 dBm"; the first one counts."""
    IDENTIFIER = "identifier"
    """Text if it is printable ASCII, else hexadecimal."""
    HEX = "hex"
    """Octets such as a MAC address, as aa:bb:cc."""
    DOTTED = "dotted"
    """Octets as 10.1.0.2: an IPv4 address, or an index to join by."""
    UNSIGNED = "unsigned"
    """A big-endian number."""
    SIGNED = "signed"
    """A big-endian number in two's complement."""


class Octets(Model):
    """Some octets of a value."""

    at: int = Field(default=0, ge=0, description="The first of them, from 0.")
    length: int | None = Field(default=None, ge=1, description="How many; the rest when omitted.")


class IndexPart(Model):
    """Part of a row's index."""

    at: int = Field(default=0, description="The first number of it, from 0; -1 is the last.")
    length: int | None = Field(default=None, ge=1, description="How many; the rest when omitted.")
    counted: bool = Field(
        default=False, description="Whether the number there says how many follow."
    )
    form: Form | None = Field(
        default=None, description="What octets the numbers are; a number or dotted when omitted."
    )


class Column(Model):
    """One column of a table, or one scalar; or part of the index of its rows."""

    oid: Oid | None = None
    index: IndexPart | None = Field(
        default=None, description="Instead of an OID: the value is part of the row's index."
    )
    by: Names = Field(
        default_factory=list,
        description="Columns whose values, one behind the other, are the index of the row that is "
        'meant in another table; "row" is this row\'s own index.',
    )
    key: IndexPart | None = Field(
        default=None,
        description="Which part of the other table's index `by` names; all of it "
        "when omitted. Of several rows with the same, the first counts.",
    )
    unique: bool = Field(
        default=False,
        description="Whether to add the index there to a value that several rows of the other "
        "table have, as tags do.",
    )
    read: Pace = Pace.FAST
    form: Form = Field(default=Form.TEXT, description="What its octets are.")
    octets: Octets | None = Field(default=None, description="Which of its octets are meant.")
    pattern: Expression | None = Field(
        default=None, description="Regular expression; its first group, or all it finds, counts."
    )
    counter: Literal[32, 64] | None = Field(
        default=None, description="Width in bits, if it counts; only its rate is a reading."
    )
    scale: int | float = Field(default=1, description="Factor that gives the catalogue's unit.")
    offset: int | float = Field(default=0, description="Added after the scale.")
    unit: str | None = Field(
        default=None, description="Unit after the scale; converted to the catalogue's."
    )
    range: tuple[float, float] | None = Field(
        default=None, description="Lowest and highest value that is data, after scale and unit."
    )
    enum: dict[Raw, int | float | str] | None = Field(
        default=None, description="What each value stands for; others are no data."
    )
    ignore: list[Raw] = Field(
        default_factory=list, description='Values that mean "no data", before the scale.'
    )
    band: Literal["channel", "frequency"] | None = Field(
        default=None,
        description="Makes a Wi-Fi band of a channel number, or of a frequency in MHz.",
    )

    @model_validator(mode="after")
    def _has_one_origin(self) -> Column:
        if (self.oid is None) == (self.index is None):
            raise ValueError("expected either oid or index")
        if self.index is not None and self.by:
            raise ValueError("by is for columns with an oid; expected none with index")
        if self.unique and not self.by:
            raise ValueError("unique is for columns of another table; expected by beside it")
        if self.key is not None and not self.by:
            raise ValueError("key is part of another table's index; expected by beside it")
        return self


class Over(StrEnum):
    """How the rows of a group become one value."""

    COUNT = "count"
    SUM = "sum"
    MEAN = "mean"
    MINIMUM = "minimum"
    MAXIMUM = "maximum"
    QUANTILE = "quantile"


class CeilingRule(Model):
    """The most counts a second that a counter can see."""

    of: str | None = Field(default=None, description="Field that holds the speed, if there is one.")
    per: float = Field(default=1, gt=0, description="Units of the speed which one count takes.")
    unknown: float = Field(gt=0, description="Speed to assume where the field has none.")


class FieldRule(Model):
    """How a field comes from columns; exactly one of from, select, rate, share and since.

    Written as a bare name, it is the column of that name.
    """

    from_: Names | None = Field(
        default=None, alias="from", description="Columns; the first with a value counts."
    )
    select: dict[Raw, str] = Field(
        default_factory=dict, description="The column to take, by the value of column `when`."
    )
    when: str | None = None
    plus: Names = Field(default_factory=list, description="Columns to add.")
    minus: Names = Field(default_factory=list, description="Columns to subtract.")
    times: Names = Field(default_factory=list, description="Columns to multiply by, after that.")
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
    over: Over | None = Field(
        default=None, description="How the rows of a group become one value, in grouped tables."
    )
    quantile: float | None = Field(default=None, ge=0, le=1, description="For over: quantile.")
    below: float | None = Field(default=None, description="Only values below count.")
    above: float | None = Field(default=None, description="Only values above count.")


class TagRule(Model):
    """How a tag comes from columns; written as a bare name, it is that column.

    With both `from` and `text`, the text is for rows where the columns have no value.
    """

    from_: Names = Field(
        default_factory=list, alias="from", description="Columns; the first with a value counts."
    )
    text: str | None = Field(
        default=None, description='Fixed text, in which "{column}" stands for a value.'
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
    without: dict[str, Expression] = Field(
        default_factory=dict,
        description="Regular expressions found in columns of rows that don't count.",
    )
    first: bool = Field(default=False, description="Whether only the first such row counts.")
    grouped: bool = Field(
        default=False, description="Whether rows with the same tags make one reading together."
    )
    instead_of: Slug | None = Field(
        default=None, description="A table above; this one is read only while that has no rows."
    )
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


def moved(table: Table, places: Mapping[str, str]) -> Table:
    """Return a table whose columns below some OIDs are below others instead."""
    columns = dict(table.columns)
    for before, after in places.items():
        for name, column in columns.items():
            if column.oid is not None and column.oid.startswith(f"{before}."):
                oid = after + column.oid.removeprefix(before)
                columns[name] = column.model_copy(update={"oid": oid})
    return table.model_copy(update={"columns": columns})


class Match(Model):
    """What a profile recognises a device by; everything given must fit."""

    object_id: Oid | None = Field(default=None, description="sysObjectID, or where it begins.")
    description: Expression | None = Field(
        default=None, description="Regular expression found in sysDescr."
    )
    answers: Oid | None = Field(
        default=None, description="OID at or below which the device has a value."
    )

    @model_validator(mode="after")
    def _says_something(self) -> Match:
        if self.object_id is None and self.description is None and self.answers is None:
            raise ValueError("the match is empty; expected object_id, description or answers")
        return self

    def weight(self, object_id: str, description: str, answering: Collection[str] = ()) -> int:
        """Return how well a device fits; 0 if it does not.

        A sysObjectID counts more than any sysDescr, a longer one more than a
        shorter, and a sysDescr more than an OID that answers.

        Args:
            object_id: sysObjectID, dotted.
            description: sysDescr.
            answering: those OIDs of `answers` that the device has values at.
        """
        weight = 0
        if self.object_id is not None:
            if not f"{object_id}.".startswith(f"{self.object_id}."):
                return 0
            weight += 4 * len(self.object_id.split("."))
        if self.description is not None:
            if not re.search(self.description, description):
                return 0
            weight += 2
        if self.answers is not None:
            if self.answers not in answering:
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
    omits: list[Slug] = Field(
        default_factory=list, description="Tables of included profiles that are left out."
    )
    without: dict[Slug, dict[str, Expression]] = Field(
        default_factory=dict,
        description="Rows of included tables that are left out, by table and column: "
        "regular expressions found there.",
    )
    moved: dict[Oid, Oid] = Field(
        default_factory=dict,
        description="Where tables of included profiles are found, by where these have them.",
    )
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
    yield from _anchor_faults(table)
    yield from _join_faults(table)
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
        else:
            yield from ((place, text) for text in _unit_faults(table, name, rule))
        ways = [w for w in (rule.from_, rule.select, rule.rate, rule.share, rule.since) if w]
        if len(ways) != 1:
            text = f"{name} has {len(ways)} of from, select, rate, share and since; expected one"
            yield place, text
        yield from ((place, text) for text in _rule_faults(table, rule, seen))
        seen.add(name)


def _anchor_faults(table: Table) -> Iterator[_Fault]:
    anchor = table.columns.get(table.row_column)
    if anchor is None:
        return  # told with the other unknown columns
    place = ("columns", table.row_column)
    if anchor.counter is not None:
        text = f"{table.row_column!r} is a counter; expected rows to name a column that is not"
        yield place, text
    if anchor.index is not None or anchor.by:
        text = (
            f"{table.row_column!r} is not the table's own; expected rows to name a column that is"
        )
        yield place, text


def _join_faults(table: Table) -> Iterator[_Fault]:
    above: set[str] = {ROW}
    for name, column in table.columns.items():
        place = ("columns", name)
        if name == ROW:
            yield place, f"{ROW!r} is the row's own index; expected another name"
        if table.scalar and (column.by or column.index):
            yield place, "a scalar has no index; expected neither by nor index"
        if column.by and column.counter is not None:
            yield place, "a counter of another table can't be joined; expected no counter"
        for key in column.by:
            if key not in above:
                known = ", ".join(sorted(above))
                yield place, f"by {key!r} is no column declared above; expected one of {known}"
        above.add(name)


def _unit_faults(table: Table, name: str, rule: FieldRule) -> Iterator[str]:
    wanted = unit_of(table, name)
    if wanted is None:
        return
    for column in [*(rule.from_ or []), *rule.select.values(), *rule.plus, *rule.minus]:
        unit = table.columns[column].unit if column in table.columns else None
        if unit is None:
            continue
        try:
            conversion(unit, wanted)
        except UnitError as error:
            yield f"column {column!r}: {error}"


def unit_of(table: Table, name: str) -> str | None:
    """Return the unit of a field; None if only the device can say."""
    measurement = CATALOGUE[table.measurement]
    if measurement.name == "hardware_sensor" and name == "value":
        quantity = table.tags.get("quantity")
        return QUANTITIES.get(quantity.text or "") if quantity else None
    return measurement.fields[name].unit


def conversions(table: Table) -> dict[str, Conversion]:
    """Return how the columns that have a unit become the catalogue's."""
    found: dict[str, Conversion] = {}
    for name, rule in table.fields.items():
        wanted = unit_of(table, name)
        for column in [*(rule.from_ or []), *rule.select.values(), *rule.plus, *rule.minus]:
            unit = table.columns[column].unit
            if unit is not None and wanted is not None:
                found[column] = conversion(unit, wanted)
    return found


def _rule_faults(table: Table, rule: FieldRule, seen: set[str]) -> Iterator[str]:
    for column in rule.rate or []:
        if column in table.columns and table.columns[column].counter is None:
            yield f"column {column!r} is no counter; expected counter: 32 or 64 there"
    if bool(rule.rate) != bool(rule.ceiling):
        yield "rate and ceiling belong together; expected both or neither"
    if bool(rule.select) != bool(rule.when):
        yield "select and when belong together; expected both or neither"
    if table.grouped and rule.over is None and not rule.share:
        yield "the table is grouped; expected over to say how rows become one value"
    if rule.over is not None and not table.grouped:
        yield "over is for grouped tables; expected grouped: true"
    if (rule.over is Over.QUANTILE) != (rule.quantile is not None):
        yield "over: quantile and quantile belong together; expected both or neither"
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
    for column in table.without:
        yield ("without", column), column
    for tag, source in table.tags.items():
        for column in (*source.from_, *text_columns(source)):
            yield ("tags", tag), column
    for field, rule in table.fields.items():
        for column in columns_of(rule):
            yield ("fields", field), column


def columns_of(rule: FieldRule) -> list[str]:
    """Return the columns a field comes from."""
    single = [column for column in (rule.when, rule.decimals, rule.since) if column]
    several = (rule.from_ or [], rule.select.values(), rule.rate or [], rule.plus, rule.minus)
    return [*chain(*several), *rule.times, *rule.unless, *single]


def text_columns(rule: TagRule) -> list[str]:
    """Return the columns that a tag's text has in braces, but for the index."""
    names = [name for _, name, _, _ in Formatter().parse(rule.text or "") if name]
    return [name for name in names if name != ROW]
