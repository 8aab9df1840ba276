"""The equity report: how far schools are apart, where they lie, and who moved up or down."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

import numpy as np

from campuswatch.calendar import DAY
from campuswatch.inventory.models import (
    Area,
    BandwidthTarget,
    School,
    Target,
    UptimeTarget,
    WifiCoverageTarget,
)
from campuswatch.stores.base import Aggregate, Query
from targets import bandwidth_target
from targets.bandwidth import LineDay, capacity
from targets.check import applying
from targets.devices import RoomDay
from targets.equity import quartiles, quintile_ratio, theil
from targets.period import PastDays, Period, Times, device_times, lesson_times, line_days, room_days
from targets.reports.bandwidth import speed_of
from targets.reports.devices import multimedia
from targets.reports.model import Part, Report, SchoolPart, Task
from targets.reports.uptime import lesson_part, lessons_by_day, pooled, share_of
from targets.scorecard import Mark, ranks, score
from targets.uptime_target import scope_of
from targets.verdicts import Share, Verdict


class Measure(StrEnum):
    """What schools are compared by; of each, more is better."""

    UPTIME = "uptime"
    """Up time of what the school's uptime targets are about, %."""
    LESSONS = "lessons"
    """Lesson time with a working network, %."""
    COVERAGE = "wifi-coverage"
    """Seats with working Wi-Fi, mean of the period's days, %."""
    BANDWIDTH = "bandwidth"
    """Download capacity, Mbit/s a student."""
    CLASSROOMS = "classrooms"
    """Multimedia sets working at the first lesson, %."""


class AreaPart(Part):
    """The schools of an area: how many are known, and the quartiles of a measure."""

    area: Area
    schools: int
    first_quartile: float | None
    median: float | None
    third_quartile: float | None


class TheilPart(Part):
    """Theil's T, and its parts between and within the areas."""

    total: float
    between: float
    within: float


class Moment(Part):
    """A part of the period: a month, or a week as ISO 8601 numbers it."""

    part: str
    areas: tuple[AreaPart, ...]
    theil: TheilPart | None


class MeasurePart(Part):
    """How far schools are apart in one measure.

    Attributes:
        measure: which.
        areas: each area.
        worst_to_best: mean of the worst fifth of schools by that of the best;
            None with fewer than five schools.
        theil: how unequal schools are; None when nothing is known.
        over_time: the same for each part of the period.
    """

    measure: Measure
    areas: tuple[AreaPart, ...]
    worst_to_best: float | None
    theil: TheilPart | None
    over_time: tuple[Moment, ...]


class MarkPart(Part):
    """How far a school reached one of its targets."""

    target: str
    objective: float
    share: Share
    verdict: Verdict


class Scorecard(SchoolPart):
    """A school's marks and its place.

    Attributes:
        rank: its place by score, 1 being the best; None when nothing is known.
        rank_before: its place in the period before.
        score: the mean of how far its targets were reached, each at most fully, %.
        score_before: the same in the period before.
        marks: each target.
        measures: what it is compared by.
    """

    rank: int | None
    rank_before: int | None
    score: float | None
    score_before: float | None
    marks: tuple[MarkPart, ...]
    measures: dict[Measure, float | None]


class EquityReport(Report):
    """What `campuswatch report equity` writes as JSON; schools are in order of rank."""

    kind: Literal["equity"] = "equity"
    first_before: str
    last_before: str
    measures: tuple[MeasurePart, ...]
    schools: tuple[Scorecard, ...]


@dataclass(frozen=True)
class _Known:
    """What is known of a school in a period."""

    school: School
    targets: Sequence[Target]
    times: Mapping[str, Times]
    lessons: Times
    line: Sequence[tuple[int, LineDay]]
    rooms: Sequence[tuple[int, RoomDay]]
    coverage: Mapping[str, Mapping[int, float]]

    def measures(self, days: Sequence[int]) -> dict[Measure, float | None]:
        """Return each measure over some days, by their numbers in the period."""
        chosen = set(days)
        rooms = [day for number, day in self.rooms if number in chosen]
        return {
            Measure.UPTIME: self._uptime(days).attained,
            Measure.LESSONS: lesson_part(self.lessons[days].sum(axis=0)).share.attained,
            Measure.COVERAGE: self._coverage(chosen),
            Measure.BANDWIDTH: self._per_student(),
            Measure.CLASSROOMS: multimedia(rooms).share.attained,
        }

    def marks(self) -> list[MarkPart]:
        return [part for target in self.targets if (part := self._mark(target)) is not None]

    def _mark(self, target: Target) -> MarkPart | None:
        if isinstance(target, UptimeTarget):
            if not scope_of(target, self.school):
                return None
            share = share_of(pooled(target, self.school, self.times).sum(axis=0))
            return _mark(target.id, target.objective, share)
        if isinstance(target, BandwidthTarget):
            found = bandwidth_target.judge(target, self.school, self._speed())
            return _mark(target.id, found.objective, found.share)
        return self._coverage_mark(target)

    def _coverage_mark(self, target: WifiCoverageTarget) -> MarkPart | None:
        values = list(self.coverage.get(target.id, {}).values())
        if not values:
            return _mark(target.id, target.objective, Share(attained=None, low=0.0, high=100.0))
        mean = math.fsum(values) / len(values)
        return _mark(target.id, target.objective, Share(attained=mean, low=mean, high=mean))

    def _uptime(self, days: Sequence[int]) -> Share:
        total = np.zeros(3, np.int64)
        for target in self.targets:
            if isinstance(target, UptimeTarget) and scope_of(target, self.school):
                total += pooled(target, self.school, self.times)[days].sum(axis=0)
        return share_of(total)

    def _coverage(self, days: set[int]) -> float | None:
        values = [
            value
            for by_day in self.coverage.values()
            for number, value in by_day.items()
            if number in days
        ]
        return math.fsum(values) / len(values) if values else None

    def _speed(self) -> int | None:
        return speed_of([day for _, day in self.line])

    def _per_student(self) -> float | None:
        if self.school.internet is None or not self.school.students:
            return None
        return capacity(self.school.internet, self._speed())[0] / 1e6 / self.school.students


def _mark(target: str, objective: float, share: Share) -> MarkPart:
    verdict = share.judge(objective)
    return MarkPart(target=target, objective=objective, share=share, verdict=verdict)


def build(task: Task, batches: Iterator[list[School]]) -> EquityReport:
    """Build the report; arguments and errors as of the uptime report's."""
    before = task.period.before()
    parts = task.period.parts()
    whole = list(range(len(task.period.days())))
    now: dict[str, dict[Measure, float | None]] = {}
    by_part: dict[str, list[dict[Measure, float | None]]] = {}
    marks: dict[str, list[MarkPart]] = {}
    marks_before: dict[str, list[MarkPart]] = {}
    for batch in batches:
        for known in _know(task, batch, task.period):
            name = known.school.id
            now[name] = known.measures(whole)
            by_part[name] = [known.measures(days) for _, days in parts]
            marks[name] = known.marks()
        for known in _know(task, batch, before):
            marks_before[known.school.id] = known.marks()
    areas = {school.id: school.area for school in task.schools}
    measures = tuple(
        _measure(measure, areas, now, [(part, at) for at, (part, _) in enumerate(parts)], by_part)
        for measure in Measure
    )
    cards = _scorecards(task.schools, now, marks, marks_before)
    return EquityReport.model_validate(
        {
            **task.heading(),
            "first_before": before.first.isoformat(),
            "last_before": before.last.isoformat(),
            "measures": measures,
            "schools": cards,
        }
    )


def _measure(
    measure: Measure,
    areas: Mapping[str, Area],
    now: Mapping[str, dict[Measure, float | None]],
    parts: Sequence[tuple[str, int]],
    by_part: Mapping[str, Sequence[dict[Measure, float | None]]],
) -> MeasurePart:
    values = {school: own[measure] for school, own in now.items()}
    by_area, index = _gap(areas, values)
    moments = []
    for part, at in parts:
        then = {school: own[at][measure] for school, own in by_part.items()}
        areas_then, index_then = _gap(areas, then)
        moments.append(Moment(part=part, areas=areas_then, theil=index_then))
    return MeasurePart(
        measure=measure,
        areas=by_area,
        worst_to_best=quintile_ratio([value for value in values.values() if value is not None]),
        theil=index,
        over_time=tuple(moments),
    )


def _gap(
    areas: Mapping[str, Area], values: Mapping[str, float | None]
) -> tuple[tuple[AreaPart, ...], TheilPart | None]:
    groups: dict[str, list[float]] = {area: [] for area in Area}
    for school, area in areas.items():
        if (value := values[school]) is not None:
            groups[area].append(value)
    index = theil(groups)
    part = None
    if index is not None:
        part = TheilPart(total=index.total, between=index.between, within=index.within)
    return tuple(_area(Area(area), own) for area, own in groups.items()), part


def _area(area: Area, values: Sequence[float]) -> AreaPart:
    found = quartiles(values)
    return AreaPart(
        area=area,
        schools=len(values),
        first_quartile=found.first if found else None,
        median=found.median if found else None,
        third_quartile=found.third if found else None,
    )


def _scorecards(
    schools: Sequence[School],
    measures: Mapping[str, dict[Measure, float | None]],
    marks: Mapping[str, list[MarkPart]],
    before: Mapping[str, list[MarkPart]],
) -> tuple[Scorecard, ...]:
    scores, scores_before = (
        {
            school: score([Mark(mark.objective, mark.share) for mark in own])
            for school, own in all_marks.items()
        }
        for all_marks in (marks, before)
    )
    places, places_before = ranks(scores), ranks(scores_before)
    cards = [
        Scorecard(
            id=school.id,
            name=school.name,
            area=school.area,
            rank=places.get(school.id),
            rank_before=places_before.get(school.id),
            score=scores[school.id],
            score_before=scores_before[school.id],
            marks=tuple(marks[school.id]),
            measures=measures[school.id],
        )
        for school in schools
    ]
    return tuple(sorted(cards, key=lambda card: (card.rank is None, card.rank or 0)))


def _know(task: Task, schools: list[School], period: Period) -> Iterator[_Known]:
    past = task.past(schools, period)
    times, lessons = device_times(past), lesson_times(past)
    lines, rooms = line_days(past), room_days(past)
    coverage = _coverage(task, past)
    days = len(period.days())
    for school in schools:
        yield _Known(
            school,
            applying(task.inventory, school),
            times[school.id],
            lessons_by_day(lessons[school.id], days),
            [(past.numbers[school.id, day.start], day) for day in lines[school.id]],
            [(past.numbers[school.id, day.start], day) for day in rooms[school.id]],
            coverage.get(school.id, {}),
        )


def _coverage(task: Task, past: PastDays) -> dict[str, dict[str, dict[int, float]]]:
    """Return what share coverage targets had as last told on each day, by school and target.

    Days are those of UTC here, so that a year is quickly read; each is counted
    to the school's day that it begins in.
    """
    start, end = past.reach
    targets = [
        target.id
        for target in task.inventory.district.targets
        if isinstance(target, WifiCoverageTarget)
    ]
    if start == end or not targets:
        return {}
    query = Query(
        "target_status",
        ("attained",),
        start,
        end,
        where={"school": list(past.spans), "target": targets},
        group_by=("school", "target"),
        aggregate=Aggregate.LAST,
        window=DAY,
    )
    first = past.period.first
    found: dict[str, dict[str, dict[int, float]]] = {}
    for series in past.store.query(query):
        school = series.tags["school"]
        calendar = past.promises[school].calendar
        own = found.setdefault(school, {}).setdefault(series.tags["target"], {})
        for time, value in zip(series.times, series.columns["attained"], strict=True):
            number = (calendar.day(max(time, start)) - first).days
            if isinstance(value, float) and number >= 0:
                own[number] = value
    return found
