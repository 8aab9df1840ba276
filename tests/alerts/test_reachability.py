"""One cause, one failure: for any tree, any order of polls, any moment of looking."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from alerts.reachability import Evidence, Reachability, Sample, WatchedDevice

SECOND = 10**9
INTERVAL = 60 * SECOND
EVIDENCE = Evidence(
    samples=2, duration=0, recovery_samples=2, settle=300 * SECOND, missed_intervals=3
)


class Network:
    """Devices that answer while they and everything above them work."""

    def __init__(self, parents: Mapping[str, str | None], boot: int = 0) -> None:
        self.parents = parents
        self.boot = boot
        self.outages: dict[str, list[tuple[int, int]]] = {}

    def path(self, device: str) -> list[str]:
        above = []
        parent = self.parents[device]
        while parent is not None:
            above.append(parent)
            parent = self.parents[parent]
        return above

    def watched(self) -> dict[str, WatchedDevice]:
        return {device: WatchedDevice(self.path(device), INTERVAL) for device in self.parents}

    def answers(self, device: str, time: int) -> bool:
        """Return whether all on the way work; what is behind an outage boots after it."""
        path = [device, *self.path(device)]
        return not any(
            start <= time < end + (self.boot if hop != device else 0)
            for hop in path
            for start, end in self.outages.get(hop, [])
        )

    def poll(self, order: random.Random, rounds: int) -> Iterator[Sample]:
        """Poll every device once in every interval, each time at another moment of it."""
        for number in range(rounds):
            for device in self.parents:
                time = number * INTERVAL + order.randrange(INTERVAL)
                yield Sample(device, time, self.answers(device, time))


class Watcher:
    """Opens and ends incidents as the engine does, and counts them."""

    def __init__(self, reachability: Reachability) -> None:
        self.reachability = reachability
        self.open: set[str] = set()
        self.problems: list[str] = []
        self.recoveries: list[str] = []

    def look(self, samples: list[Sample]) -> None:
        self.reachability.feed(samples)
        ended = {device for device in self.open if self.reachability.well_since(device)}
        self.recoveries += ended
        self.open -= ended
        opened = self.reachability.failures().keys() - self.open
        self.problems += opened
        self.open |= opened


def watch(network: Network, seed: int, rounds: int, evidence: Evidence = EVIDENCE) -> Watcher:
    """Poll in an order, and look at moments, that the seed decides."""
    order = random.Random(seed)
    watcher = Watcher(Reachability(network.watched(), evidence))
    samples = sorted(network.poll(order, rounds), key=lambda sample: sample.time)
    now = 0
    while samples:
        now += order.randrange(1, INTERVAL)
        piece = [sample for sample in samples if sample.time < now]
        samples = samples[len(piece) :]
        order.shuffle(piece)
        watcher.look(piece)
    return watcher


@st.composite
def trees(draw: st.DrawFn) -> Network:
    size = draw(st.integers(2, 12))
    parents: dict[str, str | None] = {"d0": None}
    for number in range(1, size):
        parents[f"d{number}"] = f"d{draw(st.integers(0, number - 1))}"
    return Network(parents)


seeds = st.integers(0, 2**32)


def core_with(descendants: int) -> Network:
    access = {f"access-{number}": "core" for number in range(descendants // 20)}
    return Network(
        {"core": None, **access}
        | {f"ap-{n}": f"access-{n % len(access)}" for n in range(descendants - len(access))}
    )


@given(seeds, st.integers(5 * INTERVAL, 9 * INTERVAL), st.integers(1, 20 * INTERVAL))
@settings(max_examples=15, deadline=None)
def test_a_core_switch_with_200_descendants_is_one_problem_and_one_recovery(
    seed: int, start: int, length: int
) -> None:
    network = core_with(200)
    network.outages["core"] = [(start, start + length)]
    watcher = watch(network, seed, rounds=40)
    # An outage that two polls of the core can't both meet may go unnoticed.
    expected = {(), ("core",)} if length < 3 * INTERVAL else {("core",)}
    assert tuple(watcher.problems) in expected
    assert watcher.recoveries == watcher.problems


@given(trees(), seeds, st.data())
@settings(max_examples=150, deadline=None)
def test_one_outage_of_any_device_blames_nobody_else(
    network: Network, seed: int, data: st.DataObject
) -> None:
    failing = data.draw(st.sampled_from(sorted(network.parents)))
    start = data.draw(st.integers(0, 10 * INTERVAL))
    length = data.draw(st.integers(1, 10 * INTERVAL))
    network.outages[failing] = [(start, start + length)]
    settle = data.draw(st.sampled_from([1, EVIDENCE.settle]))
    watcher = watch(network, seed, rounds=40, evidence=replace(EVIDENCE, settle=settle))
    assert watcher.problems in ([], [failing])
    assert watcher.recoveries == watcher.problems
    if length >= 3 * INTERVAL:
        assert watcher.problems == [failing]


@given(seeds, st.integers(2 * INTERVAL, EVIDENCE.settle - 2 * INTERVAL))
@settings(max_examples=15, deadline=None)
def test_devices_that_get_their_power_from_the_switch_have_time_to_boot(
    seed: int, boot: int
) -> None:
    network = core_with(40)
    network.boot = boot
    network.outages["core"] = [(5 * INTERVAL, 10 * INTERVAL)]
    watcher = watch(network, seed, rounds=40)
    assert watcher.problems == watcher.recoveries == ["core"]


@given(trees(), seeds, st.data())
@settings(max_examples=100, deadline=None)
def test_a_device_that_stays_dead_after_the_one_above_returned_is_a_problem_of_its_own(
    network: Network, seed: int, data: st.DataObject
) -> None:
    child = data.draw(st.sampled_from(sorted(network.parents.keys() - {"d0"})))
    start = data.draw(st.integers(2 * INTERVAL, 10 * INTERVAL))
    length = data.draw(st.integers(3 * INTERVAL, 10 * INTERVAL))
    network.outages = {"d0": [(start, start + length)], child: [(start, 10**18)]}
    watcher = watch(network, seed, rounds=40)
    assert sorted(watcher.problems) == ["d0", child]
    assert watcher.recoveries == ["d0"]
    assert watcher.open == {child}


@given(trees(), seeds, st.data())
@settings(max_examples=100, deadline=None)
def test_several_dead_devices_are_each_named_unless_one_above_is_dead_too(
    network: Network, seed: int, data: st.DataObject
) -> None:
    dead = data.draw(st.sets(st.sampled_from(sorted(network.parents)), min_size=1))
    network.outages = {device: [(5 * INTERVAL, 10**18)] for device in dead}
    watcher = watch(network, seed, rounds=25)
    topmost = {device for device in dead if not dead & set(network.path(device))}
    assert sorted(watcher.problems) == sorted(topmost)


def chain() -> Reachability:
    """A core, an access switch behind it and an AP behind that."""
    return Reachability(
        Network({"core": None, "access": "core", "ap": "access"}).watched(), EVIDENCE
    )


def at(device: str, seconds: int, up: bool) -> Sample:
    return Sample(device, seconds * SECOND, up)


def test_a_device_above_that_is_never_polled_is_passed_over() -> None:
    reachability = chain()
    for second in range(0, 180, 60):
        reachability.feed([at("core", second, True), at("ap", second + 1, False)])
        assert reachability.failures() == {}
    reachability.feed([at("core", 180, True), at("core", 240, True), at("ap", 241, False)])
    assert set(reachability.failures()) == {"ap"}


def test_a_device_above_that_fell_silent_is_waited_for_and_then_passed_over() -> None:
    reachability = chain()
    reachability.feed([at("core", 0, True), at("access", 0, True)])
    for second in range(60, 240, 60):
        reachability.feed([at("core", second, True), at("ap", second + 1, False)])
        assert reachability.failures() == {}
    reachability.feed([at("core", 240, True), at("ap", 242, False)])
    assert set(reachability.failures()) == {"ap"}


def test_what_answers_in_between_clears_what_is_down_above_it() -> None:
    reachability = chain()
    for second in range(0, 300, 60):
        reachability.feed(
            [at("core", second, False), at("access", second + 1, True), at("ap", second + 2, False)]
        )
    assert set(reachability.failures()) == {"core", "ap"}


def test_nothing_is_counted_across_a_gap_in_what_is_known() -> None:
    reachability = chain()
    reachability.feed([at("core", 0, False), at("core", 181, False)])
    assert reachability.failures() == {}
    reachability.feed([at("core", 240, False)])
    assert reachability.failures()["core"].since == 181 * SECOND


def test_late_samples_change_nothing() -> None:
    reachability = chain()
    reachability.feed([at("core", 300, True)])
    reachability.feed([at("core", 60, False), at("core", 120, False), at("core", 180, False)])
    assert reachability.failures() == {}


@pytest.mark.parametrize("duration", [0, 300])
def test_a_failure_needs_its_duration_as_well_as_its_samples(duration: int) -> None:
    evidence = Evidence(2, duration * SECOND, 2, 0, 3)
    reachability = Reachability({"core": WatchedDevice((), INTERVAL)}, evidence)
    for second in range(0, 301, 60):
        assert bool(reachability.failures()) == (second >= 120 and duration == 0)
        reachability.feed([at("core", second, False)])
    assert reachability.failures()["core"].since == 0


def test_one_answer_does_not_end_a_failure_that_needs_two() -> None:
    reachability = chain()
    reachability.feed([at("core", 0, False), at("core", 60, False), at("core", 120, True)])
    assert reachability.well_since("core") is None
    reachability.feed([at("core", 180, True)])
    assert reachability.well_since("core") == 120 * SECOND


def test_what_was_seen_before_the_device_above_came_back_counts_no_more() -> None:
    network = Network({"core": None, "ap": "core"})
    reachability = Reachability(network.watched(), replace(EVIDENCE, settle=1))
    reachability.feed([at("core", 0, True), at("ap", 10, False), at("core", 20, False)])
    reachability.feed([at("core", 65, True), at("ap", 70, False)])
    assert "ap" not in reachability.failures()
    reachability.feed([at("core", 125, True), at("ap", 130, False)])
    assert reachability.failures()["ap"].since == 70 * SECOND
