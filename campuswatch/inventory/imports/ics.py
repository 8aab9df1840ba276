"""Terms, exams and free days from iCalendar files (RFC 5545)."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Final
from zoneinfo import ZoneInfo

import icalendar

from campuswatch.inventory.documents import read_text
from campuswatch.inventory.problems import InventoryError, Problem


class EventKind(StrEnum):
    """What an event means for a school's calendar."""

    TERM = "term"
    EXAM = "exam"
    EXTRA = "extra day"
    CLOSED = "closed day"


_WORDS: Final = {
    EventKind.EXTRA: r"make-?up|taught|调休|补课|补班|上课",
    EventKind.EXAM: r"exam(ination)?s?|finals?|midterms?|考试|联考|期中|期末|会考|中考|高考",
    EventKind.CLOSED: r"holidays?|vacation|break|closed|放假|假期|停课|休息",
    EventKind.TERM: r"terms?|semesters?|trimesters?|学期",
}
"""Words that say it, the more particular kinds first: 期末考试 names no term."""


@dataclass(frozen=True)
class SchoolEvent:
    """An event that a school's calendar has a place for.

    Attributes:
        kind: what it means.
        name: its summary.
        start: its first day.
        end: its last day.
        hours: the clock times between which it takes place; None for whole days.
        line: of its file.
    """

    kind: EventKind
    name: str
    start: dt.date
    end: dt.date
    hours: tuple[dt.time, dt.time] | None
    line: int


@dataclass
class IcsHarvest:
    """What was read from a file.

    Attributes:
        events: those to import.
        skipped: those left out, and why.
    """

    events: list[SchoolEvent] = field(default_factory=list)
    skipped: list[Problem] = field(default_factory=list)


def read_ics(path: Path, zone: ZoneInfo) -> IcsHarvest:
    """Read the events of an iCalendar file that concern a school's calendar.

    An event's categories say what it is or, where they don't, its summary.

    Args:
        path: the file.
        zone: of the schools, for events that have a time of day.

    Raises:
        InventoryError: the file can't be read, or is no iCalendar file.
    """
    text = read_text(path)
    try:
        components = icalendar.Calendar.from_ical(text, multiple=True)
    except (ValueError, IndexError, KeyError) as error:
        problem = f"no valid iCalendar ({error}); expected a file that begins BEGIN:VCALENDAR"
        raise InventoryError([Problem(path, 1, problem)]) from None
    harvest = IcsHarvest()
    if not any(component.name == "VCALENDAR" for component in components):
        problem = "no iCalendar; expected a file that begins BEGIN:VCALENDAR"
        raise InventoryError([Problem(path, 1, problem)])
    walked = (event for component in components for event in component.walk("VEVENT"))
    found = (event for event in walked if isinstance(event, icalendar.Event))
    for event, line in zip(found, _event_lines(text), strict=False):
        try:
            harvest.events.append(_school_event(event, zone, line))
        except ValueError as reason:
            name = str(event.get("SUMMARY", "an event without a name"))
            harvest.skipped.append(Problem(path, line, f"{name}: {reason}"))
    return harvest


def _event_lines(text: str) -> Iterator[int]:
    for number, line in enumerate(text.splitlines(), 1):
        if line.strip().upper() == "BEGIN:VEVENT":
            yield number


def _school_event(event: icalendar.Event, zone: ZoneInfo, line: int) -> SchoolEvent:
    """Return what an event means.

    Raises:
        ValueError: nothing for a school's calendar; the message says why.
    """
    name = " ".join(str(event.get("SUMMARY", "")).split())
    kind = _kind(" ".join(map(str, event.categories))) or _kind(name)
    if kind is None:
        raise ValueError("it says neither term, exam, make-up day nor holiday")
    if event.get("RRULE") or event.get("RDATE"):
        raise ValueError("it recurs; expected one event for each time")
    if str(event.get("STATUS", "")).upper() == "CANCELLED":
        raise ValueError("it is cancelled")
    start, end = event.start, event.end  # the end is not part of it
    if not (isinstance(start, dt.datetime) and isinstance(end, dt.datetime)):
        last = max(start, end - dt.timedelta(1))
        return SchoolEvent(kind, name or kind.value, start, last, None, line)
    start, end = _clock(start, zone), _clock(end, zone)
    hours = (start.time(), end.time()) if start.date() == end.date() and start < end else None
    return SchoolEvent(kind, name or kind.value, start.date(), end.date(), hours, line)


def _kind(text: str) -> EventKind | None:
    for kind, words in _WORDS.items():
        if re.search(rf"(?<![a-z])({words})(?![a-z])", text.casefold()):
            return kind
    return None


def _clock(moment: dt.datetime, zone: ZoneInfo) -> dt.datetime:
    """Return what a school's clocks show; a time without a zone is taken for theirs."""
    local = moment if moment.tzinfo is None else moment.astimezone(zone)
    return local.replace(tzinfo=None)
