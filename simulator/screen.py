"""What the demo prints."""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final
from zoneinfo import ZoneInfo

from rich.console import Console
from rich.panel import Panel
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn
from rich.text import Text

from campuswatch.inventory.models import Inventory
from simulator.world import Trouble

_BEGINS: Final = {
    Trouble.DOWN: "loses its power",
    Trouble.FLAPPING: "has a loose cable: its link comes and goes",
    Trouble.WEAK_SIGNAL: "sends with far too little power",
    Trouble.SILENT: "falls silent",
    Trouble.UNPLUGGED: "loses its serial line: somebody pulls the adapter out",
    Trouble.WAN_CUT: "loses its line to the district",
    Trouble.SWAP_CABLES: "is plugged into another device's port",
}
_ENDS: Final = {
    Trouble.DOWN: "has power again",
    Trouble.FLAPPING: "has a firm link again",
    Trouble.WEAK_SIGNAL: "sends as it should again",
    Trouble.SILENT: "speaks again",
    Trouble.UNPLUGGED: "has its serial line again",
    Trouble.WAN_CUT: "has its line again, and sends what it kept",
    Trouble.SWAP_CABLES: "is plugged into its own port again",
}


class Screen:
    """The terminal: what the demo is doing, and what befalls its district."""

    def __init__(self, console: Console, inventory: Inventory) -> None:
        self._console = console
        self._zone = ZoneInfo(inventory.district.timezone)
        self._begun = time.monotonic()
        self._names = {school.id: school.name for school in inventory.schools} | {
            device.id: f"{device.name}, {school.name}"
            for school in inventory.schools
            for device in school.devices
        }
        self._progress = Progress(
            TextColumn("making up history"),
            BarColumn(),
            TaskProgressColumn(),
            console=console,
            transient=True,
            disable=not console.is_terminal,
        )
        self._written = self._progress.add_task("history", total=1.0)

        schools, devices = inventory.schools, sum(len(s.devices) for s in inventory.schools)
        console.print(f"Starting {len(schools)} schools with {devices} simulated devices ...")

    def close(self) -> None:
        """Say that all has stopped, and leave the terminal as it was."""
        self._progress.stop()
        self._console.print("Stopped.")

    def left_out(self, devices: Sequence[str]) -> None:
        """Say which devices are not played."""
        why = "on serial lines, sending text of their own or on a system without pseudo-terminals"
        self._console.print(f"Left out ({why}): {', '.join(devices)}", soft_wrap=True)

    def ready(self, address: str, config_dir: Path) -> None:
        """Say where to look, and what to try."""
        seconds = time.monotonic() - self._begun
        self._console.print(
            Panel(
                Text.assemble("Status page: ", (address, f"bold link {address}")),
                title=f"Ready after {seconds:.1f} s",
                subtitle="Ctrl-C stops everything",
                border_style="green",
                expand=False,
            )
        )
        self._console.print("While it runs, try in another terminal:")
        for command, what in (
            (f"campuswatch check --config {config_dir}", "every school against its targets"),
            (f"campuswatch check --config {config_dir} --json", "the same for programs"),
            (f"campuswatch audit --config {config_dir}", "batches sent, stored and missing"),
            (f"curl {address}api/v1/check", "the check over HTTP"),
        ):
            line = Text.assemble("  ", (command, "cyan"), (f"  # {what}", "dim"))
            self._console.print(line, soft_wrap=True)
        self._console.print()

    def event(self, event: dict[str, Any]) -> None:
        """Print a fault that begins or ends."""
        begins = event["event"] == "begins"
        trouble, target = Trouble(event["trouble"]), event["target"]
        line = Text.assemble(
            (f"{dt.datetime.now(self._zone):%H:%M:%S} ", "dim"),
            ("✕ " if begins else "✓ ", "red" if begins else "green"),
            (target, "bold"),
            f" {_BEGINS[trouble] if begins else _ENDS[trouble]}",
            (f" for {event['seconds'] / 60:g} min" if begins else "", ""),
            (f"  ({self._names[target]})", "dim"),
        )
        self._console.print(line, soft_wrap=True)

    def history(self, share: float) -> None:
        """Show how much of the history is written, from 0 to 1."""
        if not self._progress.live.is_started:
            self._progress.start()
        self._progress.update(self._written, completed=share)
        if share >= 1:
            self._progress.stop()
            self._console.print(Text("The made-up history is complete.", "dim"))
