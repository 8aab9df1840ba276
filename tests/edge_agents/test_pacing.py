"""Waits that grow, and a rate that holds."""

from __future__ import annotations

from itertools import islice

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_agents.pacing import Pace, Pauses, delays


@given(st.floats(min_value=1, max_value=1000))
def test_delays_double_up_to_the_longest_with_jitter(longest: float) -> None:
    for number, delay in enumerate(islice(delays(longest), 15)):
        bound = min(longest, 2.0**number)
        assert bound / 2 <= delay <= bound


@given(
    st.lists(st.floats(min_value=0, max_value=1), min_size=1, max_size=50),
    st.floats(min_value=1, max_value=1000),
)
def test_no_more_goes_than_the_rate_allows(steps: list[float], rate: float) -> None:
    with pytest.MonkeyPatch.context() as patch:
        clock = 0.0
        patch.setattr("edge_agents.pacing.time.monotonic", lambda: clock)
        pace = Pace(rate)
        gone = 0
        for step in steps:
            clock += step
            now = pace.allowed()
            pace.spend(now)
            gone += now
        assert gone <= rate * clock + 1e-6
        clock += 1
        assert pace.allowed() >= min(1, int(rate * 0.2))


def test_pauses_grow_until_there_is_a_success(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = 100.0
    monkeypatch.setattr("edge_agents.pacing.time.monotonic", lambda: clock)
    pauses = Pauses(10)
    assert not pauses.pausing()
    lengths = []
    for _ in range(5):
        lengths.append(pauses.begin())
        assert pauses.pausing()
        clock += lengths[-1]
        assert not pauses.pausing()
    assert lengths[0] <= 1
    assert 5 <= lengths[4] <= 10
    pauses.end()
    assert pauses.begin() <= 1
