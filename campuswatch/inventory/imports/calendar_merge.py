"""What an import changes in a calendar, and writing it."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path

from campuswatch.inventory.crosschecks import errors
from campuswatch.inventory.documents import parse_document, read_text
from campuswatch.inventory.imports.edits import ListEditor
from campuswatch.inventory.imports.ics import EventKind, SchoolEvent
from campuswatch.inventory.imports.writing import replace_file
from campuswatch.inventory.loader import Draft
from campuswatch.inventory.models import Calendar, CalendarFile, Term
from campuswatch.inventory.phrasing import validate_document
from campuswatch.inventory.problems import InventoryError


@dataclass
class CalendarMerge:
    """What an import does to a calendar.

    Attributes:
        terms: new terms.
        moved: terms that are known by their name, and now begin or end on other days.
        exams: new exams.
        extra_days: new days taught although they are free.
        closed_days: new days without school.
        unchanged: events that the calendar has already.
    """

    terms: list[SchoolEvent] = field(default_factory=list)
    moved: list[tuple[Term, SchoolEvent]] = field(default_factory=list)
    exams: list[SchoolEvent] = field(default_factory=list)
    extra_days: list[tuple[dt.date, str]] = field(default_factory=list)
    closed_days: list[tuple[dt.date, str]] = field(default_factory=list)
    unchanged: list[SchoolEvent] = field(default_factory=list)


def merge_events(calendar: Calendar, events: Iterable[SchoolEvent]) -> CalendarMerge:
    """Return what importing events into a calendar does.

    A term is known again by its name, an exam by its name and first day, and
    any other event by its days.
    """
    merge = CalendarMerge()
    terms = {term.name: term for term in calendar.terms}
    exams = {(exam.name, exam.start) for exam in calendar.exams}
    for event in events:
        match event.kind:
            case EventKind.TERM if event.name not in terms:
                merge.terms.append(event)
            case EventKind.TERM:
                term = terms[event.name]
                if (term.start, term.end) == (event.start, event.end):
                    merge.unchanged.append(event)
                else:
                    merge.moved.append((term, event))
            case EventKind.EXAM if (event.name, event.start) not in exams:
                merge.exams.append(event)
            case EventKind.EXTRA | EventKind.CLOSED:
                _merge_days(merge, calendar, event)
            case _:
                merge.unchanged.append(event)
    return merge


def _merge_days(merge: CalendarMerge, calendar: Calendar, event: SchoolEvent) -> None:
    extra = event.kind is EventKind.EXTRA
    known = calendar.extra_days if extra else calendar.closed_days
    added = merge.extra_days if extra else merge.closed_days
    length = (event.end - event.start).days + 1
    days = [event.start + dt.timedelta(number) for number in range(length)]
    new = [day for day in days if day not in known and day not in dict(added)]
    added.extend((day, event.name) for day in new)
    if not new:
        merge.unchanged.append(event)


def write_calendar(
    merge: CalendarMerge, draft: Draft, calendar_id: str, calendar_file: Path, out: Path
) -> None:
    """Write calendar.yaml with what an import adds and changes; the rest stays as it is.

    Args:
        merge: what the import does.
        draft: the inventory, without errors.
        calendar_id: of the calendar.
        calendar_file: calendar.yaml as it is.
        out: where to write; may be `calendar_file`, which is replaced as a whole.

    Raises:
        InventoryError: the inventory would be wrong then, or `out` can't be written.
    """
    text = read_text(calendar_file)
    calendars = draft.parts.calendars or []
    index = [calendar.id for calendar in calendars].index(calendar_id)
    taken = {term.id for calendar in calendars for term in calendar.terms}
    terms = ListEditor(text, ["calendars", index, "terms"])
    for term, event in merge.moved:
        terms.set(term.id, "start", event.start)
        terms.set(term.id, "end", event.end)
    for event in merge.terms:
        identity = _term_id(event, taken)
        taken.add(identity)
        terms.add({"id": identity, "name": event.name, "start": event.start, "end": event.end}, "")
    text = terms.text()
    for key, days in (("extra_days", merge.extra_days), ("closed_days", merge.closed_days)):
        editor = ListEditor(text, ["calendars", index, key])
        for day, name in sorted(days):
            editor.add(day, name)
        text = editor.text()
    exams = ListEditor(text, ["calendars", index, "exams"])
    for event in merge.exams:
        exams.add(_exam(event), "")
    _check(draft, calendar_file, exams.text())
    replace_file(out, exams.text())


def _term_id(event: SchoolEvent, taken: set[str]) -> str:
    words = re.sub(r"[^a-z0-9]+", "-", event.name.casefold()).strip("-")
    dated = f"term-{event.start}"
    return words if words and words not in taken and len(words) <= 63 else dated


def _exam(event: SchoolEvent) -> dict[str, object]:
    exam: dict[str, object] = {"name": event.name, "start": event.start, "end": event.end}
    if event.hours is not None:
        begin, end = (f"{time:%H:%M}" for time in event.hours)
        exam["sessions"] = [{"name": event.name, "start": begin, "end": end}]
    return exam


def _check(draft: Draft, calendar_file: Path, text: str) -> None:
    """Check the inventory as it would become; lines are those of the new file."""
    document = parse_document(calendar_file, text)
    content = validate_document(document, CalendarFile)
    draft.places.add(document, content)
    parts = replace(draft.parts, calendars=content.calendars)
    if problems := list(errors(parts, draft.places)):
        raise InventoryError(problems)
