"""What a check says: three-valued verdicts, their evidence, and their JSON form.

Inside, times are nanoseconds since 1970-01-01 UTC and durations nanoseconds;
in JSON they are RFC 3339 in UTC and seconds.
"""

from __future__ import annotations

import datetime as dt
from enum import StrEnum
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, PlainSerializer, computed_field

from campuswatch.inventory.models import Area, Device, DeviceKind, Room


def utc(instant: int) -> dt.datetime:
    """Return an instant (ns UTC) as a datetime, without its fraction of a second."""
    return dt.datetime.fromtimestamp(instant // 1_000_000_000, dt.UTC)


def _rfc3339(instant: int) -> str:
    return f"{utc(instant):%Y-%m-%dT%H:%M:%SZ}"


Instant = Annotated[int, PlainSerializer(_rfc3339, return_type=str, when_used="json-unless-none")]
Duration = Annotated[
    int, PlainSerializer(lambda ns: ns / 1e9, return_type=float, when_used="json-unless-none")
]
SeatTime = Annotated[
    int, PlainSerializer(lambda ns: ns / 60e9, return_type=float, when_used="json-unless-none")
]
"""Seats times nanoseconds; in JSON seats times minutes."""


class Verdict(StrEnum):
    """Whether a promise is kept."""

    MET = "met"
    MISSED = "missed"
    CANNOT_TELL = "cannot-tell"


class RoomState(StrEnum):
    """Whether a room has what it was promised."""

    PASS = "pass"  # noqa: S105 - a verdict, no password
    FAIL = "fail"
    CANNOT_TELL = "cannot-tell"


class Limit(StrEnum):
    """What keeps a room or a target from passing."""

    DOWN = "down"
    """A device is down."""
    NO_AP = "no-ap"
    """No access point serves the room."""
    WEAK_SIGNAL = "weak-signal"
    """The signal measured in the room is below the target's."""
    NO_EVIDENCE = "no-evidence"
    """There is no current reading of a device."""


class _Result(BaseModel):
    model_config = ConfigDict(frozen=True)


class Share(_Result):
    """A share in percent with what is known of it; all None when nothing was due.

    Attributes:
        attained: of what is known; None when nothing is.
        low: when all that is unknown counts as failed.
        high: when all that is unknown counts as good.
    """

    attained: float | None
    low: float | None
    high: float | None

    @classmethod
    def of(cls, good: int, bad: int, unknown: int) -> Share:
        """Return the share of `good` in the total of all three (ns, seats or rooms)."""
        known, total = good + bad, good + bad + unknown
        return cls(
            attained=100 * good / known if known else None,
            low=100 * good / total if total else None,
            high=100 * (good + unknown) / total if total else None,
        )

    def judge(self, objective: float) -> Verdict:
        """Return whether the objective (percent) is met for certain, or missed for certain.

        Where nothing was due, no promise was broken.
        """
        if self.low is None or self.high is None or self.low >= objective:
            return Verdict.MET
        return Verdict.MISSED if self.high < objective else Verdict.CANNOT_TELL


class RoomRef(_Result):
    """A room, by name."""

    id: str
    name: str
    seats: int

    @classmethod
    def of(cls, room: Room) -> RoomRef:
        """Return the reference to a room."""
        return cls(id=room.id, name=room.name, seats=room.seats)


class DeviceRef(_Result):
    """A device, by name, and the room it stands in."""

    id: str
    name: str
    kind: DeviceKind
    room: str | None

    @classmethod
    def of(cls, device: Device) -> DeviceRef:
        """Return the reference to a device."""
        return cls(id=device.id, name=device.name, kind=device.kind, room=device.room)


class Cause(_Result):
    """One thing to mend, and whom it hurts.

    Attributes:
        limit: what is wrong.
        device: the device to look at; None when no single device is to blame.
        agent: the agent that is silent, when all its devices are.
        detail: why the device is down, in its agent's words; "" when it is up again.
        since: when it began; None when unknown.
        until: when it ended; None while it lasts.
        began_before: whether it began before the window, so that `since` is late.
        outages: how many outages the device had; `since` and `until` are the worst one's.
        lost: device time within service hours that they cost; None for a state of now.
        rooms: the rooms it hurts.
        seats: the seats of those rooms.
    """

    limit: Limit
    device: DeviceRef | None = None
    agent: str | None = None
    detail: str = ""
    since: Instant | None = None
    until: Instant | None = None
    began_before: bool = False
    outages: int = 1
    lost: Duration | None = Field(default=None, serialization_alias="lost_seconds")
    rooms: tuple[RoomRef, ...] = ()

    @computed_field  # type: ignore[prop-decorator]  # as pydantic documents for mypy
    @property
    def seats(self) -> int:
        return sum(room.seats for room in self.rooms)


class TargetVerdict(_Result):
    """What every kind of target's verdict has.

    Attributes:
        id: the target's id.
        objective: percent.
        share: what was attained.
        verdict: the verdict.
        reason: why, in one sentence; "" when met and there is nothing to say.
        causes: what it was lost to, the worst first.
    """

    id: str
    objective: float
    share: Share
    verdict: Verdict
    reason: str = ""
    causes: tuple[Cause, ...] = ()


class TimeShares(_Result):
    """The parts of a window, in device time."""

    up: Duration = Field(serialization_alias="up_seconds")
    down: Duration = Field(serialization_alias="down_seconds")
    unknown: Duration = Field(serialization_alias="unknown_seconds")
    excused: Duration = Field(serialization_alias="excused_seconds")


class DeviceUptime(_Result):
    """Uptime of one device."""

    id: str
    name: str
    share: Share
    time: TimeShares


class BurnRate(_Result):
    """How fast an error budget is being spent: at 1, it lasts exactly the window.

    All rates are None when nothing was due, or nothing may fail at all.

    Attributes:
        over: the time up to the check that it is taken over.
        rate: of what is known; None when nothing is.
        low: when all that is unknown counts as good.
        high: when all that is unknown counts as failed.
    """

    over: Duration = Field(serialization_alias="over_seconds")
    rate: float | None = None
    low: float | None = None
    high: float | None = None


class ErrorBudget(_Result):
    """Device time that may be down without missing the objective.

    Attributes:
        total: of the whole window, what is left of it included.
        spent: was down.
        unknown: may have been down.
        left: what is left in percent of the total, below 0 when overdrawn;
            None when nothing was due, or nothing may fail at all.
        left_low: when all that is unknown counts as failed.
        burn_rates: over the last hour, 6 hours and 3 days.
        exhausted: when it runs out if devices go on failing as in the last 3
            days; the time of the check when it has; None when it lasts the window.
    """

    total: Duration = Field(serialization_alias="total_seconds")
    spent: Duration = Field(serialization_alias="spent_seconds")
    unknown: Duration = Field(serialization_alias="unknown_seconds")
    left: float | None
    left_low: float | None
    burn_rates: tuple[BurnRate, ...]
    exhausted: Instant | None = None


class ExamUptime(_Result):
    """Uptime in the service hours of the window's exam days, judged by itself."""

    objective: float
    share: Share
    verdict: Verdict
    time: TimeShares


class UptimeVerdict(TargetVerdict):
    """Whether devices were up for long enough.

    Attributes:
        window: how it is chosen: so many days such as "28d", "month" or "term".
        window_start: first instant of the window.
        window_end: its end so far, the time of the check.
        window_closes: when the day, month or term it ends with is over.
        time: the window's parts, summed over the devices: the denominators.
        budget: what may still fail.
        exam: of the exam days; None without an objective for them.
        devices: each device's uptime, the worst first.
    """

    kind: Literal["uptime"] = "uptime"
    window: str
    window_start: Instant
    window_end: Instant
    window_closes: Instant
    time: TimeShares
    budget: ErrorBudget
    exam: ExamUptime | None = None
    devices: tuple[DeviceUptime, ...]


class RoomVerdict(_Result):
    """Whether one room has Wi-Fi now.

    Attributes:
        id: the room's id.
        name: its name.
        seats: its seats.
        state: the verdict.
        limit: what keeps it from passing; None when it passes.
        reason: the verdict's ground, in one sentence.
        device: the device that causes it, if a device does.
        signal: the signal measured in the room, dBm; None without a current measurement.
        evidence_time: time of the oldest reading the verdict rests on; None without any.
        evidence_age: age of that reading at the time of the check.
    """

    id: str
    name: str
    seats: int
    state: RoomState
    limit: Limit | None = None
    reason: str
    device: str | None = None
    signal: float | None = Field(default=None, serialization_alias="signal_dbm")
    evidence_time: Instant | None = None
    evidence_age: Duration | None = Field(default=None, serialization_alias="evidence_age_seconds")


class Counted(_Result):
    """Rooms, or their seats, by verdict: the denominators."""

    passing: int
    failing: int
    unknown: int


class CoverageVerdict(TargetVerdict):
    """Whether enough seats have Wi-Fi now.

    Attributes:
        seats: seats by verdict.
        rooms_counted: rooms by verdict; they are the measure when no room has seats.
        room_share: the share of rooms, beside the share of seats that is judged.
        rooms: every room in the target's scope.
    """

    kind: Literal["wifi-coverage"] = "wifi-coverage"
    seats: Counted
    rooms_counted: Counted
    room_share: Share
    rooms: tuple[RoomVerdict, ...]


class BandwidthVerdict(TargetVerdict):
    """Whether the line to the internet carries enough for every student.

    Its share is what the line can carry of what was promised, at most 100, and
    its objective 100.

    Attributes:
        students: for how many.
        down: what the line can carry, Mbit/s; None without a line in the inventory.
        up: the same of upload.
        promised_down: what was promised to all students together, Mbit/s.
        promised_up: the same of upload; None when nothing was.
    """

    kind: Literal["bandwidth"] = "bandwidth"
    students: int
    down: float | None = Field(serialization_alias="down_mbps")
    up: float | None = Field(serialization_alias="up_mbps")
    promised_down: float = Field(serialization_alias="promised_down_mbps")
    promised_up: float | None = Field(serialization_alias="promised_up_mbps")


class RoomLessons(_Result):
    """What the lessons in one room lost.

    Attributes:
        id: the room's id.
        name: its name.
        seats: its seats.
        due: seats times the time of lessons.
        lost: of that, without a working network.
        unknown: of that, of which nothing is known.
    """

    id: str
    name: str
    seats: int
    due: SeatTime = Field(serialization_alias="due_seat_minutes")
    lost: SeatTime = Field(serialization_alias="lost_seat_minutes")
    unknown: SeatTime = Field(serialization_alias="unknown_seat_minutes")


class LessonCause(_Result):
    """What one device's failures cost lessons."""

    device: DeviceRef
    lost: SeatTime = Field(serialization_alias="lost_seat_minutes")
    rooms: tuple[str, ...]


class LessonTime(_Result):
    """The lesson time that a school lost: seats times time without a working network.

    Maintenance is no excuse here: this is what teaching felt.

    Attributes:
        window_start: midnight seven days ago or, of today's, of today.
        window_end: the time of the check.
        due: seats times the time of lessons, of all rooms with a known way to
            the internet.
        lost: of that, without a working network.
        unknown: of that, of which nothing is known.
        share: what was not lost, in percent.
        rooms: each room, the one that lost most first.
        causes: the devices to blame, the worst first.
    """

    window_start: Instant
    window_end: Instant
    due: SeatTime = Field(serialization_alias="due_seat_minutes")
    lost: SeatTime = Field(serialization_alias="lost_seat_minutes")
    unknown: SeatTime = Field(serialization_alias="unknown_seat_minutes")
    share: Share
    rooms: tuple[RoomLessons, ...]
    causes: tuple[LessonCause, ...]


AnyVerdict = UptimeVerdict | CoverageVerdict | BandwidthVerdict
"""The verdict on a target of any kind."""


class SchoolVerdict(_Result):
    """What one school's targets came to.

    Attributes:
        id: the school's id.
        name: its name.
        area: where it lies.
        verdict: missed if any target is, else cannot-tell if any is, else met.
        lessons: what the lessons of the last seven days lost.
        lessons_today: what today's lessons lost up to now.
        targets: one verdict for each target that applies to the school.
        left_on: projectors and displays that are on outside the service hours.
    """

    id: str
    name: str
    area: Area
    verdict: Verdict
    lessons: LessonTime
    lessons_today: LessonTime
    left_on: tuple[DeviceRef, ...] = ()
    targets: tuple[AnyVerdict, ...]


class CheckReport(_Result):
    """What `campuswatch check --json` prints.

    Keys are added over time, and never renamed or given another meaning:

        generated       time of the check, RFC 3339 UTC
        schools[]       id, name, area, verdict (met, missed, cannot-tell), lessons,
                        lessons_today, left_on[] {id, name, kind, room}, targets[]
        lessons         window_start, window_end, {due,lost,unknown}_seat_minutes, share,
                        rooms[], causes[]
        targets[]       id, kind, objective (%), share {attained, low, high} (%),
                        verdict, reason, causes[], and by kind:
          uptime        window, window_start, window_end, window_closes, time (the
                        denominators), budget, exam, devices[] with id, name, share,
                        time; time is {up,down,unknown,excused}_seconds; budget is
                        {total,spent,unknown}_seconds, left and left_low (%),
                        burn_rates[] {over_seconds, rate, low, high}, exhausted
          wifi-coverage seats and rooms_counted {passing, failing, unknown} (the
                        denominators), room_share, rooms[] with id, name, seats, state
                        (pass, fail, cannot-tell), limit, reason, device, signal_dbm,
                        evidence_time, evidence_age_seconds
          bandwidth     students, {down,up}_mbps, promised_{down,up}_mbps
        causes[]        limit (down, no-ap, weak-signal, no-evidence), device {id, name,
                        kind, room}, agent, detail, since, until, began_before,
                        outages, lost_seconds, rooms[] {id, name, seats}, seats
    """

    generated: Instant
    schools: tuple[SchoolVerdict, ...]


def worst(verdicts: list[Verdict]) -> Verdict:
    """Return missed if any is missed, else cannot-tell if any is, else met."""
    for verdict in (Verdict.MISSED, Verdict.CANNOT_TELL):
        if verdict in verdicts:
            return verdict
    return Verdict.MET
