"""All that is known of schools at a moment, read from the store once for every target."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from campuswatch.inventory.models import School
from campuswatch.stores.base import Store
from targets.availability import read_reasons, read_timelines
from targets.bandwidth import read_speeds
from targets.history import ReadRaw, read_history
from targets.promise import Promise
from targets.topology import States, Topology
from targets.uptime import Timeline
from targets.wifi.signals import Signal, read_signals


@dataclass(frozen=True)
class Evidence:
    """What the verdicts about a school rest on.

    Attributes:
        school: the school.
        now: the moment they are about, ns UTC.
        topology: its tree of uplinks.
        timelines: each device's timeline, ended by `now`.
        reasons: why a device is down now, in its agent's words.
        signals: for each room with a current measurement its Wi-Fi signal.
        line_speed: of the port that its line to the internet ends on, bit/s.
    """

    school: School
    now: int
    topology: Topology
    timelines: Mapping[str, Timeline]
    reasons: Mapping[str, str]
    signals: Mapping[str, Signal]
    line_speed: int | None = None

    @cached_property
    def states(self) -> States:
        """Whether each device is up now; None where that is unknown."""
        return {device: line.state for device, line in self.timelines.items()}


def gather(
    store: Store,
    schools: Sequence[School],
    promises: Mapping[str, Promise],
    start: int,
    now: int,
    *,
    read_raw: ReadRaw = read_timelines,
) -> dict[str, Evidence]:
    """Read what is known of schools from before `start` on, up to `now`, both ns UTC.

    Args:
        store: where readings and daily results are.
        schools: which.
        promises: made to each school, by its id.
        start: each timeline begins with the school's day that this lies in.
        now: the moment to judge.
        read_raw: reads what is not summarised.

    Returns:
        The evidence by the id of the school.

    Raises:
        StoreUnavailableError: the store can't be reached.
    """
    timelines = read_history(store, schools, promises, start, now, read_raw=read_raw)
    reasons = read_reasons(store, schools, now)
    speeds = read_speeds(store, schools, now)
    return {
        school.id: Evidence(
            school,
            now,
            Topology(school.devices),
            timelines[school.id],
            reasons[school.id],
            read_signals(store, school.id, now),
            speeds.get(school.id),
        )
        for school in schools
    }
