"""What the store tells of all schools at one time."""

from __future__ import annotations

from dataclasses import dataclass

from alerts.estate import AgentKey, Estate
from alerts.reachability import Sample
from campuswatch.stores.base import Aggregate, Query, Store


@dataclass(frozen=True)
class Observation:
    """What was read.

    Attributes:
        samples: polls of the devices of the estate.
        heard: for each agent the time of its newest reading, nanoseconds.
    """

    samples: list[Sample]
    heard: dict[AgentKey, int]


def observe(store: Store, estate: Estate, start: int, end: int) -> Observation:
    """Read what all schools reported in [start, end), nanoseconds.

    Raises:
        StoreUnavailableError: the store can't be reached.
        StoreError: it refuses the query.
    """
    observation = Observation([], {})
    _read_polls(store, estate, start, end, observation)
    _read_heartbeats(store, start, end, observation)
    return observation


def _read_polls(
    store: Store, estate: Estate, start: int, end: int, observation: Observation
) -> None:
    query = Query(
        "availability", ("up", "reason"), start, end, group_by=("school", "agent", "device")
    )
    for series in store.query(query):
        school, device = series.tags["school"], series.tags["device"]
        _hear(observation, (school, series.tags["agent"]), series.times[-1])
        # An agent is believed about its own school's devices only.
        if estate.schools.get(device) == school:
            observation.samples.extend(
                Sample(device, time, bool(up), str(reason or ""))
                for time, up, reason in zip(
                    series.times, series.columns["up"], series.columns["reason"], strict=True
                )
                if up is not None
            )


def _read_heartbeats(store: Store, start: int, end: int, observation: Observation) -> None:
    query = Query(
        "agent",
        ("readings",),
        start,
        end,
        group_by=("school", "agent"),
        aggregate=Aggregate.LAST,
    )
    for series in store.query(query):
        _hear(observation, (series.tags["school"], series.tags["agent"]), series.times[-1])


def _hear(observation: Observation, agent: AgentKey, time: int) -> None:
    observation.heard[agent] = max(time, observation.heard.get(agent, 0))
