"""Prints what a check found, for people."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Final
from zoneinfo import ZoneInfo

from rich.console import Console, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from campuswatch.inventory.models import Inventory
from targets.verdicts import (
    AnyVerdict,
    Cause,
    CheckReport,
    LessonTime,
    Limit,
    RoomRef,
    SchoolVerdict,
    Share,
    UptimeVerdict,
    Verdict,
    utc,
)

_WORDS: Final = {
    Verdict.MET: Text("met", "green"),
    Verdict.MISSED: Text("missed", "bold red"),
    Verdict.CANNOT_TELL: Text("cannot tell", "yellow"),
}
_LIMITS: Final = {
    Limit.DOWN: "down",
    Limit.NO_AP: "no access point serves these rooms",
    Limit.WEAK_SIGNAL: "weak signal, with all access points up",
    Limit.NO_EVIDENCE: "no current reading",
}
_MINUTE: Final = 60 * 1_000_000_000
_HOUR: Final = 60 * _MINUTE
_WIDEST: Final = 100
_MOST_CAUSES: Final = 5
_MOST_ROOMS: Final = 6


def print_report(console: Console, report: CheckReport, inventory: Inventory) -> None:
    """Print a report: each school with its targets, and under them what went wrong.

    Args:
        console: where to.
        report: what was found.
        inventory: tells each school's time zone.
    """
    header = ("target", "objective", "attained (lowest to highest)", "verdict")
    console.print(_row(console, *(Text(word, "dim") for word in header)))
    for school in report.schools:
        zone = inventory.zone_of(inventory.school(school.id))
        _print_school(console, school, zone, report.generated)
    console.print(_summary(report, ZoneInfo(inventory.district.timezone)))


def _print_school(console: Console, school: SchoolVerdict, zone: ZoneInfo, now: int) -> None:
    heading = Text.assemble((school.name, "bold"), f"  {school.id}, {school.area}  ")
    console.print(heading + _WORDS[school.verdict])
    console.print(_indented(2, _lessons(school.lessons)))
    if school.left_on:
        names = ", ".join(f"{device.id} ({device.name})" for device in school.left_on)
        console.print(_indented(2, Text(f"left on after school: {names}", "yellow")))
    if not school.targets:
        console.print(_indented(2, "no target applies"))
    for target in school.targets:
        attained = _attained(target.share)
        objective = f"{target.objective:g} %"
        console.print(_row(console, target.id, objective, attained, _WORDS[target.verdict]))
        for remark in _remarks(target, zone):
            console.print(_indented(4, remark))
        if target.verdict is Verdict.MET:
            continue
        if target.reason:
            console.print(_indented(4, Text(target.reason, "dim")))
        for line in _cause_lines(target.causes, zone, now):
            console.print(line)
    console.print()


def _row(console: Console, *cells: str | Text) -> Padding:
    row = Table.grid(padding=(0, 2), expand=True)
    row.width = min(console.width, _WIDEST) - 2
    row.add_column(ratio=1)
    row.add_column(width=9, justify="right")
    row.add_column(width=29)
    row.add_column(width=11)
    row.add_row(*cells)
    return _indented(2, row)


def _indented(by: int, content: RenderableType) -> Padding:
    return Padding(content, (0, 0, 0, by), expand=False)


def _attained(share: Share) -> str:
    if share.low is None or share.high is None:
        return "nothing was due"
    if share.attained is None:
        return "nothing is known"
    if share.low == share.high:
        return f"{share.attained:.3f} %"
    return f"{share.attained:.3f} % ({share.low:.2f} to {share.high:.2f})"


def _lessons(lessons: LessonTime) -> Text:
    """Return the headline: what teaching lost in the last days."""
    if lessons.share.low is None:
        return Text("no lessons in the last seven days", "dim")
    if lessons.share.attained is None:
        return Text("lesson time lost in seven days: nothing is known", "yellow")
    style = "bold red" if lessons.lost else "green"
    text = Text("lesson time lost in seven days: ")
    text.append(f"{lessons.lost / _MINUTE:,.0f} seat minutes", style)
    text.append(f" of {lessons.due / _MINUTE:,.0f} ({100 * lessons.lost / lessons.due:.2f} %)")
    if lessons.unknown:
        text.append(f", {lessons.unknown / _MINUTE:,.0f} unknown", "yellow")
    if lessons.causes:
        worst = lessons.causes[0]
        text.append(f"; {worst.lost / _MINUTE:,.0f} to {worst.device.id}", "dim")
    return text


def _remarks(target: AnyVerdict, zone: ZoneInfo) -> Iterator[Text]:
    """Yield what else is to be said of an uptime target: its budget, and its exam days."""
    if not isinstance(target, UptimeVerdict):
        return
    budget = target.budget
    if budget.left is not None:
        parts = [f"{budget.left:.0f} % of the error budget left"]
        if budget.left_low is not None and budget.left_low < 0 <= budget.left:
            parts[0] += ", or overdrawn if what is unknown was down"
        elif budget.left_low is not None and budget.left_low < budget.left:
            parts[0] += f", {budget.left_low:.0f} % if what is unknown was down"
        rates = ", ".join(
            f"{burn.rate:.1f} over {_duration(burn.over)}"
            for burn in budget.burn_rates
            if burn.rate
        )
        if rates:
            parts.append(f"burn rate {rates}")
        if budget.exhausted is not None and budget.left >= 0:
            parts.append(f"runs out {_clock(budget.exhausted, zone)}")
        yield Text("; ".join(parts), "dim")
    if target.exam is not None and target.exam.share.low is not None:
        exam = target.exam
        yield Text.assemble(
            (f"exam days: {_attained(exam.share)} of {exam.objective:g} % ", "dim"),
            _WORDS[exam.verdict],
        )


def _cause_lines(causes: Sequence[Cause], zone: ZoneInfo, now: int) -> Iterator[Padding]:
    for cause in causes[:_MOST_CAUSES]:
        yield _indented(4, _cause(cause, zone, now))
        if cause.rooms:
            yield _indented(6, Text(_rooms(cause.rooms, cause.seats)))
    if len(causes) > _MOST_CAUSES:
        more = Text(f"and {len(causes) - _MOST_CAUSES} more causes, listed by --json", "dim")
        yield _indented(4, more)


def _cause(cause: Cause, zone: ZoneInfo, now: int) -> Text:
    text = Text("▸ ")
    if cause.device is not None:
        text.append(cause.device.id, "bold")
        text.append(f" ({cause.device.name}): ")
    elif cause.agent is not None:
        text.append(f"agent {cause.agent}", "bold")
        text.append(": ")
    text.append(_LIMITS[cause.limit], "yellow" if cause.limit is Limit.NO_EVIDENCE else "red")
    text.append(_when(cause, zone, now))
    if cause.outages > 1:
        text.append(f", the worst of {cause.outages} outages")
    if cause.lost is not None:
        text.append(f"; cost {cause.lost / _HOUR:.1f} device hours")
    if cause.detail:
        text.append(f"; {cause.detail}")
    return text


def _when(cause: Cause, zone: ZoneInfo, now: int) -> str:
    if cause.since is None:
        return ""
    since = f" since {'before ' if cause.began_before else ''}{_clock(cause.since, zone)}"
    if cause.until is None:
        return f"{since}, for {_duration(now - cause.since)}"
    return f"{since.replace('since', 'from', 1)} to {_clock(cause.until, zone)}"


def _rooms(rooms: Sequence[RoomRef], seats: int) -> str:
    names = ", ".join(room.name for room in rooms[:_MOST_ROOMS])
    more = f" and {len(rooms) - _MOST_ROOMS} more" if len(rooms) > _MOST_ROOMS else ""
    plural = "" if len(rooms) == 1 else "s"
    return f"{len(rooms)} room{plural}, {seats} seats: {names}{more}"


def _summary(report: CheckReport, zone: ZoneInfo) -> Text:
    counts = Counter(school.verdict for school in report.schools)
    date = utc(report.generated).astimezone(zone)
    plural = "" if len(report.schools) == 1 else "s"
    text = Text(f"{len(report.schools)} school{plural} on {date:%Y-%m-%d %H:%M %Z}: ")
    parts = [Text(f"{counts[verdict]} ") + word for verdict, word in _WORDS.items()]
    return text + Text(", ").join(parts)


def _clock(instant: int, zone: ZoneInfo) -> str:
    return f"{utc(instant).astimezone(zone):%a %d %b %H:%M}"


def _duration(ns: int) -> str:
    minutes, seconds = divmod(ns // 1_000_000_000, 60)
    hours, minutes = divmod(minutes, 60)
    days, hours = divmod(hours, 24)
    if days:
        return f"{days} d {hours} h" if hours else f"{days} d"
    if hours:
        return f"{hours} h {minutes} min" if minutes else f"{hours} h"
    return f"{minutes} min" if minutes else f"{seconds} s"
