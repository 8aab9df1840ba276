"""Prints a report's tables of all schools on a terminal."""

from __future__ import annotations

from rich.console import Console
from rich.table import Table as RichTable
from rich.text import Text

from targets.reports.document import Document, Format, Table, Tone
from targets.reports.figures import shown

_STYLES = {Tone.GOOD: "green", Tone.BAD: "bold red", Tone.OPEN: "yellow"}


def print_document(console: Console, document: Document) -> None:
    """Print a document without its sections and charts."""
    console.print(Text(document.title, "bold"))
    console.print(Text(document.subtitle, "dim"))
    for table in document.tables:
        console.print()
        console.print(_table(table))
    for note in document.notes:
        console.print(Text(note, "dim"))


def _table(table: Table) -> RichTable:
    view = RichTable(title=table.title, title_justify="left", title_style="bold", box=None)
    for column in table.columns:
        is_text = column.format in {Format.TEXT, Format.VERDICT}
        view.add_column(column.title, justify="left" if is_text else "right", header_style="dim")
    for number, row in enumerate(table.rows):
        cells = []
        for cell, column in zip(row, table.columns, strict=True):
            is_toned = column.format is Format.VERDICT and bool(table.tones)
            style = _STYLES[table.tones[number]] if is_toned else ""
            cells.append(Text(shown(cell, column.format), style))
        view.add_row(*cells)
    return view
