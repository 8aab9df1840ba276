"""Writes a report's first table as CSV."""

from __future__ import annotations

import csv
from pathlib import Path

from targets.reports.document import Document


def write_csv(document: Document, file: Path) -> None:
    """Write a document's first table as RFC 4180 has it, numbers unrounded.

    It begins with a byte order mark, without which Excel takes Chinese text
    for another encoding.
    """
    table = document.tables[0]
    with file.open("w", encoding="utf-8-sig", newline="") as out:
        writer = csv.writer(out)
        writer.writerow([column.title for column in table.columns])
        writer.writerows([["" if cell is None else cell for cell in row] for row in table.rows])
