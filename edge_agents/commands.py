"""Commands of the edge agent."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Annotated

import typer

from campuswatch.inventory.loader import load_inventory
from campuswatch.logs import log_to_stderr
from campuswatch.options import ConfigOption, LogLevel, LogLevelOption
from campuswatch.services import ServiceContext, run_services
from campuswatch.settings import load_settings
from edge_agents.finding import find_agent
from edge_agents.service import load_profiles, load_register_maps, run_agent


def agent(
    agent_id: Annotated[
        str, typer.Option("--agent", metavar="ID", help="Which agent of the inventory to run.")
    ],
    config: ConfigOption = Path("config"),
    log_level: LogLevelOption = LogLevel.INFO,
) -> None:
    """Run one edge agent: poll its devices, and send the readings to the district's broker.

    What can't be sent waits in a file below `data_dir`, so that neither an
    outage nor a power cut loses it. Ctrl-C or SIGTERM stops the agent in order.

    Example: campuswatch agent --config config --agent ys-agent
    """
    log_to_stderr(log_level)
    inventory, settings = load_inventory(config), load_settings(config)
    school, chosen = find_agent(inventory, agent_id)
    profiles = load_profiles(config)
    maps = load_register_maps(config)

    async def serve(_: ServiceContext) -> None:
        await run_agent(inventory, school, chosen, settings, profiles=profiles, maps=maps)

    asyncio.run(
        run_services(
            ServiceContext(config, inventory, settings, store=None), [serve], f"agent-{agent_id}"
        )
    )
