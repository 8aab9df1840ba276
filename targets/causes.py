"""Makes the causes that verdicts name."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping

from campuswatch.intervals import IntervalSet
from campuswatch.inventory.models import School
from targets.evidence import Evidence
from targets.uptime import Outage, Timeline
from targets.verdicts import Cause, DeviceRef, Limit, RoomRef


def device_down(evidence: Evidence, device_id: str, rooms: Iterable[str]) -> Cause:
    """Return the cause that a device is down now, and hurts the rooms of these ids."""
    return _down(evidence, device_id, evidence.timelines[device_id].outages()[-1], rooms)


def device_was_down(
    evidence: Evidence, device_id: str, rooms: Iterable[str], lost: int, when: IntervalSet
) -> Cause:
    """Return the cause that a device's outages cost `lost` ns of device time.

    It tells of the outage that took most of the time `when` any of it was
    lost. That time may come just after an outage, because what hung on the
    device was back later.
    """
    outages = evidence.timelines[device_id].outages()
    taken = [(IntervalSet.of([(o.start, o.end)]) & when).total for o in outages]
    worst = outages[max(range(len(outages)), key=lambda number: (taken[number], number))]
    count = max(1, sum(time > 0 for time in taken))
    return _down(evidence, device_id, worst, rooms, lost=lost, outages=count)


def _down(
    evidence: Evidence,
    device_id: str,
    outage: Outage,
    rooms: Iterable[str],
    *,
    lost: int | None = None,
    outages: int = 1,
) -> Cause:
    return Cause(
        limit=Limit.DOWN,
        device=DeviceRef.of(evidence.topology.devices[device_id]),
        detail="" if outage.over else evidence.reasons.get(device_id, ""),
        since=outage.start,
        until=outage.end if outage.over else None,
        began_before=outage.began_before,
        outages=outages,
        lost=lost,
        rooms=room_refs(evidence.school, rooms),
    )


def silent(evidence: Evidence, hurt: Mapping[str, Iterable[str]]) -> list[Cause]:
    """Return the causes that nothing current is known of devices.

    When all the devices of an agent are silent, the agent is named instead of them.

    Args:
        evidence: what is known.
        hurt: for each silent device the ids of the rooms that it hurts.
    """
    quiet = _silent_agents(evidence)
    found, by_agent = [], defaultdict[str, set[str]](set)
    for device_id, rooms in hurt.items():
        device = evidence.topology.devices[device_id]
        agent = evidence.school.agent_of(device)
        if agent in quiet:
            by_agent[agent].update(rooms)
        else:
            last_sample = evidence.timelines[device_id].last_sample
            found.append(_silent(evidence, rooms, last_sample, device=DeviceRef.of(device)))
    for agent, rooms in by_agent.items():
        found.append(_silent(evidence, rooms, quiet[agent], agent=agent))
    return found


def _silent(
    evidence: Evidence,
    rooms: Iterable[str],
    since: int | None,
    device: DeviceRef | None = None,
    agent: str | None = None,
) -> Cause:
    return Cause(
        limit=Limit.NO_EVIDENCE,
        device=device,
        agent=agent,
        since=since,
        rooms=room_refs(evidence.school, rooms),
    )


def _silent_agents(evidence: Evidence) -> dict[str, int | None]:
    """Return the agents with no current reading of any device, and the time of their last one."""
    lines: dict[str, list[Timeline]] = defaultdict(list)
    for device in evidence.school.devices:
        lines[evidence.school.agent_of(device)].append(evidence.timelines[device.id])
    return {
        agent: max((line.last_sample for line in own if line.last_sample is not None), default=None)
        for agent, own in lines.items()
        if all(line.state is None for line in own)
    }


def room_refs(school: School, rooms: Iterable[str]) -> tuple[RoomRef, ...]:
    """Return the rooms of these ids, in the order of the building."""
    wanted = set(rooms)
    return tuple(RoomRef.of(room) for room in school.rooms() if room.id in wanted)
