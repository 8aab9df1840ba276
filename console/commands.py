"""`campuswatch console`: the web console alone."""

from __future__ import annotations

import asyncio
from contextlib import closing
from pathlib import Path

from campuswatch.inventory.loader import load_inventory
from campuswatch.logs import log_to_stderr
from campuswatch.options import ConfigOption, LogLevel, LogLevelOption
from campuswatch.services import ServiceContext, run_services
from campuswatch.settings import load_settings
from campuswatch.stores import open_store
from console.service import serve


def console(
    config: ConfigOption = Path("config"), log_level: LogLevelOption = LogLevel.INFO
) -> None:
    """Serve the web console and its API, at the address that settings.yaml names.

    It only reads the store, so it can run beside the collector or elsewhere.

    Example: campuswatch console --config config
    """
    log_to_stderr(log_level)
    inventory, settings = load_inventory(config), load_settings(config)
    with closing(open_store(settings.store, settings.data_dir)) as store:
        context = ServiceContext(config, inventory, settings, store)
        asyncio.run(run_services(context, [serve], "console"))
