"""Numbers as text, alike in every format that is read as text."""

from __future__ import annotations

from typing import Final

from targets.reports.document import Cell, Format

_PATTERNS: Final = {
    Format.TEXT: "{}",
    Format.VERDICT: "{}",
    Format.COUNT: "{:,.0f}",
    Format.NUMBER: "{:,.1f}",
    Format.PERCENT: "{:.2f} %",
    Format.INDEX: "{:.4f}",
}


def shown(cell: Cell, form: Format) -> str:
    """Return a cell as text; "–" for what is not known."""
    if cell is None:
        return "–"
    if isinstance(cell, str):
        return cell
    if form is Format.CHANGE:
        return f"{cell:+.2f}".replace("-", "−") if cell else "="
    return _PATTERNS[form].format(cell)
