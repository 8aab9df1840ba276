"""The uptime report: what was promised of each school's devices, and what lessons lost."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping
from typing import Literal

import numpy as np
from pydantic import Field

from campuswatch.inventory.models import DeviceKind, Hours, School, UptimeTarget
from targets.check import applying
from targets.period import HOURS, PastDays, Times, device_times, lesson_times
from targets.reports.model import Part, Report, SchoolPart, Task
from targets.uptime_target import scope_of
from targets.verdicts import Duration, RoomLessons, SeatTime, Share, Verdict


class Time(Part):
    """The parts of time that was due, in device time."""

    up: Duration = Field(serialization_alias="up_seconds")
    down: Duration = Field(serialization_alias="down_seconds")
    unknown: Duration = Field(serialization_alias="unknown_seconds")


class DevicePart(Part):
    """A device within a target's scope."""

    id: str
    name: str
    kind: DeviceKind
    share: Share
    time: Time


class DayPart(Part):
    """A day of a target; its shares are None when nothing was due."""

    date: dt.date
    share: Share


class TargetPart(Part):
    """An uptime target over the report's period, whatever its own window is.

    Attributes:
        id: the target's id.
        objective: percent.
        hours: which time counts.
        share: what was attained.
        verdict: whether that meets the objective.
        time: the denominators.
        days: each day on which something was due.
        devices: each device, the worst first.
    """

    id: str
    objective: float
    hours: Hours
    share: Share
    verdict: Verdict
    time: Time
    days: tuple[DayPart, ...]
    devices: tuple[DevicePart, ...]


class LessonPart(Part):
    """The lesson time that a school, or the district, lost: seats times time."""

    due: SeatTime = Field(serialization_alias="due_seat_minutes")
    lost: SeatTime = Field(serialization_alias="lost_seat_minutes")
    unknown: SeatTime = Field(serialization_alias="unknown_seat_minutes")
    share: Share
    rooms: tuple[RoomLessons, ...] = ()


class SchoolUptime(SchoolPart):
    """A school's uptime targets, and what its lessons lost."""

    targets: tuple[TargetPart, ...]
    lessons: LessonPart


class UptimeReport(Report):
    """What `campuswatch report uptime` writes as JSON."""

    kind: Literal["uptime"] = "uptime"
    lessons: LessonPart
    schools: tuple[SchoolUptime, ...]


def build(task: Task, batches: Iterator[list[School]]) -> UptimeReport:
    """Build the report.

    Args:
        task: what of.
        batches: its schools.

    Raises:
        StoreUnavailableError: the store can't be reached.
    """
    schools: list[SchoolUptime] = []
    for batch in batches:
        past = task.past(batch)
        times, lessons = device_times(past), lesson_times(past)
        schools += [
            _school(task, school, past, times[school.id], lessons[school.id]) for school in batch
        ]
    total = np.array([_seat_times(school.lessons) for school in schools], np.int64).sum(axis=0)
    return UptimeReport.model_validate(
        {**task.heading(), "lessons": lesson_part(total), "schools": tuple(schools)}
    )


def _seat_times(lessons: LessonPart) -> tuple[int, int, int]:
    return lessons.due, lessons.lost, lessons.unknown


def _school(
    task: Task,
    school: School,
    past: PastDays,
    times: Mapping[str, Times],
    lessons: Mapping[str, Times],
) -> SchoolUptime:
    dates = past.period.days()
    targets = [
        _target(target, school, dates, times)
        for target in applying(task.inventory, school)
        if isinstance(target, UptimeTarget) and scope_of(target, school)
    ]
    part = lesson_part(lessons_by_day(lessons, len(dates)).sum(axis=0))
    return SchoolUptime(
        id=school.id,
        name=school.name,
        area=school.area,
        targets=tuple(targets),
        lessons=part.model_copy(update={"rooms": tuple(_rooms(school, lessons))}),
    )


def lessons_by_day(lessons: Mapping[str, Times], days: int) -> Times:
    """Return what the lessons in all rooms had, lost and left unknown, day by day."""
    total = np.zeros((days, 3), np.int64)
    for room in lessons.values():
        total += room
    return total


def lesson_part(times: Times) -> LessonPart:
    """Return what lessons lost, from due, lost and unknown time."""
    due, lost, unknown = (int(time) for time in times)
    share = Share.of(due - lost - unknown, lost, unknown)
    return LessonPart(due=due, lost=lost, unknown=unknown, share=share)


def _rooms(school: School, lessons: Mapping[str, Times]) -> list[RoomLessons]:
    rooms = [
        RoomLessons(id=room.id, name=room.name, seats=room.seats, due=due, lost=lost, unknown=dark)
        for room in school.rooms()
        if room.id in lessons
        for due, lost, dark in [lessons[room.id].sum(axis=0).tolist()]
    ]
    return sorted(rooms, key=lambda room: (-room.lost, -room.unknown))


def _target(
    target: UptimeTarget, school: School, dates: list[dt.date], times: Mapping[str, Times]
) -> TargetPart:
    scope = scope_of(target, school)
    column = HOURS.index(target.hours)
    by_day = pooled(target, school, times)
    total = by_day.sum(axis=0)
    share = share_of(total)
    devices = [
        DevicePart(
            id=device.id,
            name=device.name,
            kind=device.kind,
            share=share_of(own),
            time=_time(own),
        )
        for device in scope
        for own in [times[device.id][:, column].sum(axis=0)]
    ]
    return TargetPart(
        id=target.id,
        objective=target.objective,
        hours=target.hours,
        share=share,
        verdict=share.judge(target.objective),
        time=_time(total),
        days=tuple(
            DayPart(date=date, share=share_of(day))
            for date, day in zip(dates, by_day, strict=True)
            if day.any()
        ),
        devices=tuple(sorted(devices, key=lambda part: (-part.time.down, -part.time.unknown))),
    )


def pooled(target: UptimeTarget, school: School, times: Mapping[str, Times]) -> Times:
    """Return the time of all devices in a target's scope, day by day: up, down and unknown."""
    column = HOURS.index(target.hours)
    total: Times = np.array(
        [times[device.id][:, column] for device in scope_of(target, school)], np.int64
    ).sum(axis=0)
    return total


def share_of(time: Times) -> Share:
    """Return the share of up time, from up, down and unknown time."""
    up, down, unknown = (int(part) for part in time)
    return Share.of(up, down, unknown)


def _time(time: Times) -> Time:
    up, down, unknown = (int(part) for part in time)
    return Time(up=up, down=down, unknown=unknown)
