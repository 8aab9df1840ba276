"""The uptime report for people."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from targets.reports.document import Bars, Cell, Column, Document, Format, Lines, Section, Table
from targets.reports.language import Words
from targets.reports.model import Report
from targets.reports.tones import TONES
from targets.reports.uptime import LessonPart, SchoolUptime, TargetPart, UptimeReport
from targets.verdicts import utc

_HOUR = 3600e9
_MOST_BARS = 15


def subtitle(report: Report, words: Words) -> str:
    """Return of which district and period a report is."""
    period = words("period", first=report.first, last=report.last)
    until = words("until", time=f"{utc(report.until):%Y-%m-%d %H:%M}")
    return f"{words.own(report.district)} · {period} · {until}"


def document(report: UptimeReport, words: Words) -> Document:
    """Return the report in one language."""
    return Document(
        words("uptime"),
        subtitle(report, words),
        [words("lessons_note")],
        [_targets(report.schools, words), _lessons(report, words)],
        list(_worst(report.schools, words)),
        [_section(school, words) for school in report.schools],
    )


def _targets(schools: Sequence[SchoolUptime], words: Words) -> Table:
    chosen = [(school, target) for school in schools for target in school.targets]
    return Table(
        words("uptime_by_school"),
        [
            Column(words("school")),
            Column(words("area")),
            Column(words("target")),
            Column(words("hours")),
            Column(words("objective"), Format.PERCENT),
            Column(words("attained"), Format.PERCENT),
            Column(words("lowest"), Format.PERCENT),
            Column(words("highest"), Format.PERCENT),
            Column(words("verdict"), Format.VERDICT),
        ],
        [
            (
                words.own(school.name),
                words.name(school.area),
                target.id,
                words.name(target.hours),
                target.objective,
                target.share.attained,
                target.share.low,
                target.share.high,
                words.name(target.verdict),
            )
            for school, target in chosen
        ],
        [TONES[target.verdict] for _, target in chosen],
    )


def _lesson_cells(lessons: LessonPart) -> tuple[Cell, ...]:
    return (
        lessons.due / _HOUR,
        lessons.lost / _HOUR,
        lessons.unknown / _HOUR,
        100 * lessons.lost / lessons.due if lessons.due else None,
    )


def _lesson_columns(words: Words) -> list[Column]:
    return [
        Column(f"{words('due')}, h", Format.NUMBER),
        Column(f"{words('lost')}, h", Format.NUMBER),
        Column(f"{words('unknown')}, h", Format.NUMBER),
        Column(words("lost_share"), Format.PERCENT),
    ]


def _lessons(report: UptimeReport, words: Words) -> Table:
    rows = [
        (words.own(school.name), words.name(school.area), *_lesson_cells(school.lessons))
        for school in report.schools
    ]
    if len(rows) > 1:
        rows.append((words("district"), "", *_lesson_cells(report.lessons)))
    columns = [Column(words("school")), Column(words("area")), *_lesson_columns(words)]
    return Table(words("lessons_by_school"), columns, rows)


def _worst(schools: Sequence[SchoolUptime], words: Words) -> Iterator[Bars]:
    shares = [
        (words.own(school.name), 100 * school.lessons.lost / school.lessons.due)
        for school in schools
        if school.lessons.due and school.lessons.lost
    ]
    if len(shares) > 1:
        worst = sorted(shares, key=lambda pair: -pair[1])[:_MOST_BARS]
        yield Bars(words("worst_schools"), "%", worst)


def _section(school: SchoolUptime, words: Words) -> Section:
    tables = [_targets([school], words)]
    tables += [_devices(target, words) for target in school.targets]
    if school.lessons.rooms:
        tables.append(_rooms(school, words))
    charts = [_by_day(target, words) for target in school.targets if len(target.days) > 1]
    return Section(words.own(school.name), tables, charts)


def _devices(target: TargetPart, words: Words) -> Table:
    return Table(
        words("uptime_by_device", target=target.id),
        [
            Column(words("device")),
            Column(words("kind")),
            Column(words("attained"), Format.PERCENT),
            Column(words("lowest"), Format.PERCENT),
            Column(words("highest"), Format.PERCENT),
            Column(f"{words('down')}, h", Format.NUMBER),
            Column(f"{words('unknown')}, h", Format.NUMBER),
        ],
        [
            (
                words.own(device.name),
                words.name(device.kind),
                device.share.attained,
                device.share.low,
                device.share.high,
                device.time.down / _HOUR,
                device.time.unknown / _HOUR,
            )
            for device in target.devices
        ],
    )


def _rooms(school: SchoolUptime, words: Words) -> Table:
    return Table(
        words("lessons_by_room"),
        [Column(words("room")), Column(words("seats"), Format.COUNT), *_lesson_columns(words)],
        [
            (
                words.own(room.name),
                room.seats,
                room.due / _HOUR,
                room.lost / _HOUR,
                room.unknown / _HOUR,
                100 * room.lost / room.due if room.due else None,
            )
            for room in school.lessons.rooms
        ],
    )


def _by_day(target: TargetPart, words: Words) -> Lines:
    return Lines(
        words("uptime_by_day", target=target.id),
        "%",
        [f"{day.date:%m-%d}" for day in target.days],
        [(words("attained"), [day.share.attained for day in target.days])],
        target.objective,
    )
