"""Interval sets against sets of integers, and calendars against the clock on the wall."""

from __future__ import annotations

import datetime as dt
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from campuswatch.calendar import SECOND, SchoolCalendar
from campuswatch.intervals import NOTHING, IntervalSet, Span
from campuswatch.inventory.models import Calendar, MaintenanceWindow, Period, Term
from campuswatch.maintenance import open_times

MINUTE = 60 * SECOND
HOUR = 60 * MINUTE

spans = st.lists(st.tuples(st.integers(-20, 60), st.integers(-20, 60)), max_size=8)


def instants(pairs: list[Span]) -> set[int]:
    return {instant for start, end in pairs for instant in range(start, end)}


def members(interval_set: IntervalSet) -> set[int]:
    return instants(list(interval_set))


@given(spans)
def test_of_keeps_every_instant_in_canonical_form(pairs: list[Span]) -> None:
    built = IntervalSet.of(pairs)
    assert members(built) == instants(pairs)
    assert built.total == len(instants(pairs))
    assert bool(built) == bool(instants(pairs))
    edges = [edge for span in built for edge in span]
    assert edges == sorted(set(edges)), "spans must be ascending, apart and not empty"


@given(spans, spans)
def test_algebra_agrees_with_sets_of_integers(left: list[Span], right: list[Span]) -> None:
    a, b = IntervalSet.of(left), IntervalSet.of(right)
    for result, expected in (
        (a | b, instants(left) | instants(right)),
        (a & b, instants(left) & instants(right)),
        (a - b, instants(left) - instants(right)),
    ):
        assert members(result) == expected
        assert result == IntervalSet.of(result.spans), "results must be canonical"


@given(spans, st.integers(0, 5), st.integers(0, 5))
def test_grow_reaches_out_of_every_span(pairs: list[Span], before: int, after: int) -> None:
    grown = IntervalSet.of(pairs).grow(before, after)
    expected = {
        other
        for instant in instants(pairs)
        for other in range(instant - before, instant + after + 1)
    }
    assert members(grown) == expected


def ns(text: str) -> int:
    return round(dt.datetime.fromisoformat(text).timestamp()) * SECOND


def period(start: str, end: str, name: str = "x") -> Period:
    return Period(name=name, start=dt.time.fromisoformat(start), end=dt.time.fromisoformat(end))


def day(text: str) -> dt.date:
    return dt.date.fromisoformat(text)


BERLIN = ZoneInfo("Europe/Berlin")
SHANGHAI = ZoneInfo("Asia/Shanghai")
EVERY_DAY = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]


def open_daily(zone: ZoneInfo, start: str, end: str) -> SchoolCalendar:
    calendar = Calendar.model_validate(
        {
            "id": "daily",
            "weekdays": EVERY_DAY,
            "public_holidays": False,
            "service_hours": period(start, end).model_dump(),
        }
    )
    return SchoolCalendar(calendar, zone, "DE")


@pytest.mark.parametrize(
    ("start", "end", "spring", "autumn"),
    [
        ("01:00", "04:00", 120, 240),
        ("02:00", "03:00", 0, 120),
        ("02:30", "04:00", 60, 120),
        ("01:30", "02:30", 30, 90),
        ("07:00", "18:00", 660, 660),
    ],
)
def test_days_on_which_the_clocks_change_have_exact_minutes(
    start: str, end: str, spring: int, autumn: int
) -> None:
    calendar = open_daily(BERLIN, start, end)
    for date, minutes in (("2026-03-29", spring), ("2026-10-25", autumn)):
        midnight = dt.datetime.combine(day(date), dt.time(), BERLIN)
        tomorrow = dt.datetime.combine(day(date) + dt.timedelta(1), dt.time(), BERLIN)
        bounds = (round(at.timestamp()) * SECOND for at in (midnight, tomorrow))
        assert calendar.service(*bounds).total == minutes * MINUTE


@given(
    zone=st.sampled_from(
        [
            "Europe/Berlin",
            "Asia/Shanghai",
            "America/Sao_Paulo",
            "Australia/Lord_Howe",
            "Asia/Kathmandu",
            "Pacific/Apia",
            "Africa/Casablanca",
        ]
    ).map(ZoneInfo),
    start=st.integers(ns("2009-01-01T00:00Z") // MINUTE, ns("2027-01-01T00:00Z") // MINUTE),
    minutes=st.integers(1, 4 * 1440),
    hours=st.lists(
        st.times(max_value=dt.time(23, 59)).map(lambda t: t.replace(second=0, microsecond=0)),
        min_size=2,
        max_size=2,
        unique=True,
    ).map(sorted),
)
def test_service_is_what_the_clock_on_the_wall_says(
    zone: ZoneInfo, start: int, minutes: int, hours: list[dt.time]
) -> None:
    calendar = open_daily(zone, hours[0].isoformat(), hours[1].isoformat())
    first = start * MINUTE
    service = calendar.service(first, first + minutes * MINUTE)
    clocks = [
        (first + number * MINUTE, dt.datetime.fromtimestamp((start + number) * 60, zone).time())
        for number in range(minutes)
    ]
    expected = ((at, at + MINUTE) for at, clock in clocks if hours[0] <= clock < hours[1])
    assert service == IntervalSet.of(expected)


CHINA = SchoolCalendar(
    Calendar(
        id="default",
        terms=[
            Term(id="spring", name="Spring", start=day("2026-03-02"), end=day("2026-07-03")),
            Term(id="autumn", name="Autumn", start=day("2026-09-01"), end=day("2027-01-22")),
        ],
        extra_days=[day("2026-05-09"), day("2026-06-19"), day("2026-08-29")],
        closed_days=[day("2026-04-24")],
        service_hours=period("07:00", "18:00"),
        lessons=[period("08:00", "08:40", "1"), period("08:50", "09:30", "2")],
    ),
    SHANGHAI,
    "CN",
)


@pytest.mark.parametrize(
    ("date", "taught", "why"),
    [
        ("2026-03-01", False, "before the term"),
        ("2026-03-02", True, "first day of the term"),
        ("2026-07-03", True, "last day of the term"),
        ("2026-07-06", False, "after the term"),
        ("2026-03-07", False, "a Saturday"),
        ("2026-05-01", False, "Labour Day"),
        ("2026-05-09", True, "a Saturday that makes up for 5 May"),
        ("2026-06-19", True, "a public holiday that is taught all the same"),
        ("2026-08-29", False, "a make-up day outside the terms"),
        ("2026-04-24", False, "closed"),
    ],
)
def test_school_days(date: str, taught: bool, why: str) -> None:
    assert CHINA.is_school_day(day(date)) == taught, why


def test_a_holiday_does_not_spill_into_the_next_day() -> None:
    week = CHINA.service(ns("2026-04-30T00:00+08:00"), ns("2026-05-07T00:00+08:00"))
    # 30 April, then the Labour Day holidays up to 5 May, then 6 May.
    assert week == IntervalSet.of(
        [
            (ns("2026-04-30T07:00+08:00"), ns("2026-04-30T18:00+08:00")),
            (ns("2026-05-06T07:00+08:00"), ns("2026-05-06T18:00+08:00")),
        ]
    )


def test_lessons_are_cut_to_the_span_asked_for() -> None:
    lessons = CHINA.lessons(ns("2026-03-02T08:30+08:00"), ns("2026-03-02T09:00+08:00"))
    assert lessons == IntervalSet.of(
        [
            (ns("2026-03-02T08:30+08:00"), ns("2026-03-02T08:40+08:00")),
            (ns("2026-03-02T08:50+08:00"), ns("2026-03-02T09:00+08:00")),
        ]
    )
    assert CHINA.lessons(ns("2026-03-02T09:30+08:00"), ns("2026-03-03T08:00+08:00")) == NOTHING


def test_holidays_of_a_subdivision() -> None:
    epiphany = day("2026-01-06")
    plain = Calendar(id="default")
    assert not SchoolCalendar(plain, BERLIN, "DE", "BY").is_school_day(epiphany)
    assert SchoolCalendar(plain, BERLIN, "DE", "BE").is_school_day(epiphany)
    without = Calendar(id="default", public_holidays=False)
    assert SchoolCalendar(without, BERLIN, "DE", "BY").is_school_day(epiphany)


# Exams, terms, days -----------------------------------------------------------

EXAMS = SchoolCalendar(
    Calendar.model_validate(
        {
            "id": "default",
            "terms": [{"id": "t", "name": "T", "start": "2026-09-01", "end": "2026-12-18"}],
            "closed_days": ["2026-10-15"],
            "service_hours": {"name": "s", "start": "07:00", "end": "18:00"},
            "lessons": [{"name": "1", "start": "08:00", "end": "08:45"}],
            "exams": [
                {"name": "Sitting", "start": "2026-10-16", "end": "2026-10-17"},
                {
                    "name": "Evening",
                    "start": "2026-12-21",
                    "end": "2026-12-21",
                    "sessions": [{"name": "e", "start": "17:00", "end": "20:00"}],
                },
            ],
        }
    ),
    BERLIN,
    "DE",
)


@pytest.mark.parametrize(
    ("date", "taught", "exam", "why"),
    [
        ("2026-10-14", True, False, "a Wednesday"),
        ("2026-10-15", False, False, "closed"),
        ("2026-10-16", True, True, "a Friday with an exam"),
        ("2026-10-17", True, True, "a Saturday with an exam"),
        ("2026-10-18", False, False, "a Sunday"),
        ("2026-12-21", True, True, "an exam after the term"),
    ],
)
def test_exam_days_are_school_days(date: str, taught: bool, exam: bool, why: str) -> None:
    assert EXAMS.is_school_day(day(date)) == taught, why
    assert EXAMS.is_exam_day(day(date)) == exam, why
    noon = ns(f"{date}T12:00Z")
    assert EXAMS.is_exam(noon) == exam
    assert not EXAMS.is_exam(ns(f"{date}T02:00Z")), "at night"


def test_sessions_take_the_place_of_lessons_and_extend_the_service_hours() -> None:
    span = EXAMS.span(day("2026-12-21"))
    assert EXAMS.lessons(*span).total == 3 * 60 * MINUTE
    assert EXAMS.service(*span) == EXAMS.exams(*span)
    assert EXAMS.service(*span).total == 13 * 60 * MINUTE
    assert EXAMS.lessons(*EXAMS.span(day("2026-10-16"))).total == 45 * MINUTE


@given(
    zone=st.sampled_from(
        ["America/Sao_Paulo", "Europe/Berlin", "Asia/Shanghai", "Australia/Lord_Howe"]
    ).map(ZoneInfo),
    date=st.dates(dt.date(2009, 1, 1), dt.date(2027, 1, 1)),
)
def test_days_leave_out_nothing_and_share_nothing(zone: ZoneInfo, date: dt.date) -> None:
    calendar = SchoolCalendar(Calendar(id="default", public_holidays=False), zone, "BR")
    start, end = calendar.span(date)
    assert end == calendar.midnight(date + dt.timedelta(1))
    assert end - start in {hours * 60 * MINUTE // 2 for hours in (46, 47, 48, 49, 50)}
    for instant, expected in (
        (start - 1, date - dt.timedelta(1)),
        (start, date),
        (end - 1, date),
    ):
        assert calendar.day(instant) == expected


# Maintenance ------------------------------------------------------------------


def window(start: str, duration: str, repeat: str | None = None) -> MaintenanceWindow:
    return MaintenanceWindow.model_validate(
        {"id": "w", "reason": "r", "start": start, "duration": duration, "repeat": repeat}
    )


def hours_open(opened: MaintenanceWindow, start: str, end: str) -> list[tuple[str, str]]:
    spans = open_times(opened, BERLIN, ns(start), ns(end))
    return [
        (
            f"{dt.datetime.fromtimestamp(begin // SECOND, BERLIN):%m-%dT%H:%M%z}",
            f"{dt.datetime.fromtimestamp(finish // SECOND, BERLIN):%m-%dT%H:%M%z}",
        )
        for begin, finish in spans
    ]


def test_a_window_that_is_open_once() -> None:
    once = window("2026-10-24T23:00", "2h")
    assert hours_open(once, "2026-10-01T00:00Z", "2026-11-01T00:00Z") == [
        ("10-24T23:00+0200", "10-25T01:00+0200")
    ]
    assert hours_open(once, "2026-10-24T22:00Z", "2026-11-01T00:00Z") == [
        ("10-25T00:00+0200", "10-25T01:00+0200")
    ]
    assert hours_open(once, "2026-10-25T00:00Z", "2026-11-01T00:00Z") == []


def test_a_recurring_window_keeps_its_clock_time_and_its_length() -> None:
    saturdays = window("2026-10-03T22:00", "6h", "FREQ=WEEKLY;BYDAY=SA;COUNT=5")
    assert hours_open(saturdays, "2026-10-17T00:00Z", "2026-12-01T00:00Z") == [
        ("10-17T22:00+0200", "10-18T04:00+0200"),
        # The clocks go back at night: six hours end at three by the clock.
        ("10-24T22:00+0200", "10-25T03:00+0100"),
        ("10-31T22:00+0100", "11-01T04:00+0100"),
    ]


def test_a_time_that_the_clocks_skip_is_taken_as_if_they_did_not() -> None:
    nightly = window("2026-03-01T02:30", "1h", "FREQ=DAILY")
    assert hours_open(nightly, "2026-03-28T12:00Z", "2026-03-29T12:00Z") == [
        ("03-29T03:30+0200", "03-29T04:30+0200")
    ]


@pytest.mark.parametrize(
    "repeat",
    ["weekly", "FREQ=HOURLY", "FREQ=DAILY;BYHOUR=1,2", "FREQ=DAILY;UNTIL=20270101T000000Z", ""],
)
def test_rules_that_mean_nothing_here_are_refused(repeat: str) -> None:
    with pytest.raises(ValidationError, match="expected"):
        window("2026-10-03T22:00", "6h", repeat)
