"""The devices report for people."""

from __future__ import annotations

from collections.abc import Sequence

from targets.reports.devices import Air, DevicesReport, RoomPart, SchoolDevices
from targets.reports.document import Bars, Cell, Column, Document, Format, Section, Table
from targets.reports.language import Words
from targets.reports.model import percent
from targets.reports.uptime_document import subtitle

_MOST_BARS = 15


def document(report: DevicesReport, words: Words) -> Document:
    """Return the report in one language."""
    failing = [
        (words.own(school.name), 100 - share)
        for school in report.schools
        if (share := school.multimedia.share.attained) is not None and share < 100
    ]
    bars = sorted(failing, key=lambda pair: -pair[1])[:_MOST_BARS]
    return Document(
        words("devices"),
        subtitle(report, words),
        [words("devices_note")],
        [_schools(report.schools, words)],
        [Bars(words("not_ready"), "%", bars)] if len(bars) > 1 else [],
        [_section(school, words) for school in report.schools],
    )


def _air_columns(words: Words) -> list[Column]:
    return [
        Column(words("co2_in_range"), Format.PERCENT),
        Column(words("co2_1000"), Format.PERCENT),
        Column(words("co2_1500"), Format.PERCENT),
    ]


def _air_cells(air: Air) -> tuple[Cell, ...]:
    return air.in_range, percent(air.over_1000, air.known), percent(air.over_1500, air.known)


def _schools(schools: Sequence[SchoolDevices], words: Words) -> Table:
    return Table(
        words("classrooms_by_school"),
        [
            Column(words("school")),
            Column(words("area")),
            Column(words("classrooms"), Format.COUNT),
            Column(words("equipped"), Format.COUNT),
            Column(words("ready"), Format.PERCENT),
            Column(words("lowest"), Format.PERCENT),
            Column(words("highest"), Format.PERCENT),
            *_air_columns(words),
        ],
        [
            (
                words.own(school.name),
                words.name(school.area),
                school.classrooms,
                school.equipped,
                school.multimedia.share.attained,
                school.multimedia.share.low,
                school.multimedia.share.high,
                *_air_cells(school.air),
            )
            for school in schools
        ],
    )


def _section(school: SchoolDevices, words: Words) -> Section:
    table = Table(
        words("classrooms"),
        [
            Column(words("room")),
            Column(words("ready_days"), Format.COUNT),
            Column(words("failed_days"), Format.COUNT),
            Column(words("unknown_days"), Format.COUNT),
            Column(words("failed")),
            *_air_columns(words),
        ],
        [_room(room, words) for room in school.rooms],
    )
    return Section(words.own(school.name), [_schools([school], words), table])


def _room(room: RoomPart, words: Words) -> tuple[Cell, ...]:
    if not room.has_set:
        return words.own(room.name), None, None, None, words("no_set"), *_air_cells(room.air)
    failed = ", ".join(f"{words.own(device.name)} ({device.days})" for device in room.failed)
    days = room.multimedia
    return (
        words.own(room.name),
        days.ready,
        days.failed,
        days.unknown,
        failed,
        *_air_cells(room.air),
    )
