"""The bandwidth report: what each school's line can carry, how full it was, and until when."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Literal

from pydantic import Field

from campuswatch.calendar import DAY
from campuswatch.inventory.models import BandwidthTarget, Internet, School
from targets import bandwidth_target
from targets.bandwidth import SATURATED, LineDay, Trials, capacity, read_days, read_trials
from targets.check import applying
from targets.forecast import Forecast, Outlook, forecast
from targets.period import line_days
from targets.promise import Promise
from targets.reports.model import Part, Report, SchoolPart, Task
from targets.verdicts import BandwidthVerdict, Duration, Share

_MEGABIT = 1_000_000
_LOOK_BACK = 365
"""How many days before the report's end the trend rests on."""


class Direction(Part):
    """One direction of a line, Mbit/s.

    Attributes:
        provisioned: as it was ordered.
        capacity: what it can carry: no more than the port it ends on.
        per_student: that, for each student; None without students.
        busy: median of the school days' busiest hours, 95th percentile within
            the hour; None when nothing was read.
        busiest: the highest of them.
        forecast: when it will be saturated.
    """

    provisioned: float = Field(serialization_alias="provisioned_mbps")
    capacity: float = Field(serialization_alias="capacity_mbps")
    per_student: float | None = Field(serialization_alias="per_student_mbps")
    busy: float | None = Field(serialization_alias="busy_mbps")
    busiest: float | None = Field(serialization_alias="busiest_mbps")
    forecast: ForecastPart


class ForecastPart(Part):
    """When a line is saturated; months as in 2026-10."""

    outlook: Outlook
    month: str | None
    earliest: str | None
    latest: str | None


class Saturation(Part):
    """How much lesson time a line was saturated.

    Attributes:
        due: time of lessons.
        known: of that, with known traffic.
        saturated: of that, with 80 % or more of the line in use.
        share: of lesson time that it was saturated, with its bounds.
    """

    due: Duration = Field(serialization_alias="due_seconds")
    known: Duration = Field(serialization_alias="known_seconds")
    saturated: Duration = Field(serialization_alias="saturated_seconds")
    share: Share


class LineDayPart(Part):
    """A day of a line: its busiest hours, Mbit/s, and the lesson time it was saturated."""

    date: dt.date
    down: float | None = Field(serialization_alias="down_mbps")
    up: float | None = Field(serialization_alias="up_mbps")
    saturated: Duration = Field(serialization_alias="saturated_seconds")


class TrialsPart(Part):
    """What the agent's bandwidth probes gave in the period, medians.

    Attributes:
        count: how many there were.
        down: from the district's endpoint, Mbit/s.
        up: to it.
        idle_rtt: round-trip time of the idle line, s.
        loaded_rtt: the same while the line was loaded.
    """

    count: int
    down: float | None = Field(serialization_alias="down_mbps")
    up: float | None = Field(serialization_alias="up_mbps")
    idle_rtt: float | None = Field(serialization_alias="idle_rtt_seconds")
    loaded_rtt: float | None = Field(serialization_alias="loaded_rtt_seconds")


class Line(Part):
    """A school's line to the internet.

    Attributes:
        device: what it ends on.
        interface: at which port; None when the inventory does not say, so that
            nothing is known of its traffic.
        speed: of that port, Mbit/s.
        down: download.
        up: upload.
        trials: measured by probes; None without any.
        saturation: in the lessons of the period.
        days: each day with known traffic.
    """

    device: str
    interface: str | None
    speed: float | None = Field(serialization_alias="speed_mbps")
    down: Direction
    up: Direction
    trials: TrialsPart | None
    saturation: Saturation
    days: tuple[LineDayPart, ...]


class SchoolBandwidth(SchoolPart):
    """A school's line and targets; `line` is None without one in the inventory."""

    students: int
    line: Line | None
    targets: tuple[BandwidthVerdict, ...]


class BandwidthReport(Report):
    """What `campuswatch report bandwidth` writes as JSON."""

    kind: Literal["bandwidth"] = "bandwidth"
    schools: tuple[SchoolBandwidth, ...]


def build(task: Task, batches: Iterator[list[School]]) -> BandwidthReport:
    """Build the report; arguments and errors as of the uptime report's."""
    schools: list[SchoolBandwidth] = []
    for batch in batches:
        past = task.past(batch)
        days = line_days(past)
        for school, older in _older(task, batch, past.reach[0]).items():
            days[school] = older + days[school]
        first = past.reach[0]
        trials = read_trials(task.store, batch, *past.reach) if first < past.reach[1] else {}
        for school_ in batch:
            promise = past.promises[school_.id]
            schools.append(
                _school(
                    task, promise, Known(school_, days[school_.id], first, trials.get(school_.id))
                )
            )
    return BandwidthReport.model_validate({**task.heading(), "schools": tuple(schools)})


def _older(task: Task, schools: Sequence[School], start: int) -> dict[str, list[LineDay]]:
    """Return the daily results before the period, for the trend."""
    found = defaultdict[str, list[LineDay]](list)
    ids = [school.id for school in schools]
    for school, day in read_days(task.store, ids, start - _LOOK_BACK * DAY, start):
        found[school].append(day)
    return dict(found)


def speed_of(days: Sequence[LineDay]) -> int | None:
    """Return the speed of the port as last read, bit/s."""
    return next((day.speed for day in reversed(days) if day.speed is not None), None)


@dataclass(frozen=True)
class Known:
    """What is known of a school's line.

    Attributes:
        school: whose.
        days: its days in order, those before the period included.
        first: the period's first instant, ns UTC.
        trials: what probes gave.
    """

    school: School
    days: Sequence[LineDay]
    first: int
    trials: Trials | None


def _school(task: Task, promise: Promise, known: Known) -> SchoolBandwidth:
    school = known.school
    speed = speed_of(known.days)
    targets = [
        bandwidth_target.judge(target, school, speed)
        for target in applying(task.inventory, school)
        if isinstance(target, BandwidthTarget)
    ]
    line = None
    if school.internet is not None:
        line = _line(known, school.internet, promise)
    return SchoolBandwidth(
        id=school.id,
        name=school.name,
        area=school.area,
        students=school.students,
        line=line,
        targets=tuple(targets),
    )


def _line(line: Known, internet: Internet, promise: Promise) -> Line:
    school, days, first = line.school, line.days, line.first
    speed = speed_of(days)
    recent = [day for day in days if day.start >= first]
    most_down, most_up = capacity(internet, speed)
    due, known, saturated = (
        sum(getattr(day, part) for day in recent) for part in ("due", "known", "saturated")
    )
    taught = [day for day in days if day.due]
    dated = [(promise.calendar.day(day.start), day) for day in taught]
    return Line(
        device=internet.device,
        interface=internet.interface,
        speed=None if speed is None else speed / _MEGABIT,
        down=_direction(
            internet.down,
            most_down,
            school.students,
            [(date, day.down, day.start >= first) for date, day in dated if day.down is not None],
        ),
        up=_direction(
            internet.up,
            most_up,
            school.students,
            [(date, day.up, day.start >= first) for date, day in dated if day.up is not None],
        ),
        trials=None if line.trials is None else _trials(line.trials),
        saturation=Saturation(
            due=due,
            known=known,
            saturated=saturated,
            share=Share.of(saturated, known - saturated, due - known),
        ),
        days=tuple(
            LineDayPart(
                date=promise.calendar.day(day.start),
                down=_mbps(day.down),
                up=_mbps(day.up),
                saturated=day.saturated,
            )
            for day in recent
            if day.down is not None or day.up is not None
        ),
    )


def _trials(trials: Trials) -> TrialsPart:
    return TrialsPart(
        count=trials.count,
        down=_mbps(trials.down),
        up=_mbps(trials.up),
        idle_rtt=trials.idle_rtt,
        loaded_rtt=trials.loaded_rtt,
    )


def _direction(
    ordered: int, most: int, students: int, busy: Sequence[tuple[dt.date, float, bool]]
) -> Direction:
    """Return what is known of a direction.

    Args:
        ordered: Mbit/s.
        most: what it can carry, bit/s.
        students: how many.
        busy: for each school day its busiest hour, bit/s, and whether it is in the period.
    """
    levels = [level for _, level, within in busy if within]
    limit = most * SATURATED / 100
    return Direction(
        provisioned=ordered,
        capacity=most / _MEGABIT,
        per_student=most / _MEGABIT / students if students else None,
        busy=_mbps(median(levels)) if levels else None,
        busiest=_mbps(max(levels)) if levels else None,
        forecast=_forecast(forecast([(day, level) for day, level, _ in busy], limit)),
    )


def _forecast(found: Forecast) -> ForecastPart:
    month, earliest, latest = (
        None if day is None else f"{day:%Y-%m}" for day in (found.day, found.earliest, found.latest)
    )
    return ForecastPart(outlook=found.outlook, month=month, earliest=earliest, latest=latest)


def _mbps(rate: float | None) -> float | None:
    return None if rate is None else rate / _MEGABIT
