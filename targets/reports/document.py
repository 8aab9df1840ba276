"""A report as people read it, before it is a table, a spreadsheet or pages."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum

Cell = str | int | float | None


class Format(StrEnum):
    """How the cells of a column are shown."""

    TEXT = "text"
    COUNT = "count"
    NUMBER = "number"
    """With one decimal."""
    PERCENT = "percent"
    """With two decimals; the value is 0 to 100."""
    INDEX = "index"
    """With four decimals."""
    CHANGE = "change"
    """With its sign."""
    VERDICT = "verdict"
    """Text; coloured by `Table.tones`."""


@dataclass(frozen=True)
class Column:
    """A column of a table."""

    title: str
    format: Format = Format.TEXT


class Tone(StrEnum):
    """What a verdict means for the reader."""

    GOOD = "good"
    BAD = "bad"
    OPEN = "open"


@dataclass(frozen=True)
class Table:
    """A table; `tones` has one for each row, or is empty."""

    title: str
    columns: Sequence[Column]
    rows: Sequence[Sequence[Cell]]
    tones: Sequence[Tone] = ()


@dataclass(frozen=True)
class Bars:
    """Bars of one unit, the longest first."""

    title: str
    unit: str
    bars: Sequence[tuple[str, float]]


@dataclass(frozen=True)
class Lines:
    """Lines over steps of time; a gap is None.

    `limit` is drawn as a line of its own.
    """

    title: str
    unit: str
    steps: Sequence[str]
    lines: Sequence[tuple[str, Sequence[float | None]]]
    limit: float | None = None


Chart = Bars | Lines


@dataclass(frozen=True)
class Section:
    """What is told of one school."""

    title: str
    tables: Sequence[Table]
    charts: Sequence[Chart] = ()


@dataclass(frozen=True)
class Document:
    """A report in one language.

    Attributes:
        title: what it is about.
        subtitle: of which district, over which period.
        notes: what a reader must know.
        tables: of all schools; the first is the report in short.
        charts: of all schools.
        sections: one for each school.
    """

    title: str
    subtitle: str
    notes: Sequence[str]
    tables: Sequence[Table]
    charts: Sequence[Chart] = ()
    sections: Sequence[Section] = field(default_factory=list)
