"""`campuswatch demo`: a simulated district, from its devices to the status page."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from campuswatch.logs import log_to_file
from campuswatch.options import LogLevel
from campuswatch.stores import open_store
from simulator.demo import Demo, Plan
from simulator.places import demo_script, example_district
from simulator.screen import Screen

DistrictOption = Annotated[
    Path | None,
    typer.Option(
        "--config",
        metavar="DIR",
        help="District to simulate; the example district when omitted.",
        exists=True,
        file_okay=False,
    ),
]
DataDirOption = Annotated[
    Path | None,
    typer.Option(
        "--data-dir",
        metavar="DIR",
        help="Where everything is kept; a temporary directory when omitted.",
        file_okay=False,
    ),
]
FaultsOption = Annotated[
    Path | None,
    typer.Option(
        "--faults",
        metavar="FILE",
        help="Fault script to play; one that fits the example district when that is simulated.",
        exists=True,
        dir_okay=False,
    ),
]
PortOption = Annotated[
    int | None,
    typer.Option(
        "--port", min=1, max=65535, help="Port of the status page; 8080 if free when omitted."
    ),
]
HistoryOption = Annotated[
    int, typer.Option("--history", metavar="DAYS", min=0, help="Days of history to make up.")
]
SeedOption = Annotated[int, typer.Option("--seed", help="Of everything that looks like chance.")]


def demo(
    *,
    config: DistrictOption = None,
    data_dir: DataDirOption = None,
    faults: FaultsOption = None,
    port: PortOption = None,
    history: HistoryOption = 30,
    seed: SeedOption = 1,
) -> None:
    """Simulate a district on this machine and show its status page.

    Broker, agents, collector, store and page are the real ones; the devices
    are simulated on real sockets, and a script lets some of them fail. Nothing
    leaves this machine, and nothing needs to be installed.

    Example: campuswatch demo --data-dir demo-data
    """
    script = demo_script() if faults is None and config is None else faults
    try:
        with ExitStack() as stack:
            directory = stack.enter_context(_directory(data_dir))
            log_to_file(directory / "demo.log", LogLevel.INFO)
            plan = Plan(config or example_district(), directory, script, port, history, seed)
            running = Demo(plan)
            store = open_store(running.settings.store, directory)
            stack.enter_context(closing(store))
            running.run(store, stack.enter_context(closing(Screen(Console(), running.inventory))))
    except KeyboardInterrupt:
        # Before the services run, nobody else listens for an interrupt.
        pass


@contextmanager
def _directory(wanted: Path | None) -> Iterator[Path]:
    """Make the directory that is wanted, or a temporary one that goes away again."""
    if wanted is not None:
        wanted.mkdir(parents=True, exist_ok=True)
        yield wanted.resolve()
        return
    with tempfile.TemporaryDirectory(prefix="campuswatch-") as made:
        yield Path(made)
