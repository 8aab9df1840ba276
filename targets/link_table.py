"""Prints a school's cables for people."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Final

from rich.console import Console
from rich.table import Table
from rich.text import Text

from campuswatch.links import End, Link, Sight
from campuswatch.neighbours import Neighbour
from targets.drift import DRIFT, Comparison, Hop, Standing, Uplink

_WORDS: Final = {
    Standing.AS_DECLARED: Text("as declared", "green"),
    Standing.OTHER_PORT: Text("another port", "bold red"),
    Standing.OTHER_UPLINK: Text("another uplink", "bold red"),
    Standing.NOT_SEEN: Text("not seen", "bold red"),
    Standing.CANNOT_TELL: Text("cannot tell", "yellow"),
}
_SIGHTS: Final = {
    Sight.CONFIRMED: "both ends",
    Sight.ONE_SIDED: "one end",
    Sight.CONTRADICTORY: "ends disagree",
}


def print_comparison(console: Console, comparison: Comparison, *, only_drift: bool) -> None:
    """Print a school's declared uplinks, what is seen of them, and what else is seen.

    Args:
        console: where to.
        comparison: of the school.
        only_drift: leave out what is as declared, and what can't be told.
    """
    school = comparison.school
    console.print(Text.assemble((school.name, "bold"), f"  {school.id}"))
    uplinks = [each for each in comparison.uplinks if each.standing in DRIFT or not only_drift]
    if uplinks:
        console.print(_uplinks(uplinks))
    if comparison.undeclared:
        console.print(_links("Seen, not declared", comparison.undeclared))
    if comparison.contradictory:
        console.print(_links("Ends that disagree", comparison.contradictory))
    if comparison.strangers:
        console.print(_strangers(comparison.strangers))
    console.print(_summary(comparison), highlight=False)
    console.print()


def print_ways(console: Console, room: str, found: Sequence[Sequence[Hop]]) -> None:
    """Print the ways of a room to the internet, a line for each step."""
    for way in found:
        console.print(Text.assemble(("room ", "dim"), (room, "bold")))
        for depth, hop in enumerate(way, start=1):
            console.print(Text.assemble("  " * depth, "└ ", _hop(hop)))
        console.print(Text("  " * (len(way) + 1) + "└ internet", "dim"))


def _hop(hop: Hop) -> Text:
    text = Text.assemble((hop.device.id, "bold"), f" ({hop.device.kind.value})")
    if hop.uplink is None:
        return text
    end = hop.uplink.seen or hop.uplink.declared
    text.append(f" into {_end(end)}: ")
    return text + _verdict(hop.uplink)


def _uplinks(uplinks: Iterable[Uplink]) -> Table:
    table = Table("Device", "Declared uplink", "Seen at", "Verdict", box=None, pad_edge=False)
    for uplink in uplinks:
        seen = "" if uplink.seen is None else _end(uplink.seen)
        table.add_row(uplink.device.id, _end(uplink.declared), seen, _verdict(uplink))
    return table


def _verdict(uplink: Uplink) -> Text:
    word = _WORDS[uplink.standing]
    return word if uplink.link is None else word + Text(f", {_SIGHTS[uplink.link.sight]}", "dim")


def _links(title: str, links: Iterable[Link]) -> Table:
    table = Table("One end", "Other end", "Seen by", title=title, title_justify="left", box=None)
    for link in links:
        table.add_row(_end(link.first), _end(link.second), _SIGHTS[link.sight])
    return table


def _strangers(strangers: Iterable[Neighbour]) -> Table:
    table = Table(
        *("Plugged into", "Name", "Chassis", "Address", "What it is"),
        title="Not in the inventory",
        title_justify="left",
        box=None,
    )
    for each in strangers:
        where = _end(End(each.device, each.interface))
        table.add_row(where, each.name, each.chassis, each.address, each.description)
    return table


def _summary(comparison: Comparison) -> str:
    if comparison.tells_nothing:
        return "No device tells of a neighbour: LLDP is off, or was not read in the last minutes."
    counts = Counter(uplink.standing for uplink in comparison.uplinks)
    parts = [f"{counts[standing]} {_WORDS[standing].plain}" for standing in Standing]
    parts.append(f"{len(comparison.undeclared)} not declared")
    parts.append(f"{len(comparison.strangers)} unknown")
    return ", ".join(parts)


def _end(end: End) -> str:
    return f"{end.device} {end.port}".strip()
