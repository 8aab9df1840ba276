"""Uptime against a simulation that asks for every half second what was known then."""

from __future__ import annotations

import datetime as dt
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from campuswatch.calendar import SECOND, SchoolCalendar
from campuswatch.intervals import IntervalSet
from campuswatch.inventory.models import Calendar, Period
from targets.uptime import Samples, Timeline, Uptime, joined, timeline, uptime
from targets.verdicts import Share, Verdict

STEP = SECOND // 2
"""Holds are multiples of half a second when intervals are whole seconds."""

Sample = tuple[int, bool, int]
"""Time, up, interval; in seconds."""

samples = st.lists(st.tuples(st.integers(-40, 130), st.booleans(), st.integers(1, 12)), max_size=40)
spans = st.lists(st.tuples(st.integers(0, 100), st.integers(0, 100)), max_size=4)
WINDOW = (0, 100 * SECOND)


def build(taken: list[Sample]) -> Samples:
    return Samples.of(
        [time * SECOND for time, _, _ in taken],
        [up for _, up, _ in taken],
        [float(interval) for _, _, interval in taken],
    )


def known_at(taken: list[Sample], instant: int) -> bool | None:
    """Say what is known of `instant` (ns), by looking through every sample."""
    past = [sample for sample in taken if sample[0] * SECOND <= instant]
    if not past:
        return None
    time, up, interval = max(past)
    return up if instant < time * SECOND + 5 * interval * STEP else None


def simulate(taken: list[Sample], service: IntervalSet, window: tuple[int, int]) -> Uptime:
    total = Uptime()
    for instant in range(*window, STEP):
        if not any(start <= instant < end for start, end in service):
            total += Uptime(excused=STEP)
        elif (state := known_at(taken, instant)) is None:
            total += Uptime(unknown=STEP)
        else:
            total += Uptime(up=STEP) if state else Uptime(down=STEP)
    return total


@given(samples, spans)
def test_partition_equals_the_simulation(
    taken: list[Sample], served: list[tuple[int, int]]
) -> None:
    service = IntervalSet.of((start * SECOND, end * SECOND) for start, end in served)
    result = uptime(timeline(build(taken), *WINDOW), service)
    assert result == simulate(taken, service, WINDOW)
    assert result.counted + result.excused == WINDOW[1] - WINDOW[0]


@given(samples, st.randoms(use_true_random=False))
def test_repeats_and_order_change_nothing(taken: list[Sample], random: object) -> None:
    shuffled = taken + taken[: len(taken) // 2]
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    assert timeline(build(shuffled), *WINDOW) == timeline(build(taken), *WINDOW)


@given(samples, st.lists(st.integers(1, 99), max_size=5, unique=True).map(sorted))
def test_pieces_of_a_window_join_to_the_whole(taken: list[Sample], cuts: list[int]) -> None:
    edges = [0, *(cut * SECOND for cut in cuts), WINDOW[1]]
    parts, carried = [], build([])
    asked_from = -40
    for start, end in pairwise(edges):
        fresh = [s for s in taken if asked_from * SECOND <= s[0] * SECOND < end]
        known = carried + build(fresh)
        parts.append(timeline(known, start, end))
        carried, asked_from = known.newest(), end // SECOND
    assert joined(parts) == timeline(build(taken), *WINDOW)


def test_joining_refuses_windows_that_are_not_adjacent() -> None:
    with pytest.raises(ValueError, match="adjacent"):
        joined([Timeline(0, 5), Timeline(6, 9)])
    with pytest.raises(ValueError, match="adjacent"):
        joined([])


@given(samples, st.integers(0, 99))
def test_a_later_start_is_as_if_it_had_been_asked_for(taken: list[Sample], start: int) -> None:
    whole = timeline(build(taken), *WINDOW)
    assert whole.since(start * SECOND) == timeline(build(taken), start * SECOND, WINDOW[1])


@given(samples)
def test_state_is_what_is_known_of_the_last_instant(taken: list[Sample]) -> None:
    assert timeline(build(taken), *WINDOW).state == known_at(taken, WINDOW[1] - 1)


@given(samples)
def test_outages_hold_all_down_time_and_no_up_time(taken: list[Sample]) -> None:
    line = timeline(build(taken), *WINDOW)
    outages = line.outages()
    covered = IntervalSet.of((outage.start, outage.end) for outage in outages)
    assert not line.down - covered
    assert not line.up & covered
    for before, after in pairwise(outages):
        assert line.up & IntervalSet.of([(before.end, after.start)])
    assert all(outage.over for outage in outages[:-1])


def test_an_outage_goes_on_through_silence() -> None:
    taken = [(0, True, 10), (10, False, 10), (20, False, 10), (80, False, 10)]
    [outage] = timeline(build(taken), *WINDOW).outages()
    assert (outage.start, outage.end) == (10 * SECOND, 100 * SECOND)
    assert not outage.over
    assert not outage.began_before


def test_two_hours_without_the_agent_are_unknown_until_its_backfill_arrives() -> None:
    hour = 3600
    every_minute = [(time, True, 60) for time in range(0, 8 * hour, 60)]
    late = [s for s in every_minute if 3 * hour <= s[0] < 5 * hour]
    live = [s for s in every_minute if s not in late]
    window = (0, 8 * hour * SECOND)
    whole = IntervalSet.of([window])
    held = 90 * SECOND  # the last sample holds for 150 s, of which 60 s were due anyway

    cut_off = uptime(timeline(build(live), *window), whole)
    assert cut_off == Uptime(up=6 * hour * SECOND + held, unknown=2 * hour * SECOND - held)
    assert Share.of(cut_off.up, cut_off.down, cut_off.unknown).judge(99) is Verdict.CANNOT_TELL

    backfilled = uptime(timeline(build(live + late), *window), whole)
    assert backfilled == Uptime(up=8 * hour * SECOND)


def ns(text: str) -> int:
    return round(dt.datetime.fromisoformat(text).timestamp()) * SECOND


def test_an_outage_on_a_holiday_costs_nothing_and_the_next_day_counts() -> None:
    calendar = SchoolCalendar(
        Calendar(
            id="default",
            service_hours=Period(name="service", start=dt.time(1), end=dt.time(18)),
        ),
        ZoneInfo("Europe/Berlin"),
        "DE",
    )
    # Easter Monday, 6 April 2026, and the Tuesday after it; down from Monday noon to Tuesday 02:00.
    start, end = ns("2026-04-06T00:00+02:00"), ns("2026-04-08T00:00+02:00")
    down = IntervalSet.of([(ns("2026-04-06T12:00+02:00"), ns("2026-04-07T02:00+02:00"))])
    line = Timeline(start, end, up=IntervalSet.of([(start, end)]) - down, down=down)
    hour = 3600 * SECOND
    assert uptime(line, calendar.service(start, end)) == Uptime(
        up=16 * hour, down=hour, excused=31 * hour
    )


def test_an_interval_of_any_size_is_safe() -> None:
    line = timeline(Samples.of([5 * SECOND], [True], [1e300]), *WINDOW)
    assert line.up == IntervalSet.of([(5 * SECOND, WINDOW[1])])
    assert not timeline(Samples.of([5 * SECOND], [True], [-1.0]), *WINDOW).up


@pytest.mark.parametrize(
    ("good", "bad", "unknown", "verdict"),
    [
        (999, 1, 0, Verdict.MET),
        (9989, 11, 0, Verdict.MISSED),
        (998, 0, 2, Verdict.CANNOT_TELL),
        (999, 0, 1, Verdict.MET),
        (0, 2, 998, Verdict.MISSED),
        (0, 0, 1000, Verdict.CANNOT_TELL),
        (0, 0, 0, Verdict.MET),
    ],
)
def test_a_verdict_is_only_given_when_both_bounds_agree(
    good: int, bad: int, unknown: int, verdict: Verdict
) -> None:
    assert Share.of(good, bad, unknown).judge(99.9) is verdict


@given(st.integers(0, 10**6), st.integers(0, 10**6), st.integers(0, 10**6))
def test_bounds_enclose_what_was_attained(good: int, bad: int, unknown: int) -> None:
    share = Share.of(good, bad, unknown)
    assert (share.low is None) == (good + bad + unknown == 0)
    if share.attained is not None:
        assert share.low is not None
        assert share.high is not None
        assert share.low <= share.attained <= share.high
