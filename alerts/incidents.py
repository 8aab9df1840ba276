"""From what is known of devices and agents to incidents, one for each cause."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from alerts.estate import AgentKey, Estate
from alerts.reachability import Reachability


class Scope(StrEnum):
    """What kind of thing an incident is about."""

    DEVICE = "device"
    """A device that fails by itself."""
    AGENT = "agent"
    """An agent that is silent, and with it all that only it can see."""
    PIPELINE = "pipeline"
    """No agent of several is heard: nothing arrives from any school."""
    STORE = "store"
    """The store can't be read: nothing is known of any school."""


@dataclass(frozen=True, slots=True)
class Subject:
    """What an incident is about; there is at most one open incident for each.

    Attributes:
        scope: what kind of thing.
        school: its school's id; "" for what belongs to none.
        id: the device's, the agent's or the district's id.
    """

    scope: Scope
    school: str
    id: str


@dataclass(frozen=True, slots=True)
class Impact:
    """What a failure takes along.

    Attributes:
        devices: ids of the devices that are unreachable, or unobserved, because of it.
        rooms: ids of the rooms they serve.
        seats: seats in these rooms.
    """

    devices: tuple[str, ...]
    rooms: tuple[str, ...]
    seats: int


NO_IMPACT: Final = Impact((), (), 0)
"""Of what takes nothing along by itself, only our knowledge of it."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong.

    Attributes:
        subject: what it is about.
        since: when it began, nanoseconds since 1970-01-01 UTC; 0 if nobody knows.
        reason: what was observed, in the observer's words; "" if nothing more.
        impact: what it takes along.
    """

    subject: Subject
    since: int
    reason: str
    impact: Impact


class Accounts:
    """Keeps every device and room in one incident's impact only."""

    def __init__(self, estate: Estate, claimed: Iterable[Impact]) -> None:
        self._estate = estate
        self._devices: set[str] = set()
        self._rooms: set[str] = set()
        for impact in claimed:
            self._devices.update(impact.devices)
            self._rooms.update(impact.rooms)

    def claim(self, devices: Iterable[str]) -> Impact:
        """Return the impact of losing `devices`, without what is claimed already."""
        lost = [device for device in devices if device not in self._devices]
        served = dict.fromkeys(room for device in lost for room in self._estate.rooms[device])
        rooms = [room for room in served if room not in self._rooms]
        self._devices.update(lost)
        self._rooms.update(rooms)
        return Impact(tuple(lost), tuple(rooms), sum(self._estate.seats[room] for room in rooms))


def device_findings(
    estate: Estate, reachability: Reachability, open_subjects: set[Subject], accounts: Accounts
) -> list[Finding]:
    """Return the devices that fail by themselves and have no open incident, oldest first.

    The impact of a device is what lies behind it, apart from devices that
    have answered since it failed: they have another way.
    """
    found = []
    failures = reachability.failures().items()
    for device, failure in sorted(failures, key=lambda item: (item[1].since, item[0])):
        subject = Subject(Scope.DEVICE, estate.schools[device], device)
        if subject not in open_subjects:
            lost = [
                other
                for other in estate.behind[device]
                if not reachability.answered_since(other, failure.since)
            ]
            found.append(Finding(subject, failure.since, failure.reason, accounts.claim(lost)))
    return found


def silent_agents(
    estate: Estate, heard: Mapping[AgentKey, int], now: int, silent_after: int
) -> list[AgentKey]:
    """Return the agents of which no reading is younger than `silent_after` nanoseconds."""
    return [agent for agent in estate.polled if now - heard.get(agent, 0) > silent_after]


def silence_findings(
    estate: Estate,
    district: str,
    heard: Mapping[AgentKey, int],
    silent: Sequence[AgentKey],
) -> list[Finding]:
    """Return who is silent: each agent by itself, or the whole pipeline if all are.

    One agent alone is never called the pipeline: what lies between it and
    the store can't be told from the agent.
    """
    if len(silent) == len(estate.polled) > 1:
        newest = max(heard.values(), default=0)
        return [Finding(Subject(Scope.PIPELINE, "", district), newest, "", NO_IMPACT)]
    return [
        Finding(
            Subject(Scope.AGENT, *agent),
            heard.get(agent, 0),
            "",
            Accounts(estate, []).claim(estate.polled[agent]),
        )
        for agent in silent
    ]
