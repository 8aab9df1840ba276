"""Whether a school meets an uptime target."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from functools import reduce
from operator import add
from typing import Final

from campuswatch.calendar import SchoolCalendar
from campuswatch.intervals import IntervalSet
from campuswatch.inventory.models import Device, UptimeTarget
from targets import causes
from targets.evidence import Evidence
from targets.topology import Topology
from targets.uptime import Timeline, Uptime, uptime
from targets.verdicts import Cause, DeviceUptime, Share, TimeShares, UptimeVerdict

STARTING: Final = 4 * 60 * 1_000_000_000
"""How long a device may take to start after what feeds it is back, in ns."""


def judge(
    target: UptimeTarget, evidence: Evidence, calendar: SchoolCalendar
) -> UptimeVerdict | None:
    """Return the verdict on an uptime target; None when the school has no device in its scope.

    The devices' time is pooled: the share judged is that of up time in the
    service time of all of them.
    """
    scope = [device for device in evidence.school.devices if device.kind in target.device_kinds]
    if not scope:
        return None
    start = evidence.now - window_length(target)
    lines = {device: line.since(start) for device, line in evidence.timelines.items()}
    due = IntervalSet.of([(start, evidence.now)])
    if target.hours == "service":
        due = calendar.service(start, evidence.now)
    parts = {device.id: uptime(lines[device.id], due) for device in scope}
    total = reduce(add, parts.values())
    share = _share(total)
    return UptimeVerdict(
        id=target.id,
        objective=target.objective,
        share=share,
        verdict=share.judge(target.objective),
        reason=_reason(total),
        causes=tuple(_causes(scope, lines, due, evidence)),
        window_start=start,
        window_end=evidence.now,
        time=_times(total),
        devices=_devices(scope, parts),
    )


def window_length(target: UptimeTarget) -> int:
    """Return the length of a target's window in ns."""
    return round(target.window.total_seconds()) * 1_000_000_000


def _share(time: Uptime) -> Share:
    return Share.of(time.up, time.down, time.unknown)


def _times(time: Uptime) -> TimeShares:
    return TimeShares(up=time.up, down=time.down, unknown=time.unknown, excused=time.excused)


def _devices(scope: Iterable[Device], parts: Mapping[str, Uptime]) -> tuple[DeviceUptime, ...]:
    devices = [
        DeviceUptime(
            id=device.id,
            name=device.name,
            share=_share(parts[device.id]),
            time=_times(parts[device.id]),
        )
        for device in scope
    ]
    return tuple(sorted(devices, key=lambda device: (-device.time.down, -device.time.unknown)))


def _reason(total: Uptime) -> str:
    if not total.counted:
        return "no service hours in the window"
    parts = (("down", total.down), ("unknown", total.unknown))
    return ", ".join(
        f"{word} {100 * time / total.counted:.3f} % of the time" for word, time in parts if time
    )


def _causes(
    scope: Iterable[Device], lines: Mapping[str, Timeline], due: IntervalSet, evidence: Evidence
) -> list[Cause]:
    """Return the devices that cost the scope's devices up time, then what is silent now."""
    topology = evidence.topology
    lost, when = Counter[str](), defaultdict[str, IntervalSet](IntervalSet)
    for device in scope:
        for cause, time in topology.blame(device.id, lines, _settle(device, topology)).items():
            lost[cause] += (time & due).total
            when[cause] |= time & due
    down = [
        causes.device_was_down(evidence, cause, topology.rooms_affected(cause), time, when[cause])
        for cause, time in lost.most_common()
        if time
    ]
    quiet = {
        device.id: topology.rooms_affected(device.id)
        for device in scope
        if lines[device.id].state is None
    }
    return down + causes.silent(evidence, quiet)


def _settle(device: Device, topology: Topology) -> int:
    """Return how far from its cause a device's outage may seem to begin or end, in ns.

    The two are polled at different moments of their intervals, and the device
    starts after the cause is mended.
    """
    polled = (topology.devices[hop].interval for hop in topology.path(device.id))
    return round(max(polled).total_seconds() * 1e9) + STARTING
