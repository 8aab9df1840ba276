"""What every store has to answer, computed in the plainest way."""

import math
from collections import defaultdict
from collections.abc import Callable, Iterable

from campuswatch.readings import FieldValue, Reading
from campuswatch.stores.base import Aggregate, Query, Series

Sample = tuple[int, FieldValue]


def _percentile(percent: int) -> Callable[[list[Sample]], FieldValue]:
    def value(samples: list[Sample]) -> FieldValue:
        ordered = sorted(value for _, value in samples)
        return ordered[math.floor(len(ordered) * percent / 100 + 0.5) - 1]

    return value


def _values(samples: list[Sample]) -> list[float]:
    return [float(value) for _, value in samples]


SUMMARIES: dict[Aggregate, Callable[[list[Sample]], FieldValue]] = {
    Aggregate.MEAN: lambda samples: sum(_values(samples)) / len(samples),
    Aggregate.MIN: lambda samples: min(_values(samples)),
    Aggregate.MAX: lambda samples: max(_values(samples)),
    Aggregate.SUM: lambda samples: sum(_values(samples)),
    Aggregate.COUNT: len,
    Aggregate.COUNT_DISTINCT: lambda samples: len({value for _, value in samples}),
    Aggregate.FIRST: lambda samples: max(v for t, v in samples if t == min(samples)[0]),
    Aggregate.LAST: lambda samples: max(v for t, v in samples if t == max(samples)[0]),
    Aggregate.P50: _percentile(50),
    Aggregate.P95: _percentile(95),
}


def merged(readings: Iterable[Reading]) -> list[Reading]:
    """Return the points that are left when readings of one identity are merged."""
    points: dict[tuple[str, frozenset[tuple[str, str]], int], Reading] = {}
    for reading in readings:
        identity = (reading.measurement, frozenset(reading.tags.items()), reading.time)
        before = points[identity].fields if identity in points else {}
        points[identity] = Reading(
            reading.measurement, reading.tags, {**before, **reading.fields}, reading.time
        )
    return list(points.values())


def answer(readings: Iterable[Reading], query: Query) -> list[Series]:
    """Answer a query about readings."""
    groups: dict[tuple[str, ...], list[Reading]] = defaultdict(list)
    for point in merged(readings):
        if (
            point.measurement == query.measurement
            and query.start <= point.time < query.end
            and point.fields.keys() & set(query.fields)
            and all(point.tags.get(key, "") in values for key, values in query.where.items())
        ):
            groups[tuple(point.tags.get(key, "") for key in query.group_by)].append(point)
    return [_series(query, key, groups[key]) for key in sorted(groups)]


def _series(query: Query, key: tuple[str, ...], points: list[Reading]) -> Series:
    rows = sorted(_rows(query, points), key=lambda row: row[0])
    if query.limit is not None:
        rows = rows[-query.limit :] if query.newest else rows[: query.limit]
    return Series(
        dict(zip(query.group_by, key, strict=True)),
        [time for time, _ in rows],
        {name: [row[name] for _, row in rows] for name in query.fields},
    )


def _rows(
    query: Query, points: list[Reading]
) -> Iterable[tuple[int, dict[str, FieldValue | None]]]:
    if query.aggregate is None:
        for point in points:
            yield point.time, {name: point.fields.get(name) for name in query.fields}
        return
    windows: dict[int, list[Reading]] = defaultdict(list)
    for point in points:
        start = query.start if query.window is None else point.time // query.window * query.window
        windows[start].append(point)
    for start, held in windows.items():
        time = start
        if query.window is None and query.aggregate is Aggregate.FIRST:
            time = min(point.time for point in held)
        if query.window is None and query.aggregate is Aggregate.LAST:
            time = max(point.time for point in held)
        yield time, {name: _summary(query.aggregate, name, held) for name in query.fields}


def _summary(aggregate: Aggregate, name: str, points: list[Reading]) -> FieldValue | None:
    samples = [(point.time, point.fields[name]) for point in points if name in point.fields]
    if not samples:
        return 0 if aggregate in (Aggregate.COUNT, Aggregate.COUNT_DISTINCT) else None
    return SUMMARIES[aggregate](samples)
