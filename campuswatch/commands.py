"""`campuswatch up`, the whole system in one process, and `campuswatch alive`."""

from __future__ import annotations

import asyncio
import logging
import sys
from pathlib import Path
from typing import Annotated

import typer

from campuswatch.inventory.loader import load_inventory
from campuswatch.logs import log_to_stderr
from campuswatch.options import ConfigOption, LogLevel, LogLevelOption
from campuswatch.services import ServiceContext, alive, load_service, run_services
from campuswatch.settings import load_settings
from campuswatch.stores import open_store

log = logging.getLogger(__name__)

_SERVICES = ("collector", "agent", "targets", "alerts", "console")


def up(config: ConfigOption = Path("config"), log_level: LogLevelOption = LogLevel.INFO) -> None:
    """Run everything in one process: broker, collector, agents, targets, alerts and console.

    It suits one school, or a look at a district. The broker is part of it if
    settings.yaml says `broker.embedded: true`; the store is what `store.url` says.

    Example: campuswatch up --config config
    """
    log_to_stderr(log_level)
    inventory, settings = load_inventory(config), load_settings(config)
    settings.data_dir.mkdir(parents=True, exist_ok=True)
    names = (("broker",) if settings.broker.embedded else ()) + _SERVICES
    services = [load_service(name) for name in names]
    store = open_store(settings.store, settings.data_dir)
    try:
        context = ServiceContext(config, inventory, settings, store)
        log.info("running %s", ", ".join(names))
        asyncio.run(run_services(context, services, "up"))
    finally:
        store.close()


def is_alive(
    name: Annotated[
        str,
        typer.Argument(help="collector, targets, alerts, console, up, or agent-ID."),
    ],
    config: ConfigOption = Path("config"),
) -> None:
    """Exit with 0 if a process of this installation runs, else with 1; for health checks.

    Example: campuswatch alive collector --config config
    """
    if not alive(load_settings(config), name):
        print(f"{name}: no sign of life", file=sys.stderr)
        raise typer.Exit(1)
