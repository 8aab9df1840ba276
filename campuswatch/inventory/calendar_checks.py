"""Whether a school's calendar agrees with itself."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence

import holidays

from campuswatch.inventory.models import Calendar, District
from campuswatch.inventory.parts import Parts
from campuswatch.inventory.places import Places
from campuswatch.inventory.problems import Problem
from campuswatch.inventory.wording import unknown


def errors(parts: Parts, places: Places) -> Iterator[Problem]:
    """Yield contradictions within calendars, and holidays nobody knows."""
    for calendar in parts.calendars or []:
        yield from _overlapping_terms(places, calendar)
        yield from _lessons_outside_service(places, calendar)
        yield from _overlapping_lessons(places, calendar)
        yield from _contradicting_days(places, calendar)
        yield from _closed_exams(places, calendar)
    if parts.district is not None and any(c.public_holidays for c in parts.calendars or []):
        yield from _unknown_holidays(places, parts.district)


def warnings(parts: Parts, places: Places) -> Iterator[Problem]:
    """Yield days that have no effect."""
    for calendar in parts.calendars or []:
        yield from _days_outside_terms(places, calendar)


def _overlapping_terms(places: Places, calendar: Calendar) -> Iterator[Problem]:
    terms = sorted(calendar.terms, key=lambda term: term.start)
    for before, after in itertools.pairwise(terms):
        if after.start <= before.end:
            text = (
                f"term {after.id!r} starts on {after.start}, and term {before.id!r} "
                f"ends on {before.end}; expected terms that don't overlap"
            )
            yield places.problem(after, ["start"], text)


def _lessons_outside_service(places: Places, calendar: Calendar) -> Iterator[Problem]:
    hours = calendar.service_hours
    for lesson in calendar.lessons:
        if lesson.start < hours.start or lesson.end > hours.end:
            text = (
                f"lesson {lesson.name!r}, {lesson.start:%H:%M} to {lesson.end:%H:%M}, is outside "
                f"the service hours; expected it between {hours.start:%H:%M} and {hours.end:%H:%M}"
            )
            yield places.problem(lesson, ["start"], text)


def _overlapping_lessons(places: Places, calendar: Calendar) -> Iterator[Problem]:
    lessons = sorted(calendar.lessons, key=lambda lesson: lesson.start)
    for before, after in itertools.pairwise(lessons):
        if after.start < before.end:
            text = (
                f"lesson {after.name!r} starts at {after.start:%H:%M}, and lesson "
                f"{before.name!r} ends at {before.end:%H:%M}; expected lessons that don't overlap"
            )
            yield places.problem(after, ["start"], text)


def _contradicting_days(places: Places, calendar: Calendar) -> Iterator[Problem]:
    for index, day in enumerate(calendar.extra_days):
        if day in calendar.closed_days:
            text = f"{day} is in extra_days and in closed_days; expected it in one of them"
            yield places.problem(calendar, ["extra_days", index], text)


def _closed_exams(places: Places, calendar: Calendar) -> Iterator[Problem]:
    for exam in calendar.exams:
        for day in calendar.closed_days:
            if exam.start <= day <= exam.end:
                text = (
                    f"exam {exam.name!r} lasts from {exam.start} to {exam.end}, and {day} is "
                    "closed; expected an exam on open days, or the day not in closed_days"
                )
                yield places.problem(exam, ["start"], text)


def _unknown_holidays(places: Places, district: District) -> Iterator[Problem]:
    countries = holidays.list_supported_countries(include_aliases=False)
    subdivisions: Sequence[str] | None = countries.get(district.country)
    if subdivisions is None:
        text = (
            f"no public holidays are known for country {district.country!r}; expected another "
            "code, or public_holidays: false in every calendar"
        )
        yield places.problem(district, ["country"], text)
    elif district.subdivision is not None and district.subdivision not in subdivisions:
        text = unknown(
            "subdivision", district.subdivision, subdivisions, f"country {district.country!r}"
        )
        yield places.problem(district, ["subdivision"], text)


def _days_outside_terms(places: Places, calendar: Calendar) -> Iterator[Problem]:
    if not calendar.terms:
        return
    for key in ("extra_days", "closed_days"):
        for index, day in enumerate(getattr(calendar, key)):
            if not any(term.start <= day <= term.end for term in calendar.terms):
                text = f"{day} is in no term, so it changes nothing; expected a day of a term"
                yield places.problem(calendar, [key, index], text)
