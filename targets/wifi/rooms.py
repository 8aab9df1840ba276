"""Whether a room has Wi-Fi now, at the first level: served, connected, and strong as measured."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from campuswatch.inventory.models import DeviceKind, Room
from targets.evidence import Evidence
from targets.topology import is_watched, rooms_served
from targets.verdicts import Limit, RoomState, RoomVerdict
from targets.wifi.signals import Signal


@dataclass(frozen=True, slots=True)
class Link:
    """An access point's way to the internet.

    Attributes:
        ap: the access point.
        working: whether it and every device above it is up; None when unknown.
        device: the device that is down or unknown; the access point if it works.
        time: the oldest reading this rests on, ns UTC; None without any.
    """

    ap: str
    working: bool | None
    device: str
    time: int | None


@dataclass(frozen=True, slots=True)
class _Finding:
    state: RoomState
    reason: str
    limit: Limit | None = None
    device: str | None = None
    time: int | None = None


def room_verdicts(rooms: Iterable[Room], evidence: Evidence, min_rssi: float) -> list[RoomVerdict]:
    """Judge rooms of the evidence's school, in their order.

    A room passes when an access point that serves it is up, every device
    between that and the internet is up, and the signal measured in the room,
    if any is, reaches `min_rssi` (dBm).
    """
    links = links_by_room(evidence)
    return [
        room_verdict(room, links[room.id], evidence.signals.get(room.id), min_rssi, evidence.now)
        for room in rooms
    ]


def links_by_room(evidence: Evidence) -> dict[str, list[Link]]:
    """Return for each room the links of the access points that serve it."""
    links: dict[str, list[Link]] = defaultdict(list)
    for device in evidence.school.devices:
        if device.kind is DeviceKind.AP:
            link = _link(evidence, device.id)
            for room in rooms_served(device):
                links[room].append(link)
    return links


def _link(evidence: Evidence, ap: str) -> Link:
    topology, lines = evidence.topology, evidence.timelines
    broken = topology.first_break(ap, evidence.states)
    if broken is not None:
        return Link(ap, False, broken, lines[broken].last_sample)
    above = [hop for hop in topology.path(ap)[1:] if is_watched(topology.devices[hop])]
    for hop in (ap, *above):
        if lines[hop].state is None:
            return Link(ap, None, hop, lines[hop].last_sample)
    times = [lines[hop].last_sample for hop in (ap, *above)]
    return Link(ap, True, ap, min(time for time in times if time is not None))


def room_verdict(
    room: Room, links: Sequence[Link], signal: Signal | None, min_rssi: float, now: int
) -> RoomVerdict:
    """Judge one room.

    Args:
        room: the room.
        links: of the access points that serve it.
        signal: the current signal measured in it.
        min_rssi: the weakest signal that passes, dBm.
        now: ns UTC, for the age of the evidence.
    """
    finding = _finding(links, signal, min_rssi)
    return RoomVerdict(
        id=room.id,
        name=room.name,
        seats=room.seats,
        state=finding.state,
        limit=finding.limit,
        reason=finding.reason,
        device=finding.device,
        signal=None if signal is None else signal.rssi,
        evidence_time=finding.time,
        evidence_age=None if finding.time is None else now - finding.time,
    )


def _finding(links: Sequence[Link], signal: Signal | None, min_rssi: float) -> _Finding:
    if not links:
        return _Finding(RoomState.FAIL, "no access point serves the room", Limit.NO_AP)
    broken = [link for link in links if link.working is False]
    if working := [link for link in links if link.working]:
        return _served(working, broken, signal, min_rssi)
    for link in links:
        if link.working is None:
            reason = f"no current reading of {link.device}"
            return _Finding(
                RoomState.CANNOT_TELL, reason, Limit.NO_EVIDENCE, link.device, link.time
            )
    reason = "; ".join(_breakage(link) for link in broken)
    return _Finding(RoomState.FAIL, reason, Limit.DOWN, broken[0].device, broken[0].time)


def _served(
    working: Sequence[Link], broken: Sequence[Link], signal: Signal | None, min_rssi: float
) -> _Finding:
    served = f"served by {', '.join(link.ap for link in working)}"
    link_time = max(link.time for link in working if link.time is not None)
    if signal is None:
        return _Finding(RoomState.PASS, f"{served}; no signal measured", time=link_time)
    measured = f"{signal.device} measures {signal.rssi:g} dBm"
    if signal.rssi >= min_rssi:
        return _Finding(RoomState.PASS, f"{served}; {measured}", time=min(link_time, signal.time))
    reason = f"{measured}, less than {min_rssi:g} dBm"
    if not broken:
        return _Finding(RoomState.FAIL, reason, Limit.WEAK_SIGNAL, time=signal.time)
    reason = f"{reason}, while {'; '.join(_breakage(link) for link in broken)}"
    return _Finding(RoomState.FAIL, reason, Limit.DOWN, broken[0].device, signal.time)


def _breakage(link: Link) -> str:
    if link.device == link.ap:
        return f"{link.ap} is down"
    return f"{link.ap} is cut off by {link.device}, which is down"
