"""Whether a device that only publishes is there, from its wills and its silence."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from edge_agents.sources.mqtt.presence import LEARNING, PATIENCE, Cadence, Presence, Standing

UP = Standing(up=True)


def heard_every(seconds: float, times: int, presence: Presence) -> float:
    """Let a device be heard; return when it last was."""
    for turn in range(times):
        presence.hear(turn * seconds)
    return (times - 1) * seconds


def test_nothing_is_known_of_a_device_that_was_not_heard_yet() -> None:
    assert Presence(60).standing(100, since=0) is None
    assert Presence().standing(3600, since=0) is None


def test_a_declared_interval_counts_from_the_beginning() -> None:
    presence = Presence(60)
    presence.hear(0)
    assert presence.standing(180, since=0) == UP
    down = presence.standing(300, since=0)
    assert down == Standing(up=False, reason="silent for 5 min, expected every 60 s")


def test_an_interval_is_learned() -> None:
    presence = Presence()
    last = heard_every(300, LEARNING + 1, presence)
    assert presence.standing(last + 899, since=0) == UP
    down = presence.standing(last + 1200, since=0)
    assert down == Standing(up=False, reason="silent for 20 min, usually heard every 5 min")


def test_nothing_is_missing_before_enough_is_known() -> None:
    presence = Presence()
    last = heard_every(5, LEARNING, presence)
    assert presence.standing(last + 3600, since=0) == UP
    down = presence.standing(last + 3 * 86400, since=0)
    assert down == Standing(up=False, reason="silent for 3 d")


def test_messages_of_one_moment_are_no_rhythm() -> None:
    presence = Presence()
    for turn in range(10):
        for part in range(5):
            presence.hear(turn * 600 + part * 0.01)
    assert presence.standing(9 * 600 + 1700, since=0) == UP


def test_an_outage_is_not_learned_but_a_new_rhythm_is() -> None:
    cadence = Cadence()
    for _ in range(10):
        cadence.learn(60)
    cadence.learn(7200)
    assert cadence.patience < 200
    cadence.learn(60)
    cadence.learn(7200)
    cadence.learn(7000)
    assert cadence.patience > 3 * 6000


def test_a_will_counts_at_once_and_a_message_takes_it_back() -> None:
    presence = Presence(60)
    presence.hear(0)
    presence.end("last will: Offline")
    assert presence.standing(1, since=0) == Standing(up=False, reason="last will: Offline")
    presence.hear(2)
    assert presence.standing(3, since=0) == UP


def test_a_will_that_the_broker_kept_is_known_before_the_device_is_heard() -> None:
    presence = Presence()
    presence.end("last will: Offline")
    assert presence.standing(1, since=0) == Standing(up=False, reason="last will: Offline")


def test_a_break_of_the_agents_own_connection_is_no_silence() -> None:
    presence = Presence(60)
    presence.hear(0)
    assert presence.standing(1000, since=900) is None
    down = presence.standing(1100, since=900)
    assert down is not None
    assert not down.up


@given(
    st.floats(min_value=10, max_value=86400),
    st.lists(st.floats(min_value=0.34, max_value=1), max_size=50),
)
def test_a_device_whose_gaps_differ_threefold_is_never_missed(
    longest: float, shares: list[float]
) -> None:
    presence = Presence()
    now = 0.0
    presence.hear(now)
    for gap in [longest] * LEARNING + [longest * share for share in shares] + [longest]:
        assert presence.standing(now + gap, since=0) == UP
        now += gap
        presence.hear(now)


@given(st.floats(min_value=1, max_value=86400), st.floats(min_value=0, max_value=1e6))
def test_down_only_after_patience(interval: float, silent: float) -> None:
    presence = Presence(interval)
    presence.hear(0)
    standing = presence.standing(silent, since=0)
    assert standing is not None
    assert standing.up == (silent <= PATIENCE * interval)
