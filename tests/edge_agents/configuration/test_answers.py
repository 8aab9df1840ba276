"""When a configuration is given back."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from edge_agents.configuration.answers import LOST_SHARE, fault

devices = st.sets(st.integers(0, 30).map(str))


def some(count: int) -> set[str]:
    return {f"sw-{number}" for number in range(count)}


@given(devices, devices, devices)
def test_it_is_given_back_for_too_many_silent_devices_or_none_at_all(
    before: set[str], asked: set[str], seen: set[str]
) -> None:
    kept = before & asked
    too_many = len(kept - seen) > LOST_SHARE * len(kept)
    nothing = bool(before) and not seen
    assert (fault(before, asked, seen) is not None) == (too_many or nothing)


def test_a_quarter_may_be_silent() -> None:
    assert fault(some(8), some(8), some(6)) is None
    assert fault(some(8), some(8), some(5)) == (
        "3 of 8 devices that answered before are silent: sw-5, sw-6, sw-7"
    )


def test_devices_that_are_no_longer_asked_are_no_fault() -> None:
    assert fault(some(8), some(1), some(1)) is None


def test_a_configuration_that_asks_nothing_is_given_back() -> None:
    assert fault(some(8), set(), set()) == "no device answers; 8 did before"
