"""Counters of the simulated devices."""

from hypothesis import given
from hypothesis import strategies as st

from simulator.tally import Tally


@given(st.lists(st.floats(0, 500), min_size=1, max_size=30))
def test_never_runs_backwards(steps: list[float]) -> None:
    tally = Tally(lambda now: now % 97, lambda: 0.0, 1000.0, 5.0)
    now, last = 1000.0, tally.total(1000.0)
    for step in steps:
        now += step
        assert tally.total(now) >= last
        last = tally.total(now)


@given(rate=st.integers(0, 10**9), span=st.integers(0, 10_000))
def test_counts_a_constant_rate_exactly(rate: int, span: int) -> None:
    tally = Tally(lambda _: rate, lambda: 0.0, 0.0, 7.0)
    assert tally.total(float(span)) == 7 + rate * span


def test_begins_at_zero_after_a_restart() -> None:
    booted = 0.0
    tally = Tally(lambda _: 10.0, lambda: booted, 0.0, 1e6)
    assert tally.total(100.0) == 1_001_000
    booted = 200.0
    assert tally.total(230.0) == 300
