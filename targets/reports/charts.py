"""Charts as inline SVG 1.1, for pages that are printed."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from html import escape
from typing import Final

from targets.reports.document import Bars, Chart, Lines

_WIDTH: Final = 720
_LEFT: Final = 84
_RIGHT: Final = 16
_TOP: Final = 16
_HEIGHT: Final = 190
_BOTTOM: Final = 40
_ROW: Final = 22
_NAMES: Final = 250
_COLOURS: Final = ("#1f4e79", "#d9822b", "#2e7d5b", "#7a4fa3")
_STEPS: Final = 9
"""At most so many steps of time are named."""


def draw(chart: Chart, fonts: str) -> str:
    """Return a chart as an SVG element.

    Args:
        chart: what to draw.
        fonts: as CSS names them; a page's own style sheet does not reach into SVG.
    """
    height, parts = _bars(chart) if isinstance(chart, Bars) else _lines(chart)
    inside = "".join(parts)
    return (
        f'<svg viewBox="0 0 {_WIDTH} {height:g}" width="100%" role="img" font-size="13" '
        f'font-family="{escape(fonts)}" fill="#1f2328">{inside}</svg>'
    )


def _bars(chart: Bars) -> tuple[float, Sequence[str]]:
    most = max((value for _, value in chart.bars), default=0) or 1
    room = _WIDTH - _NAMES - 90
    parts = []
    for at, (name, value) in enumerate(chart.bars):
        y = at * _ROW
        parts.append(_text(_NAMES - 10, y + 15, name, "end"))
        length = room * value / most
        parts.append(
            f'<rect x="{_NAMES}" y="{y + 4}" width="{length:.1f}" height="14" rx="2" '
            f'fill="{_COLOURS[0]}"/>'
        )
        parts.append(_text(_NAMES + length + 6, y + 15, f"{value:.2f} {chart.unit}"))
    return len(chart.bars) * _ROW + 4, parts


def _lines(chart: Lines) -> tuple[float, Sequence[str]]:
    known = [value for _, line in chart.lines for value in line if value is not None]
    if chart.limit is not None:
        known.append(chart.limit)
    low, high, step = _scale(known or [0.0])
    end = _TOP + _HEIGHT

    def x(at: int) -> float:
        return _LEFT + (_WIDTH - _LEFT - _RIGHT) * at / max(1, len(chart.steps) - 1)

    def y(value: float) -> float:
        return end - _HEIGHT * (value - low) / (high - low)

    parts = list(_grid(low, high, step, chart.unit, y))
    every = math.ceil(len(chart.steps) / _STEPS)
    for at, name in enumerate(chart.steps):
        if at % every == 0:
            anchor = "end" if at and at == len(chart.steps) - 1 else "middle"
            parts.append(_text(x(at), end + 16, name, anchor))
    if chart.limit is not None:
        at_limit = y(chart.limit)
        parts.append(
            f'<line x1="{_LEFT}" x2="{_WIDTH - _RIGHT}" y1="{at_limit:.1f}" y2="{at_limit:.1f}" '
            'stroke="#cf222e" stroke-dasharray="5 3"/>'
        )
    for number, (name, line) in enumerate(chart.lines):
        colour = _COLOURS[number % len(_COLOURS)]
        parts += _line(
            [(x(at), y(value)) if value is not None else None for at, value in enumerate(line)],
            colour,
        )
        left = _LEFT + 130 * number
        parts.append(f'<rect x="{left}" y="{end + 26}" width="12" height="4" fill="{colour}"/>')
        parts.append(_text(left + 18, end + 32, name))
    return end + _BOTTOM, parts


def _grid(
    low: float, high: float, step: float, unit: str, y: Callable[[float], float]
) -> Iterator[str]:
    for number in range(round((high - low) / step) + 1):
        value = low + number * step
        at = y(value)
        yield (
            f'<line x1="{_LEFT}" x2="{_WIDTH - _RIGHT}" y1="{at:.1f}" y2="{at:.1f}" '
            'stroke="#d8dee4" stroke-width="0.7"/>'
        )
        yield _text(_LEFT - 8, at + 4, f"{round(value, 6):g} {unit}".strip(), "end")


def _line(points: Sequence[tuple[float, float] | None], colour: str) -> Iterator[str]:
    """Yield a line that breaks where a point is not known, with a dot at each that is alone."""
    run: list[tuple[float, float]] = []
    for point in (*points, None):
        if point is not None:
            run.append(point)
            continue
        if len(run) == 1:
            yield f'<circle cx="{run[0][0]:.1f}" cy="{run[0][1]:.1f}" r="2.5" fill="{colour}"/>'
        elif run:
            path = " ".join(f"{x:.1f},{y:.1f}" for x, y in run)
            yield f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2"/>'
        run = []


def _scale(values: Sequence[float]) -> tuple[float, float, float]:
    """Return the ends of an axis and its step, all round numbers."""
    low, high = min(values), max(values)
    if high == low:
        low, high = (low - 1, high + 1) if low else (0.0, 1.0)
    rough = (high - low) / 4
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(power * factor for factor in (1, 2, 2.5, 5, 10) if power * factor >= rough)
    return math.floor(low / step) * step, math.ceil(high / step) * step, step


def _text(x: float, y: float, text: str, anchor: str = "start") -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{escape(text)}</text>'
