"""The equity report for people."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from campuswatch.inventory.models import Area
from targets.reports.document import Cell, Column, Document, Format, Lines, Section, Table
from targets.reports.equity import EquityReport, Measure, MeasurePart, Scorecard
from targets.reports.language import Words
from targets.reports.tones import TONES
from targets.reports.uptime_document import subtitle


def document(report: EquityReport, words: Words) -> Document:
    """Return the report in one language."""
    known = [part for part in report.measures if any(area.schools for area in part.areas)]
    note = words("equity_note", first=report.first_before, last=report.last_before)
    return Document(
        words("equity"),
        subtitle(report, words),
        [note],
        [_ranking(report.schools, words), _gaps(known, words), _inequality(known, words)],
        list(_over_time(known, words)),
        [_section(card, words) for card in report.schools],
    )


def _ranking(cards: Sequence[Scorecard], words: Words) -> Table:
    return Table(
        words("ranking"),
        [
            Column(words("rank"), Format.COUNT),
            Column(words("change")),
            Column(words("school")),
            Column(words("area")),
            Column(words("score"), Format.NUMBER),
            Column(words("score_change"), Format.CHANGE),
            *(Column(words.name(measure), Format.NUMBER) for measure in Measure),
        ],
        [
            (
                card.rank,
                _moved(card, words),
                words.own(card.name),
                words.name(card.area),
                card.score,
                _difference(card),
                *(card.measures[measure] for measure in Measure),
            )
            for card in cards
        ],
    )


def _moved(card: Scorecard, words: Words) -> str | None:
    if card.rank is None:
        return None
    if card.rank_before is None:
        return words("new")
    up = card.rank_before - card.rank
    return "=" if not up else f"▲ {up}" if up > 0 else f"▼ {-up}"


def _difference(card: Scorecard) -> float | None:
    if card.score is None or card.score_before is None:
        return None
    return card.score - card.score_before


def _gaps(measures: Sequence[MeasurePart], words: Words) -> Table:
    return Table(
        words("gaps"),
        [
            Column(words("measure")),
            Column(words("area")),
            Column(words("schools"), Format.COUNT),
            Column(words("first_quartile"), Format.NUMBER),
            Column(words("median"), Format.NUMBER),
            Column(words("third_quartile"), Format.NUMBER),
        ],
        [
            (
                words.name(part.measure),
                words.name(area.area),
                area.schools,
                area.first_quartile,
                area.median,
                area.third_quartile,
            )
            for part in measures
            for area in part.areas
        ],
    )


def _inequality(measures: Sequence[MeasurePart], words: Words) -> Table:
    return Table(
        words("inequality"),
        [
            Column(words("measure")),
            Column(words("worst_to_best"), Format.INDEX),
            Column(words("theil"), Format.INDEX),
            Column(words("theil_between"), Format.INDEX),
        ],
        [_inequality_row(part, words) for part in measures],
    )


def _inequality_row(part: MeasurePart, words: Words) -> tuple[Cell, ...]:
    index = part.theil
    return (
        words.name(part.measure),
        part.worst_to_best,
        index.total if index else None,
        index.between if index else None,
    )


def _over_time(measures: Sequence[MeasurePart], words: Words) -> Iterator[Lines]:
    for part in measures:
        if len(part.over_time) < 2:
            continue
        lines = [
            (
                words.name(area),
                [moment.areas[at].median for moment in part.over_time],
            )
            for at, area in enumerate(Area)
        ]
        known = [line for line in lines if any(value is not None for value in line[1])]
        steps = [moment.part for moment in part.over_time]
        yield Lines(words("over_time", measure=words.name(part.measure)), "", steps, known)


def _section(card: Scorecard, words: Words) -> Section:
    table = Table(
        words("marks"),
        [
            Column(words("target")),
            Column(words("objective"), Format.PERCENT),
            Column(words("attained"), Format.PERCENT),
            Column(words("lowest"), Format.PERCENT),
            Column(words("highest"), Format.PERCENT),
            Column(words("verdict"), Format.VERDICT),
        ],
        [
            (
                mark.target,
                mark.objective,
                mark.share.attained,
                mark.share.low,
                mark.share.high,
                words.name(mark.verdict),
            )
            for mark in card.marks
        ],
        [TONES[mark.verdict] for mark in card.marks],
    )
    return Section(words.own(card.name), [_ranking([card], words), table])
