"""`campuswatch alerts`: the alerts service by itself."""

from __future__ import annotations

import asyncio
from pathlib import Path

from alerts.service import serve
from campuswatch.inventory.loader import load_inventory
from campuswatch.logs import log_to_stderr
from campuswatch.options import ConfigOption, LogLevel, LogLevelOption
from campuswatch.services import ServiceContext, run_services
from campuswatch.settings import load_settings
from campuswatch.stores import open_store


def alerts(
    config: ConfigOption = Path("config"), log_level: LogLevelOption = LogLevel.INFO
) -> None:
    """Watch the store, find what fails and why, and notify the receivers of alerts.yaml.

    Example: campuswatch alerts --config config
    """
    log_to_stderr(log_level)
    inventory, settings = load_inventory(config), load_settings(config)
    store = open_store(settings.store, settings.data_dir)
    try:
        asyncio.run(
            run_services(ServiceContext(config, inventory, settings, store), [serve], "alerts")
        )
    finally:
        store.close()
