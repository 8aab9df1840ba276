"""Terms, exams and free days from a calendar program."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest

from campuswatch.inventory.loader import load_inventory
from campuswatch.inventory.models import Calendar
from tests.inventory.commands import campuswatch
from tests.inventory.districts import write_district

_YEAR = """\
BEGIN:VCALENDAR
VERSION:2.0
PRODID:-//Hills//School year//EN
{events}
END:VCALENDAR
"""


def event(summary: str, start: str, end: str = "", more: str = "") -> str:
    lines = ["BEGIN:VEVENT", f"UID:{summary}-{start}", "DTSTAMP:20260101T000000Z"]
    lines += [f"SUMMARY:{summary}", start]
    lines += [line for line in (end, more) if line]
    return "\n".join([*lines, "END:VEVENT"])


def all_day(summary: str, start: str, end: str, more: str = "") -> str:
    return event(summary, f"DTSTART;VALUE=DATE:{start}", f"DTEND;VALUE=DATE:{end}", more)


YEAR = (
    all_day("Autumn term", "20260901", "20270123"),
    all_day("Spring / 第二学期", "20270222", "20270701"),
    # 09:00 in Shanghai, for two and a half hours.
    event("期末考试", "DTSTART:20270114T010000Z", "DTEND:20270114T033000Z"),
    all_day("Midterm exams", "20261105", "20261107"),
    event("调休 for 6 October", "DTSTART;VALUE=DATE:20260920"),
    all_day("Winter", "20261224", "20261226", "CATEGORIES:HOLIDAY"),
    all_day("Parents' evening", "20261210", "20261211"),
    all_day("Weekly exam", "20261001", "20261002", "RRULE:FREQ=WEEKLY"),
)
_COMMENTED = """\
# School days.
calendars:
  - {id: other} # another school's
  - id: default
    terms: # as decided in May
      - {id: autumn, name: Autumn term, start: 2026-08-31, end: 2027-01-22}
    lessons: []
# The end.
"""


@pytest.fixture
def config(tmp_path: Path) -> Path:
    write_district(tmp_path)
    (tmp_path / "calendar.yaml").write_text(_COMMENTED, encoding="utf-8")
    return tmp_path


def ics(directory: Path, *events: str) -> str:
    path = directory / "year.ics"
    path.write_text(_YEAR.format(events="\n".join(events)), encoding="utf-8")
    return str(path)


def default(config: Path) -> Calendar:
    return load_inventory(config).calendars[1]


def test_each_event_finds_its_place_and_the_layout_stays(config: Path) -> None:
    done = campuswatch("import", "ics", ics(config, *YEAR), "--config", str(config))
    assert done.returncode == 0, done.stderr
    assert "6 added, 1 moved, 0 unchanged, 2 skipped" in done.stdout
    calendar = default(config)
    assert [(t.id, str(t.start), str(t.end)) for t in calendar.terms] == [
        ("autumn", "2026-09-01", "2027-01-22"),
        ("spring", "2027-02-22", "2027-06-30"),
    ]
    finals, midterms = calendar.exams
    assert (finals.name, finals.start) == ("期末考试", dt.date(2027, 1, 14))
    [session] = finals.sessions
    assert (session.start, session.end) == (dt.time(9), dt.time(11, 30))
    assert (midterms.start, midterms.end) == (dt.date(2026, 11, 5), dt.date(2026, 11, 6))
    assert calendar.extra_days == [dt.date(2026, 9, 20)]
    assert calendar.closed_days == [dt.date(2026, 12, 24), dt.date(2026, 12, 25)]
    text = (config / "calendar.yaml").read_text("utf-8")
    for comment in ("# School days.", "# another school's", "# as decided in May", "# The end."):
        assert comment in text


def test_a_second_import_changes_nothing(config: Path) -> None:
    arguments = ("import", "ics", ics(config, *YEAR), "--config", str(config))
    campuswatch(*arguments)
    before = (config / "calendar.yaml").read_bytes()
    done = campuswatch(*arguments)
    assert "0 added, 0 moved, 6 unchanged, 2 skipped" in done.stdout
    assert (config / "calendar.yaml").read_bytes() == before


@pytest.mark.parametrize(
    "calendar",
    [
        "{id: default}",
        "{id: default, extra_days: [], exams: [{name: A, start: 2026-10-01, end: 2026-10-01}]}",
        "{id: default, terms: [{id: a, name: A, start: 2025-09-01, end: 2026-01-01}]}",
    ],
)
def test_calendars_on_one_line_stay_on_it(config: Path, calendar: str) -> None:
    path = config / "calendar.yaml"
    path.write_text(f"calendars: [{{id: other}}, {calendar}]\n", encoding="utf-8")
    done = campuswatch("import", "ics", ics(config, *YEAR), "--config", str(config))
    assert done.returncode == 0, done.stderr
    assert len(path.read_text("utf-8").splitlines()) == 1
    assert default(config).extra_days == [dt.date(2026, 9, 20)]
    assert [exam.name for exam in default(config).exams[-2:]] == ["期末考试", "Midterm exams"]


def test_what_would_make_the_calendar_wrong_is_refused_and_nothing_written(config: Path) -> None:
    before = (config / "calendar.yaml").read_bytes()
    overlapping = all_day("Winter term", "20270101", "20270301")
    done = campuswatch("import", "ics", ics(config, overlapping), "--config", str(config))
    assert done.returncode == 2
    assert "calendar.yaml:7: term 'winter-term' starts on 2027-01-01" in done.stderr
    assert (config / "calendar.yaml").read_bytes() == before


@pytest.mark.parametrize("text", ["hello", "BEGIN:VEVENT\nEND:VEVENT", "BEGIN:VCALENDAR", ""])
def test_what_is_no_icalendar_gets_one_line(config: Path, text: str) -> None:
    path = config / "year.ics"
    path.write_text(text, encoding="utf-8")
    done = campuswatch("import", "ics", str(path), "--config", str(config))
    assert done.returncode == 2
    assert "expected a file that begins BEGIN:VCALENDAR" in done.stderr
    assert len(done.stderr.splitlines()) == 1
