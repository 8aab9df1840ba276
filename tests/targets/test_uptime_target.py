"""What a school's uptime lost, and to what, for any history of its devices."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from campuswatch.calendar import SECOND, SchoolCalendar
from campuswatch.intervals import IntervalSet
from campuswatch.inventory.models import (
    Agent,
    Area,
    Calendar,
    Device,
    DeviceKind,
    Period,
    School,
    UptimeTarget,
)
from targets.evidence import Evidence
from targets.promise import Promise
from targets.topology import Topology
from targets.uptime import Timeline
from targets.uptime_target import judge
from targets.verdicts import Limit, UptimeVerdict, Verdict

MINUTE = 60 * SECOND
STEP = 2 * MINUTE
LENGTH = 60
NOW = round(dt.datetime.fromisoformat("2026-10-12T08:00+08:00").timestamp()) * SECOND
START = NOW - LENGTH * STEP
"""Two hours up to eight on a Monday, of which the second is in service hours."""

CALENDAR = SchoolCalendar(
    Calendar(id="default", service_hours=Period(name="service", start=dt.time(7), end=dt.time(18))),
    ZoneInfo("Asia/Shanghai"),
    "CN",
)
PROMISE = Promise(CALENDAR, ZoneInfo("Asia/Shanghai"), {})
UPLINKS = {"router": None, "switch": "router", "ap-1": "switch", "ap-2": "switch"}
DEVICES = [
    Device(
        id=name,
        name=name,
        kind=DeviceKind.AP if "ap" in name else DeviceKind.SWITCH,
        uplink=uplink,
        address="192.0.2.1",
    )
    for name, uplink in UPLINKS.items()
]
SCHOOL = School(
    id="school",
    name="School",
    area=Area.TOWN,
    students=1,
    agents=[Agent(id="agent")],
    devices=DEVICES,
)
histories = st.fixed_dictionaries(
    {
        name: st.lists(st.sampled_from([True, True, False, None]), min_size=5, max_size=5).map(
            lambda states: [state for state in states for _ in range(LENGTH // 5)]
        )
        for name in UPLINKS
    }
)


def judged(
    history: Mapping[str, Sequence[bool | None]], hours: str = "service", kind: str = "ap"
) -> UptimeVerdict:
    lines = {name: line(states) for name, states in history.items()}
    evidence = Evidence(SCHOOL, NOW, Topology(DEVICES), lines, {}, {})
    target = UptimeTarget.model_validate(
        {
            "id": "uptime",
            "kind": "uptime",
            "objective": 99,
            "window": "1d",
            "hours": hours,
            "device_kinds": [kind],
        }
    )
    verdict = judge(target, evidence, PROMISE)
    assert verdict is not None
    return verdict


def line(states: Sequence[bool | None]) -> Timeline:
    def when(wanted: bool) -> IntervalSet:
        spans = [(START + n * STEP, START + (n + 1) * STEP) for n in range(len(states))]
        return IntervalSet.of(
            span for span, state in zip(spans, states, strict=True) if state is wanted
        )

    return Timeline(START, NOW, when(True), when(False), NOW - STEP)


@given(histories, st.sampled_from(["service", "always"]))
def test_causes_account_for_exactly_the_time_that_was_down(
    history: Mapping[str, Sequence[bool | None]], hours: str
) -> None:
    verdict = judged(history, hours)
    lost = [cause.lost for cause in verdict.causes if cause.limit is Limit.DOWN]
    assert sum(time or 0 for time in lost) == verdict.time.down
    assert lost == sorted(lost, key=lambda time: -(time or 0))
    assert sum(device.time.down for device in verdict.devices) == verdict.time.down


def test_what_comes_back_after_the_first_bell_is_laid_on_what_failed_before_it() -> None:
    up = [True] * LENGTH
    # The switch is down from half past six to seven, its access points a poll longer.
    switch = [*up[:15], *[False] * 15, *up[30:]]
    ap = [*up[:15], *[False] * 16, *up[31:]]
    verdict = judged({"router": up, "switch": switch, "ap-1": ap, "ap-2": ap})
    [cause] = verdict.causes
    assert cause.device is not None
    assert (cause.device.id, cause.lost, cause.outages) == ("switch", 2 * STEP, 1)
    assert (cause.since, cause.until) == (START + 15 * STEP, START + 30 * STEP)
    assert verdict.verdict is Verdict.MISSED


def test_a_cause_tells_of_its_own_outage_and_not_of_a_longer_one_that_another_caused() -> None:
    up = [True] * LENGTH
    router = [*up[:32], *[False] * 10, *up[42:]]
    switch = [*router[:52], *[False] * 3, *up[55:]]
    verdict = judged({"router": router, "switch": switch, "ap-1": switch, "ap-2": switch})
    told = {
        cause.device.id: (cause.since, cause.lost, cause.outages)
        for cause in verdict.causes
        if cause.device is not None
    }
    assert told == {
        "router": (START + 32 * STEP, 2 * 10 * STEP, 1),
        "switch": (START + 52 * STEP, 2 * 3 * STEP, 1),
    }


def test_a_window_without_service_hours_breaks_no_promise() -> None:
    holiday = SchoolCalendar(
        Calendar(id="default", closed_days=[dt.date(2026, 10, 12)]),
        ZoneInfo("Asia/Shanghai"),
        "CN",
    )
    down = {name: line([False] * LENGTH) for name in UPLINKS}
    evidence = Evidence(SCHOOL, NOW, Topology(DEVICES), down, {}, {})
    target = UptimeTarget(
        id="uptime",
        kind="uptime",
        objective=99,
        window=dt.timedelta(days=1),
        device_kinds=[DeviceKind.AP],
    )
    verdict = judge(target, evidence, Promise(holiday, ZoneInfo("Asia/Shanghai"), {}))
    assert verdict is not None
    assert verdict.verdict is Verdict.MET
    assert verdict.share.attained is None
    assert verdict.reason == "no service hours in the window"
    assert verdict.time.excused == 2 * 8 * 60 * MINUTE


def test_a_target_without_devices_does_not_apply() -> None:
    evidence = Evidence(SCHOOL, NOW, Topology(DEVICES), {}, {}, {})
    target = UptimeTarget(
        id="uptime", kind="uptime", objective=99, device_kinds=[DeviceKind.PRINTER]
    )
    assert judge(target, evidence, PROMISE) is None
