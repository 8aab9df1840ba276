"""All that is known of a school at a moment, read from the store once for every target."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from campuswatch.inventory.models import School
from campuswatch.stores.base import Store
from targets.availability import read_reasons, read_timelines
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
    """

    school: School
    now: int
    topology: Topology
    timelines: Mapping[str, Timeline]
    reasons: Mapping[str, str]
    signals: Mapping[str, Signal]

    @cached_property
    def states(self) -> States:
        """Whether each device is up now; None where that is unknown."""
        return {device: line.state for device, line in self.timelines.items()}


def gather(store: Store, school: School, start: int, now: int) -> Evidence:
    """Read what is known of a school over [start, now), ns UTC.

    Raises:
        StoreUnavailableError: the store can't be reached.
    """
    return Evidence(
        school,
        now,
        Topology(school.devices),
        read_timelines(store, school, start, now),
        read_reasons(store, school, now),
        read_signals(store, school.id, now),
    )
