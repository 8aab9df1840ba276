"""Says what a survey found."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from rich.console import Console
from rich.table import Table
from rich.text import Text

from campuswatch.inventory.imports.merge import Change, Merge
from edge_agents.discovery.proposal import Named, Proposal
from edge_agents.discovery.survey import Survey, sortable

_MOST_LISTED: Final = 10


@dataclass(frozen=True)
class Report:
    """Everything there is to say.

    Attributes:
        survey: what was found.
        proposal: what it means for the school.
        merge: what it does to the school's file.
    """

    survey: Survey
    proposal: Proposal
    merge: Merge

    @property
    def silent(self) -> list[str]:
        """Addresses that answer ICMP, and are no device that was found or is declared."""
        known = {each.found.address for each in self.proposal.named}
        known |= self.proposal.elsewhere.keys()
        known |= {address for each in self.survey.found for address in each.own_addresses}
        declared = {
            change.device.address
            for change in (*self.merge.added, *self.merge.changed, *self.merge.unchanged)
        }
        return sorted(self.survey.alive - known - declared, key=sortable)


def as_json(report: Report) -> dict[str, Any]:
    """Return a report as what JSON can hold."""
    named = {each.id: each for each in report.proposal.named}
    merge = report.merge
    return {
        "asked": report.survey.asked,
        "followed": report.survey.followed,
        "answered": len(report.survey.alive),
        "new": [_device(change, named) for change in merge.added],
        "changed": [
            {
                **_device(change, named),
                "changes": {key: change.value(key) for key in change.new_keys()},
            }
            for change in merge.changed
        ],
        "unchanged": [_device(change, named) for change in merge.unchanged],
        "missing": [device.id for device in report.proposal.missing],
        "notes": dict(report.proposal.notes),
        "elsewhere": dict(report.proposal.elsewhere),
        "answer_icmp_only": report.silent,
        "unknown_neighbours": [
            {
                "device": each.device,
                "interface": each.interface,
                "name": each.name,
                "chassis": each.chassis,
                "address": each.address,
            }
            for each in report.proposal.strangers
        ],
        "faults": [str(fault) for fault in merge.faults],
    }


def _device(change: Change, named: Mapping[str, Named]) -> dict[str, Any]:
    found = named[change.device.id].found
    return {
        "id": change.device.id,
        "kind": change.device.kind.value,
        "address": found.address,
        "profile": found.profile.name,
        "vendor": found.vendor,
        "model": found.said("model"),
        "uplink": change.device.uplink,
        "uplink_port": change.device.uplink_port,
    }


def print_report(console: Console, report: Report) -> None:
    """Print a report for people."""
    table = Table("", "Device", "Kind", "Address", "What", "Uplink", box=None, pad_edge=False)
    merge, proposal = report.merge, report.proposal
    named = {each.id: each for each in proposal.named}
    for change in merge.added:
        table.add_row(Text("new", "green"), *_cells(change, named))
    for change in merge.changed:
        changes = ", ".join(map(change.describe, change.new_keys()))
        table.add_row(Text("changed", "yellow"), *_cells(change, named)[:3], changes, "")
    for device in proposal.missing:
        table.add_row(
            Text("missing", "bold red"), device.id, device.kind.value, device.address, "", ""
        )
    if table.row_count:
        console.print(table)
    for device_id, note in proposal.notes.items():
        console.print(Text.assemble(("note ", "yellow"), f"{device_id}: {note}"))
    for address, device_id in proposal.elsewhere.items():
        console.print(f"{address} is {device_id}, of another school", highlight=False)
    _print_list(console, "answer ICMP, but not SNMP", report.silent)
    strangers = [f"{each.name or each.chassis} at {each.device}" for each in proposal.strangers]
    _print_list(console, "are neighbours, but did not answer", strangers)
    console.print(_summary(report), highlight=False)


def _cells(change: Change, named: Mapping[str, Named]) -> tuple[str, str, str, str, str]:
    device, found = change.device, named[change.device.id].found
    what = f"{found.vendor} {found.said('model')}".strip() or found.profile.title
    uplink = f"{device.uplink or ''} {device.uplink_port or ''}".strip()
    return device.id, device.kind.value, found.address, what, uplink


def _print_list(console: Console, what: str, names: list[str]) -> None:
    if names:
        more = f" and {len(names) - _MOST_LISTED} more" if len(names) > _MOST_LISTED else ""
        console.print(Text(f"{len(names)} {what}: {', '.join(names[:_MOST_LISTED])}{more}"))


def _summary(report: Report) -> str:
    merge = report.merge
    return (
        f"{report.survey.asked} addresses asked, {report.survey.followed} of them because a "
        f"neighbour named them; {len(report.survey.alive)} answered: {len(merge.added)} new, "
        f"{len(merge.changed)} changed, {len(merge.unchanged)} unchanged, "
        f"{len(report.proposal.missing)} missing, {len(merge.faults)} faulty"
    )
