"""The bandwidth report for people."""

from __future__ import annotations

from collections.abc import Sequence

from targets.forecast import Outlook
from targets.reports.bandwidth import (
    BandwidthReport,
    Direction,
    ForecastPart,
    Line,
    SchoolBandwidth,
    TrialsPart,
)
from targets.reports.document import Bars, Cell, Column, Document, Format, Lines, Section, Table
from targets.reports.language import Words
from targets.reports.tones import TONES
from targets.reports.uptime_document import subtitle
from targets.verdicts import worst

_MOST_BARS = 15


def document(report: BandwidthReport, words: Words) -> Document:
    """Return the report in one language."""
    shares = [
        (words.own(school.name), school.line.saturation.share.attained)
        for school in report.schools
        if school.line is not None and school.line.saturation.share.attained
    ]
    busiest = sorted(
        ((name, share) for name, share in shares if share is not None), key=lambda pair: -pair[1]
    )
    charts = [Bars(words("saturated"), "%", busiest[:_MOST_BARS])] if len(busiest) > 1 else []
    return Document(
        words("bandwidth"),
        subtitle(report, words),
        [words("line_note")],
        [_lines(report.schools, words)],
        charts,
        [_section(school, words) for school in report.schools],
    )


def _lines(schools: Sequence[SchoolBandwidth], words: Words) -> Table:
    verdicts = [worst([target.verdict for target in school.targets]) for school in schools]
    return Table(
        words("line"),
        [
            Column(words("school")),
            Column(words("area")),
            Column(words("students"), Format.COUNT),
            Column(words("capacity"), Format.NUMBER),
            Column(words("per_student"), Format.NUMBER),
            Column(words("promised"), Format.NUMBER),
            Column(words("busy"), Format.NUMBER),
            Column(words("saturated"), Format.PERCENT),
            Column(words("full")),
            Column(words("verdict"), Format.VERDICT),
        ],
        [
            (
                words.own(school.name),
                words.name(school.area),
                school.students,
                *_line_cells(school, words),
                words.name(verdict) if school.targets else None,
            )
            for school, verdict in zip(schools, verdicts, strict=True)
        ],
        [TONES[verdict] for verdict in verdicts],
    )


def _line_cells(school: SchoolBandwidth, words: Words) -> tuple[Cell, ...]:
    promised = max((target.promised_down for target in school.targets), default=None)
    if school.line is None:
        return None, None, promised, None, None, words("no_line")
    down = school.line.down
    return (
        down.capacity,
        down.per_student,
        promised,
        down.busy,
        school.line.saturation.share.attained,
        _full(down.forecast, words),
    )


def _full(forecast: ForecastPart, words: Words) -> str:
    if forecast.outlook is not Outlook.DATED:
        return words.name(forecast.outlook)
    return words(
        "full_between",
        month=forecast.month,
        earliest=forecast.earliest,
        latest=forecast.latest,
    )


def _section(school: SchoolBandwidth, words: Words) -> Section:
    if school.line is None:
        return Section(words.own(school.name), [_lines([school], words)])
    tables = [_directions(school.line, words)]
    if school.line.trials is not None:
        tables.append(_trials(school.line.trials, words))
    tables.append(_days(school.line, words))
    charts = [_traffic(school.line, words)] if len(school.line.days) > 1 else []
    return Section(words.own(school.name), tables, charts)


def _directions(line: Line, words: Words) -> Table:
    def row(name: str, direction: Direction) -> tuple[Cell, ...]:
        return (
            words(name),
            direction.provisioned,
            line.speed,
            direction.capacity,
            direction.per_student,
            direction.busy,
            direction.busiest,
            _full(direction.forecast, words),
        )

    return Table(
        f"{line.device} {line.interface or ''}".strip(),
        [
            Column(words("direction")),
            Column(words("provisioned"), Format.NUMBER),
            Column(words("port"), Format.NUMBER),
            Column(words("capacity"), Format.NUMBER),
            Column(words("per_student"), Format.NUMBER),
            Column(words("busy_median"), Format.NUMBER),
            Column(words("busy_most"), Format.NUMBER),
            Column(words("full")),
        ],
        [row("download", line.down), row("upload", line.up)],
    )


def _trials(trials: TrialsPart, words: Words) -> Table:
    def milliseconds(seconds: float | None) -> float | None:
        return None if seconds is None else 1000 * seconds

    return Table(
        words("trials"),
        [
            Column(words("trials_count"), Format.COUNT),
            Column(words("download"), Format.NUMBER),
            Column(words("upload"), Format.NUMBER),
            Column(f"{words('idle_rtt')}, ms", Format.NUMBER),
            Column(f"{words('loaded_rtt')}, ms", Format.NUMBER),
        ],
        [
            (
                trials.count,
                trials.down,
                trials.up,
                milliseconds(trials.idle_rtt),
                milliseconds(trials.loaded_rtt),
            )
        ],
    )


def _days(line: Line, words: Words) -> Table:
    return Table(
        words("traffic_by_day"),
        [
            Column(words("date")),
            Column(words("download"), Format.NUMBER),
            Column(words("upload"), Format.NUMBER),
            Column(f"{words('saturated_time')}, min", Format.NUMBER),
        ],
        [(day.date.isoformat(), day.down, day.up, day.saturated / 60e9) for day in line.days],
    )


def _traffic(line: Line, words: Words) -> Lines:
    return Lines(
        words("traffic_by_day"),
        "Mbit/s",
        [f"{day.date:%m-%d}" for day in line.days],
        [
            (words("download"), [day.down for day in line.days]),
            (words("upload"), [day.up for day in line.days]),
        ],
        line.down.capacity,
    )
