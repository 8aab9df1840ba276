"""Makes runs of raw samples, for a store whose queries can't."""

from __future__ import annotations

from campuswatch.readings import FieldValue
from campuswatch.stores.base import Runs, Series

_Row = tuple[int, tuple[FieldValue | None, ...]]


def in_runs(series: Series, runs: Runs) -> Series:
    """Return a series of raw samples as `Query.runs` describes it."""
    names = list(series.columns)
    interval = names.index(runs.interval)
    rows: list[_Row] = sorted(
        zip(series.times, zip(*series.columns.values(), strict=True), strict=True), key=_order
    )
    begins: list[_Row] = []
    until: list[int] = []
    for time, values in rows:
        held = values[interval]
        if (
            begins
            and values == begins[-1][1]
            and isinstance(held, int | float)
            and time - until[-1] <= min(runs.hold * 1e9 * held, runs.longest)
        ):
            until[-1] = time
        else:
            begins.append((time, values))
            until.append(time)
    columns = {name: [values[at] for _, values in begins] for at, name in enumerate(names)}
    return Series(series.tags, [time for time, _ in begins], columns, until)


def _order(row: _Row) -> tuple[int, list[tuple[bool, FieldValue]]]:
    """Order rows by time, then by their values, of which missing ones come first."""
    time, values = row
    return time, [(value is not None, 0 if value is None else value) for value in values]
