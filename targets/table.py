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
    Cause,
    CheckReport,
    Limit,
    RoomRef,
    SchoolVerdict,
    Share,
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
_HOUR: Final = 3600 * 1_000_000_000
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
    if not school.targets:
        console.print(_indented(2, "no target applies"))
    for target in school.targets:
        attained = _attained(target.share)
        objective = f"{target.objective:g} %"
        console.print(_row(console, target.id, objective, attained, _WORDS[target.verdict]))
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
        return f"{days} d {hours} h"
    if hours:
        return f"{hours} h {minutes} min"
    return f"{minutes} min" if minutes else f"{seconds} s"
