"""A rate is right or absent, whatever the counter did."""

from __future__ import annotations

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from edge_agents.sources.snmp.rates import (
    MIN_STEP,
    SPEED_MARGIN,
    Absent,
    Ceiling,
    Sample,
    Uptime,
    rate,
    rates,
)

BITS = st.sampled_from([32, 64])
STEPS = st.floats(MIN_STEP, 900)
SPEEDS = st.floats(1.0, 1e12)
MONDAY = 1000.0


def counted(start: int, count: int, bits: int, step: float) -> tuple[Sample, Sample]:
    return Sample(start, MONDAY), Sample((start + count) % 2**bits, MONDAY + step)


@given(
    bits=BITS,
    start=st.integers(0, 2**64 - 1),
    step=STEPS,
    ceiling=SPEEDS,
    load=st.floats(0, 1),
)
def test_a_counter_that_only_counts(
    bits: int, start: int, step: float, ceiling: float, load: float
) -> None:
    step = (MONDAY + step) - MONDAY  # as far as the clock can tell
    assume(step >= MIN_STEP)
    count = int(ceiling * load * step)
    before, now = counted(start % 2**bits, count, bits, step)
    found = rate(before, now, bits, Ceiling(ceiling, known=True))
    if isinstance(found, Absent):
        assert found is Absent.AMBIGUOUS
        assert ceiling * step >= 2**bits
    else:
        assert found == pytest.approx(count / step)


@given(
    bits=BITS,
    before=st.integers(0, 2**64 - 1),
    now=st.integers(0, 2**64 - 1),
    step=st.floats(-1e6, 1e6),
    ceiling=SPEEDS,
)
def test_nothing_is_ever_a_spike(
    bits: int, before: int, now: int, step: float, ceiling: float
) -> None:
    found = rate(
        Sample(before % 2**bits, MONDAY),
        Sample(now % 2**bits, MONDAY + step),
        bits,
        Ceiling(ceiling, known=True),
    )
    assert isinstance(found, Absent) or 0 <= found <= ceiling * SPEED_MARGIN


SAMPLES = st.builds(Sample, st.integers(0, 2**64 - 1), st.floats(0, 1000))


@given(
    bits=BITS,
    steps=st.lists(
        st.tuples(
            st.none() | SAMPLES, SAMPLES, st.builds(Ceiling, st.floats(1, 1e18), st.booleans())
        )
    ),
)
def test_many_rates_are_what_each_is(
    bits: int, steps: list[tuple[Sample | None, Sample, Ceiling]]
) -> None:
    assert rates(steps, bits) == [rate(*step[:2], bits, step[2]) for step in steps]


@given(start=st.integers(1, 2**64 - 1), step=STEPS, bits=BITS, data=st.data())
def test_a_counter_going_back_at_unknown_speed_was_reset(
    start: int, step: float, bits: int, data: st.DataObject
) -> None:
    start = max(1, start % 2**bits)
    now = data.draw(st.integers(0, start - 1))
    found = rate(Sample(start, 0.0), Sample(now, step), bits, Ceiling(1e6, known=False))
    assert found is Absent.RESET


def test_the_reasons() -> None:
    gigabit = Ceiling(125_000_000, known=True)
    now = Sample(1000, 60.0)
    assert rate(None, now, 64, gigabit) is Absent.FIRST
    assert rate(now, now, 64, gigabit) is Absent.NO_TIME
    assert rate(Sample(0, 60.0 - MIN_STEP / 2), now, 64, gigabit) is Absent.NO_TIME
    assert rate(Sample(0, 0.0), now, 32, gigabit) is Absent.AMBIGUOUS
    assert rate(Sample(2000, 0.0), now, 64, gigabit) is Absent.RESET
    assert rate(Sample(0, 0.0), Sample(10**15, 60.0), 64, gigabit) is Absent.IMPLAUSIBLE


def test_32_bits_wrap_once_on_a_slow_port() -> None:
    before, now = Sample(2**32 - 600, 0.0), Sample(600, 60.0)
    assert rate(before, now, 32, Ceiling(1_250_000, known=True)) == 20.0


def test_an_unknown_speed_rules_nothing_out() -> None:
    assert rate(Sample(0, 0.0), Sample(60 * 10**12, 60.0), 64, Ceiling(1.0, known=False)) == 1e12


@given(
    start=st.integers(0, 2**32 - 1),
    steps=st.lists(st.floats(0.1, 3600), min_size=1, max_size=20),
    drift=st.floats(0.92, 1.2),
)
def test_an_agent_that_runs_on_did_not_restart(
    start: int, steps: list[float], drift: float
) -> None:
    uptime, at, ticks = Uptime(), 0.0, float(start)
    assert not uptime.restarted(start, at)
    for step in steps:
        at += step
        ticks += step * 100 * drift
        assert not uptime.restarted(int(ticks) % 2**32, at)


@given(
    before=st.integers(0, 2**32 - 800_000),  # in the last two hours it would look like a wrap
    step=st.floats(20, 3600),
    up_since=st.floats(0, 1),
)
def test_a_restart_shows_even_if_the_clock_has_passed_its_old_value(
    before: int, step: float, up_since: float
) -> None:
    uptime = Uptime()
    uptime.restarted(before, 0.0)
    ticks = int(step * up_since * 100)
    lost = before / 100 + step - ticks / 100
    assume(lost > 5 + step / 10 + 0.1)
    assert uptime.restarted(ticks, step)
