"""Writes a report as PDF, by way of HTML and WeasyPrint.

WeasyPrint is the optional extra `pdf`, because it needs Pango, which is a
library of the system and not a Python package.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

from jinja2 import Environment, PackageLoader

from campuswatch.errors import UserError
from campuswatch.language import Language
from targets.reports.charts import draw
from targets.reports.document import Document, Format
from targets.reports.figures import shown
from targets.reports.language import Words

_MISSING: Final = (
    "PDF needs WeasyPrint and Pango ({error}); install them with "
    '"pip install campuswatch[pdf]" and, on Debian, '
    '"apt install libpango-1.0-0 libpangoft2-1.0-0 fonts-noto-cjk"'
)
_FONTS: Final = {
    Language.EN: "'Noto Sans', 'DejaVu Sans', 'Noto Sans CJK SC', sans-serif",
    Language.ZH: "'Noto Sans CJK SC', 'Noto Sans SC', 'Source Han Sans SC', sans-serif",
}


def write_pdf(document: Document, words: Words, file: Path) -> None:
    """Write a document as pages of A4.

    Raises:
        UserError: WeasyPrint or what it needs is not installed.
    """
    try:
        from weasyprint import HTML  # noqa: PLC0415 - an extra, and slow to load
    except (ImportError, OSError) as error:
        raise UserError(_MISSING.format(error=error)) from None
    HTML(string=as_html(document, words)).write_pdf(file)


def as_html(document: Document, words: Words) -> str:
    """Return a document as one HTML page."""
    environment = Environment(
        loader=PackageLoader("targets.reports"),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template("report.html").render(
        document=document,
        words=words,
        fonts=_FONTS[words.language],
        draw=draw,
        shown=shown,
        text_formats={Format.TEXT, Format.VERDICT},
    )
