"""How many datagrams of a sender are looked at, and how often a device is polled for them."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from edge_agents.sources.snmp.traps.limits import PollCalls, RateLimit


@given(
    st.integers(1, 20),
    st.integers(1, 50),
    st.lists(st.floats(0, 100, allow_nan=False), min_size=1, max_size=300),
)
def test_a_sender_never_gets_more_than_its_share(rate: int, burst: int, times: list[float]) -> None:
    limit = RateLimit(rate, burst)
    times.sort()
    allowed = [time for time in times if limit.allows("a", time)]
    assert allowed[: min(burst, len(times))] == times[: min(burst, len(times))]
    for first in range(len(allowed)):
        for last in range(first, len(allowed)):
            most = burst + rate * (allowed[last] - allowed[first]) + 1e-6
            assert last - first + 1 <= most + 1


def test_a_sender_takes_nothing_from_another() -> None:
    limit = RateLimit(1, 2)
    assert [limit.allows("a", 0) for _ in range(3)] == [True, True, False]
    assert limit.allows("b", 0)
    assert limit.allows("a", 1)


class Clock:
    """A clock that is turned by hand, and what is to be called at which hour."""

    def __init__(self) -> None:
        self.now = 0.0
        self._due: list[tuple[float, Callable[[], None]]] = []

    def time(self) -> float:
        return self.now

    def later(self, delay: float, call: Callable[[], None]) -> None:
        self._due.append((self.now + delay, call))

    def turn(self, to: float) -> None:
        for at, call in sorted(self._due, key=lambda due: due[0]):
            if at <= to:
                self.now = at
                self._due.remove((at, call))
                call()
        self.now = to


@given(st.lists(st.floats(0, 60, allow_nan=False), min_size=1, max_size=60))
def test_polls_are_prompt_rare_and_last(times: list[float]) -> None:
    clock, polls = Clock(), list[float]()
    calls = PollCalls(lambda _: polls.append(clock.now), clock.later, clock.time, quiet=10)
    for time in sorted(times):
        clock.turn(time)
        calls.call("sw-1")
    clock.turn(100)
    assert polls[0] == min(times)
    assert polls[-1] >= max(times), "what the last call was about was never looked at"
    assert all(later - sooner >= 10 - 1e-9 for sooner, later in pairwise(polls))


def test_a_device_waits_for_no_other() -> None:
    clock, polled = Clock(), list[str]()
    calls = PollCalls(polled.append, clock.later, clock.time)
    calls.call("sw-1")
    calls.call("sw-2")
    assert polled == ["sw-1", "sw-2"]
