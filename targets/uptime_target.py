"""Whether a school meets an uptime target."""

from __future__ import annotations

import datetime as dt
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from functools import reduce
from operator import add

from campuswatch.intervals import IntervalSet
from campuswatch.inventory.models import Device, School, UptimeTarget
from targets import causes
from targets.error_budget import LOOKS, error_budget, instant_in
from targets.evidence import Evidence
from targets.promise import Promise, window_of
from targets.topology import rooms_served, settle_of
from targets.uptime import Timeline, Uptime, uptime
from targets.verdicts import (
    Cause,
    DeviceUptime,
    ErrorBudget,
    ExamUptime,
    Share,
    TimeShares,
    UptimeVerdict,
    worst,
)

Lines = Mapping[str, Timeline]
Due = Mapping[str, IntervalSet]


def judge(target: UptimeTarget, evidence: Evidence, promise: Promise) -> UptimeVerdict | None:
    """Return the verdict on an uptime target; None when the school has no device in its scope.

    The devices' time is pooled: the share judged is that of up time in the
    service time of all of them.
    """
    scope = scope_of(target, evidence.school)
    if not scope:
        return None
    now = evidence.now
    start, closes = window_of(target, promise.calendar, now)
    lines = {device: line.since(start) for device, line in evidence.timelines.items()}
    due = {device.id: promise.due(target.hours, device.id, start, now) for device in scope}
    parts = {device.id: uptime(lines[device.id], due[device.id]) for device in scope}
    total = reduce(add, parts.values())
    share = _share(total)
    exam = _exam(target, lines, due, promise.calendar.exams(start, now))
    return UptimeVerdict(
        id=target.id,
        objective=target.objective,
        share=share,
        verdict=worst([share.judge(target.objective), *([exam.verdict] if exam else [])]),
        reason=_reason(total),
        causes=tuple(_causes(scope, lines, due, evidence)),
        window=window_name(target),
        window_start=start,
        window_end=now,
        window_closes=closes,
        time=_times(total),
        budget=_budget(target, scope, evidence, promise, total),
        exam=exam,
        devices=_devices(scope, parts),
    )


def scope_of(target: UptimeTarget, school: School) -> list[Device]:
    """Return the devices of a school that a target is about."""
    kinds = {room.id: room.kind for room in school.rooms()}

    def is_meant(device: Device) -> bool:
        if device.kind not in target.device_kinds:
            return False
        rooms = {device.room, *rooms_served(device)} - {None}
        return target.room_kinds is None or any(
            kinds[room] in target.room_kinds for room in rooms if room is not None
        )

    return [device for device in school.devices if is_meant(device)]


def window_name(target: UptimeTarget) -> str:
    """Return how a target's window is chosen, as the inventory says it."""
    window = target.window
    return f"{window.days}d" if isinstance(window, dt.timedelta) else window.value


def _budget(
    target: UptimeTarget,
    scope: Sequence[Device],
    evidence: Evidence,
    promise: Promise,
    total: Uptime,
) -> ErrorBudget:
    now = evidence.now
    start, closes = window_of(target, promise.calendar, now)
    looks = {}
    for over in LOOKS:
        lines = ((device.id, evidence.timelines[device.id].since(now - over)) for device in scope)
        parts = (
            uptime(line, promise.due(target.hours, device, now - over, now))
            for device, line in lines
        )
        looks[over] = reduce(add, parts)
    to_come = (promise.due(target.hours, device.id, now, closes).total for device in scope)
    is_rolling = isinstance(target.window, dt.timedelta)
    horizon = now + (closes - start) if is_rolling else closes
    hours = promise.hours(target.hours, now, horizon)
    return error_budget(
        target.objective,
        total,
        to_come=sum(to_come),
        looks=looks,
        now=now,
        instant_after=lambda device_time: instant_in(hours, device_time // len(scope)),
    )


def _exam(target: UptimeTarget, lines: Lines, due: Due, exams: IntervalSet) -> ExamUptime | None:
    if target.exam_objective is None:
        return None
    parts = (uptime(lines[device], hours & exams) for device, hours in due.items())
    total = reduce(add, parts)
    share = _share(total)
    return ExamUptime(
        objective=target.exam_objective,
        share=share,
        verdict=share.judge(target.exam_objective),
        time=_times(total),
    )


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


def _causes(scope: Iterable[Device], lines: Lines, due: Due, evidence: Evidence) -> list[Cause]:
    """Return the devices that cost the scope's devices up time, then what is silent now."""
    topology = evidence.topology
    lost, when = Counter[str](), defaultdict[str, IntervalSet](IntervalSet)
    for device in scope:
        settle = settle_of(device.id, topology)
        for cause, time in topology.blame(device.id, lines, settle).items():
            lost[cause] += (time & due[device.id]).total
            when[cause] |= time & due[device.id]
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
