"""Writes a report as a workbook (Office Open XML): all schools first, then a sheet for each."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from openpyxl import Workbook
from openpyxl.cell.cell import Cell as SheetCell
from openpyxl.cell.cell import WriteOnlyCell
from openpyxl.styles import Alignment, Border, Font, PatternFill, Side
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.properties import PageSetupProperties
from openpyxl.worksheet.worksheet import Worksheet

from targets.reports.document import Cell, Document, Format, Section, Table, Tone
from targets.reports.figures import shown
from targets.reports.language import Words

_FORMATS: Final = {
    Format.COUNT: "#,##0",
    Format.NUMBER: "#,##0.0",
    Format.PERCENT: '0.00" %"',
    Format.INDEX: "0.0000",
    Format.CHANGE: "+0.00;-0.00;0.00",
}
_TONES: Final = {
    Tone.GOOD: Font(color="1A7F37", bold=True),
    Tone.BAD: Font(color="CF222E", bold=True),
    Tone.OPEN: Font(color="9A6700", bold=True),
}
_TITLE: Final = Font(size=16, bold=True)
_HEADING: Final = Font(size=12, bold=True)
_QUIET: Final = Font(color="57606A")
_HEAD: Final = Font(bold=True, color="FFFFFF")
_HEAD_FILL: Final = PatternFill("solid", fgColor="1F4E79")
_RULE: Final = Border(bottom=Side(style="hair", color="B0B7BF"))
_RIGHT: Final = Alignment(horizontal="right", vertical="center", wrap_text=True)
_LEFT: Final = Alignment(horizontal="left", vertical="center", wrap_text=True)

_WIDEST: Final = 44
_NARROWEST: Final = 10
_NAME_LENGTH: Final = 31
"""The longest name that a sheet may have."""

_FORBIDDEN: Final = re.compile(r"[\[\]:*?/\\']")


def write_xlsx(document: Document, words: Words, file: Path) -> None:
    """Write a document as a workbook."""
    book = Workbook(write_only=True)
    names = _names([words("summary"), *(section.title for section in document.sections)])
    _summary(book.create_sheet(next(names)), document)
    for section in document.sections:
        _section(book.create_sheet(next(names)), document, section)
    book.save(file)


def _names(titles: Sequence[str]) -> Iterator[str]:
    """Yield names that sheets may have, each once, whatever their case."""
    taken: set[str] = set()
    for title in titles:
        plain = _FORBIDDEN.sub(" ", title).strip() or "-"
        name, number = plain[:_NAME_LENGTH], 1
        while name.casefold() in taken:
            number += 1
            name = f"{plain[: _NAME_LENGTH - len(str(number)) - 1]} {number}"
        taken.add(name.casefold())
        yield name


def _summary(sheet: Worksheet, document: Document) -> None:
    _lay_out(sheet, document.tables)
    sheet.append([_cell(sheet, document.title, _TITLE)])
    sheet.append([_cell(sheet, document.subtitle, _QUIET)])
    for note in document.notes:
        sheet.append([_cell(sheet, note, _QUIET)])
    for table in document.tables:
        _table(sheet, table)


def _section(sheet: Worksheet, document: Document, section: Section) -> None:
    _lay_out(sheet, section.tables)
    sheet.append([_cell(sheet, section.title, _TITLE)])
    sheet.append([_cell(sheet, f"{document.title} · {document.subtitle}", _QUIET)])
    for table in section.tables:
        _table(sheet, table)


def _lay_out(sheet: Worksheet, tables: Sequence[Table]) -> None:
    """Make columns wide enough and the page fit for print; it must come before the rows."""
    widths: dict[int, int] = {}
    for table in tables:
        for at, column in enumerate(table.columns):
            texts = [column.title, *(shown(row[at], column.format) for row in table.rows)]
            width = max(map(_width, texts)) + 3
            widths[at] = max(widths.get(at, _NARROWEST), min(width, _WIDEST))
    for at, width in widths.items():
        sheet.column_dimensions[get_column_letter(at + 1)].width = width
    sheet.sheet_view.showGridLines = False
    sheet.page_setup.orientation = "landscape"
    sheet.page_setup.paperSize = 9  # A4
    sheet.page_setup.fitToHeight = 0
    sheet.sheet_properties.pageSetUpPr = PageSetupProperties(fitToPage=True)


def _width(text: str) -> int:
    """Return how many digits wide a text is; a Chinese character is two."""
    return sum(1 if ord(character) < 0x2E80 else 2 for character in text)


def _table(sheet: Worksheet, table: Table) -> None:
    sheet.append([])
    sheet.append([_cell(sheet, table.title, _HEADING)])
    sheet.append([_head(sheet, column.title, column.format) for column in table.columns])
    for number, row in enumerate(table.rows):
        tone = table.tones[number] if table.tones else None
        sheet.append(
            [
                _body(sheet, cell, column.format, tone)
                for cell, column in zip(row, table.columns, strict=True)
            ]
        )


def _cell(sheet: Worksheet, value: Cell, font: Font) -> SheetCell:
    cell = WriteOnlyCell(sheet, value)
    cell.font = font
    return cell


def _head(sheet: Worksheet, title: str, form: Format) -> SheetCell:
    cell = _cell(sheet, title, _HEAD)
    cell.fill = _HEAD_FILL
    cell.alignment = _LEFT if form in {Format.TEXT, Format.VERDICT} else _RIGHT
    return cell


def _body(sheet: Worksheet, value: Cell, form: Format, tone: Tone | None) -> SheetCell:
    cell = WriteOnlyCell(sheet, "–" if value is None else value)
    cell.border = _RULE
    if form in _FORMATS:
        cell.number_format = _FORMATS[form]
        cell.alignment = _RIGHT
    if form is Format.VERDICT and tone is not None:
        cell.font = _TONES[tone]
    return cell
