"""Reports as files: a workbook and pages that hold what the report says, in both languages."""

from __future__ import annotations

import csv
import subprocess
from contextlib import closing
from pathlib import Path

import pytest
from openpyxl import load_workbook

from campuswatch.language import Language
from campuswatch.stores.duckdb import DuckDBStore
from targets.reports.as_csv import write_csv
from targets.reports.as_pdf import write_pdf
from targets.reports.as_xlsx import write_xlsx
from targets.reports.commands import MAKERS, Kind
from targets.reports.document import Bars, Column, Document, Format, Lines, Section, Table
from targets.reports.language import Words
from targets.reports.model import Task
from tests.targets.reports import district
from tests.targets.reports.district import INVENTORY, NOW, PERIOD


@pytest.fixture(scope="module")
def documents(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Document]:
    file = tmp_path_factory.mktemp("store") / "readings.duckdb"
    with closing(DuckDBStore(file)) as store:
        district.fill(store)
        task = Task(INVENTORY, store, INVENTORY.schools, PERIOD, NOW)
        made = {kind: maker.build(task, task.batches()) for kind, maker in MAKERS.items()}
    return {
        f"{kind} {language}": MAKERS[kind].document(made[kind], Words(language))
        for kind in Kind
        for language in Language
    }


@pytest.mark.parametrize("kind", Kind)
@pytest.mark.parametrize("language", Language)
def test_a_workbook_has_a_sheet_for_each_school(
    documents: dict[str, Document], kind: Kind, language: Language, tmp_path: Path
) -> None:
    file = tmp_path / "report.xlsx"
    document = documents[f"{kind} {language}"]
    write_xlsx(document, Words(language), file)
    book = load_workbook(file)
    first = "Summary" if language is Language.EN else "汇总"
    assert book.sheetnames[0] == first
    assert len(book.sheetnames) == 4
    assert "valley校" in book.sheetnames or "Valley" in book.sheetnames
    values = [cell.value for row in book[first].iter_rows() for cell in row]
    assert document.title in values
    for row in document.tables[0].rows:
        assert {cell for cell in row if cell is not None} <= set(values)


@pytest.mark.parametrize("language", Language)
def test_pages_hold_the_report_as_text(
    documents: dict[str, Document], language: Language, tmp_path: Path
) -> None:
    file = tmp_path / "report.pdf"
    write_pdf(documents[f"uptime {language}"], Words(language), file)
    text = subprocess.run(
        ["pdftotext", "-layout", str(file), "-"], capture_output=True, text=True, check=True
    ).stdout
    expected = (
        ("Uptime report", "Valley", "97.50 %", "missed")
        if language is Language.EN
        else ("在线率报告", "valley校", "97.50 %", "未达标")
    )
    assert [word for word in expected if word not in text] == []
    fonts = subprocess.run(
        ["pdffonts", str(file)], capture_output=True, text=True, check=True
    ).stdout
    assert language is Language.EN or "CJK" in fonts


def test_a_table_for_programs_keeps_every_digit(
    documents: dict[str, Document], tmp_path: Path
) -> None:
    file = tmp_path / "report.csv"
    write_csv(documents["uptime zh"], file)
    with file.open(encoding="utf-8-sig", newline="") as lines:
        rows = list(csv.reader(lines))
    assert rows[0][0] == "学校"
    assert [row[5] for row in rows[1:]] == ["100.0", "100.0", "97.5"]


def test_odd_names_make_sheets_and_pages(tmp_path: Path) -> None:
    table = Table("<b>", [Column("a & b"), Column("n", Format.CHANGE)], [("<i>", -1.0), (None, 0)])
    lines = Lines("l", "%", ["1", "2", "3"], [("x", [1.0, None, 2.0])], 5.0)
    names = ["a/b:c" * 20, "A/B:C" * 20, "?"]
    sections = [Section(name, [table], [lines, Bars("b", "h", [("<x>", 0.0)])]) for name in names]
    document = Document("t", "s", ["n"], [table], [], sections)
    write_xlsx(document, Words(Language.EN), tmp_path / "odd.xlsx")
    titles = load_workbook(tmp_path / "odd.xlsx").sheetnames
    assert len(titles) == len({title.casefold() for title in titles}) == 4
    write_pdf(document, Words(Language.EN), tmp_path / "odd.pdf")
    assert (tmp_path / "odd.pdf").read_bytes().startswith(b"%PDF")
