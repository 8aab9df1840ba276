"""Error budgets: published examples to the digit, and arithmetic for any history."""

from __future__ import annotations

import datetime as dt
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from campuswatch.calendar import SECOND, SchoolCalendar
from campuswatch.intervals import IntervalSet
from campuswatch.inventory.models import (
    Agent,
    Area,
    Calendar,
    Device,
    DeviceKind,
    Exam,
    Room,
    School,
    UptimeTarget,
)
from targets.error_budget import LOOKS, allowance, burn_rate, error_budget, instant_in
from targets.evidence import Evidence
from targets.promise import Promise, window_of
from targets.topology import Topology
from targets.uptime import Timeline, Uptime
from targets.uptime_target import judge, scope_of
from targets.verdicts import UptimeVerdict, Verdict

MINUTE, HOUR, DAY = 60 * SECOND, 3600 * SECOND, 86_400 * SECOND
YEAR = round(365.2425 * DAY)
UTC = ZoneInfo("UTC")
NOW = round(dt.datetime(2026, 11, 12, tzinfo=UTC).timestamp()) * SECOND


# Google, "The Site Reliability Workbook" (2018), chapter 5, Alerting on SLOs,
# https://sre.google/workbook/alerting-on-slos/: an SLO of 99.9 % over 30 days.


@pytest.mark.parametrize(
    ("rate", "error_rate", "exhausted_in"),
    [
        # "Burn rates and time to complete budget exhaustion"
        (1, 0.1, 30 * DAY),
        (2, 0.2, 15 * DAY),
        (10, 1, 3 * DAY),
        (1000, 100, 43 * MINUTE + 12 * SECOND),  # "43 minutes"
    ],
)
def test_burn_rates_and_time_to_exhaustion_of_the_sre_workbook(
    rate: float, error_rate: float, exhausted_in: int
) -> None:
    look = 72 * HOUR
    down = round(look * error_rate / 100)
    pace = Uptime(up=look - down, down=down)
    budget = error_budget(
        99.9,
        Uptime(up=0),
        to_come=30 * DAY,
        looks=dict.fromkeys(LOOKS, pace),
        now=NOW,
        instant_after=lambda time: instant_in(IntervalSet.of([(NOW, NOW + 30 * DAY)]), time),
    )
    assert [burn.rate for burn in budget.burn_rates] == [pytest.approx(rate)] * 3
    assert budget.exhausted is not None
    assert budget.exhausted - NOW == pytest.approx(exhausted_in, abs=SECOND)


@pytest.mark.parametrize(
    ("window", "rate", "consumed"),
    [
        # "Recommended time windows and burn rates for percentages of SLO budget consumed"
        (1 * HOUR, 14.4, 2),
        (6 * HOUR, 6, 5),
        (72 * HOUR, 1, 10),
    ],
)
def test_recommended_windows_of_the_sre_workbook(window: int, rate: float, consumed: float) -> None:
    down = round(window * rate * 0.001)
    assert burn_rate(99.9, Uptime(up=window - down, down=down), window).rate == pytest.approx(rate)
    assert 100 * down / allowance(99.9, 30 * DAY) == pytest.approx(consumed)


@pytest.mark.parametrize(
    ("objective", "length", "downtime"),
    [
        # https://uptime.is/two-nines: "SLA level of 99 % uptime"
        (99, DAY, "0:14:24"),
        (99, 7 * DAY, "1:40:48"),
        (99, YEAR // 12, "7:18:17"),
        (99, YEAR // 4, "21:54:52"),
        (99, YEAR, "3 days, 15:39:30"),
        # Google, "Site Reliability Engineering" (2016), appendix A, Availability Table:
        # 99.9 % allows 8.76 hours a year, 43.2 minutes a month, 1.44 minutes a day.
        (99.9, 365 * DAY, "8:45:36"),
        (99.9, 30 * DAY, "0:43:12"),
        (99.9, DAY, "0:01:26"),
    ],
)
def test_published_tables_of_allowed_downtime(objective: float, length: int, downtime: str) -> None:
    assert str(dt.timedelta(seconds=round(allowance(objective, length) / SECOND))) == downtime


parts = st.integers(0, 10**6).map(lambda seconds: seconds * SECOND)
uptimes = st.builds(Uptime, parts, parts, parts)


@given(st.floats(50, 99.999), uptimes, st.data())
def test_bounds_hold_whatever_the_unknown_time_was(
    objective: float, time: Uptime, data: st.DataObject
) -> None:
    failed = data.draw(st.integers(0, time.unknown))
    truth = Uptime(time.up + time.unknown - failed, time.down + failed)
    burn, known = burn_rate(objective, time, HOUR), burn_rate(objective, truth, HOUR)
    if known.rate is None:
        assert burn.rate is None
        return
    assert burn.low is not None
    assert burn.high is not None
    assert burn.low <= known.rate <= burn.high
    assert known.rate == known.low == known.high


def test_nothing_may_fail_at_all() -> None:
    time = Uptime(up=HOUR, down=1)
    assert burn_rate(100, time, HOUR).rate is None
    budget = error_budget(
        100,
        time,
        to_come=0,
        looks=dict.fromkeys(LOOKS, time),
        now=NOW,
        instant_after=lambda _: None,
    )
    assert (budget.total, budget.left, budget.exhausted) == (0, None, NOW)


# Windows and exams ------------------------------------------------------------

BERLIN = ZoneInfo("Europe/Berlin")


def berlin(text: str) -> int:
    return round(dt.datetime.fromisoformat(text).replace(tzinfo=BERLIN).timestamp()) * SECOND


def calendar(**more: object) -> SchoolCalendar:
    return SchoolCalendar(Calendar.model_validate({"id": "default", **more}), BERLIN, "DE", "BE")


def target(**more: object) -> UptimeTarget:
    given = {"id": "t", "kind": "uptime", "objective": 99, "device_kinds": ["ap"], **more}
    return UptimeTarget.model_validate(given)


TERMS = [
    {"id": "spring", "name": "Spring", "start": "2026-02-09", "end": "2026-07-08"},
    {"id": "autumn", "name": "Autumn", "start": "2026-08-24", "end": "2027-01-29"},
]


@pytest.mark.parametrize(
    ("window", "now", "start", "closes"),
    [
        ("28d", "2026-10-26T09:00", "2026-09-29", "2026-10-27"),
        ("1d", "2026-10-25T23:59", "2026-10-25", "2026-10-26"),
        ("month", "2026-10-25T09:00", "2026-10-01", "2026-11-01"),
        ("month", "2026-12-31T23:59", "2026-12-01", "2027-01-01"),
        ("term", "2026-10-25T09:00", "2026-08-24", "2027-01-30"),
        ("term", "2026-08-01T09:00", "2026-02-09", "2026-07-09"),
        ("term", "2026-01-10T09:00", "2026-01-01", "2026-02-01"),
    ],
)
def test_windows_are_whole_days_of_the_school(
    window: str, now: str, start: str, closes: str
) -> None:
    found = window_of(target(window=window), calendar(terms=TERMS), berlin(now))
    assert found == (berlin(f"{start}T00:00"), berlin(f"{closes}T00:00"))


AP = Device(id="ap", name="AP", kind=DeviceKind.AP, address="192.0.2.1", room="r")
SCHOOL = School(
    id="school",
    name="School",
    area=Area.TOWN,
    students=1,
    agents=[Agent(id="agent")],
    devices=[AP],
)


def verdict(
    judged: UptimeTarget, down: IntervalSet, now: int, own: SchoolCalendar
) -> UptimeVerdict:
    start = berlin("2026-07-01T00:00")
    line = Timeline(start, now, IntervalSet.of([(start, now)]) - down, down, now - 1)
    evidence = Evidence(SCHOOL, now, Topology([AP]), {"ap": line}, {}, {})
    found = judge(judged, evidence, Promise(own, BERLIN, {}))
    assert found is not None
    return found


def test_exam_days_have_an_objective_of_their_own() -> None:
    exam = Exam(name="Finals", start=dt.date(2026, 10, 22), end=dt.date(2026, 10, 22))
    own = calendar(exams=[exam.model_dump()])
    ten_minutes = IntervalSet.of([(berlin("2026-10-22T09:00"), berlin("2026-10-22T09:10"))])
    now = berlin("2026-10-23T20:00")
    relaxed = verdict(target(window="28d"), ten_minutes, now, own)
    assert relaxed.verdict is Verdict.MET
    assert relaxed.exam is None
    strict = verdict(target(window="28d", exam_objective=99.9), ten_minutes, now, own)
    assert strict.share == relaxed.share
    assert strict.exam is not None
    assert strict.exam.time.down == 10 * MINUTE
    assert strict.exam.time.up == 11 * HOUR - 10 * MINUTE
    assert strict.exam.verdict is strict.verdict is Verdict.MISSED
    late = verdict(target(window="1d", exam_objective=99.9), ten_minutes, now, own)
    assert late.exam is not None
    assert (late.exam.share.low, late.exam.verdict) == (None, Verdict.MET)


def test_a_month_s_budget_is_known_on_its_first_day_and_runs_out_on_a_date() -> None:
    own = calendar(public_holidays=False)
    monthly = target(window="month", objective=99)
    now = berlin("2026-10-01T12:00")
    hour = IntervalSet.of([(berlin("2026-10-01T08:00"), berlin("2026-10-01T09:00"))])
    found = verdict(monthly, hour, now, own)
    service = 22 * 11 * HOUR  # the working days of October 2026
    assert found.budget.total == service // 100
    assert found.budget.spent == HOUR
    assert found.budget.left == pytest.approx(100 * (1 - 1 / 2.42))
    # 33 service hours from Monday noon to Thursday noon, one of them lost.
    three_days = found.budget.burn_rates[2]
    assert three_days.rate == pytest.approx(1 / 33 / 0.01)
    # 1.42 h are left; at one in 33 they last 46.86 service hours: 6 of Thursday, 11 each
    # of Friday, Monday and Tuesday, and 7.86 of Wednesday.
    assert found.budget.exhausted is not None
    assert abs(found.budget.exhausted - berlin("2026-10-07T14:51:36")) < SECOND


def test_room_kinds_narrow_the_scope() -> None:
    floor = {"id": "f", "name": "F", "level": 0, "rooms": [Room(id="r", name="R").model_dump()]}
    school = School.model_validate(
        {
            **SCHOOL.model_dump(),
            "buildings": [{"id": "b", "name": "B", "floors": [floor]}],
        }
    )
    assert scope_of(target(room_kinds=["classroom"]), school) == school.devices
    assert scope_of(target(room_kinds=["lab", "hall"]), school) == []
    assert scope_of(target(device_kinds=["switch"]), school) == []
