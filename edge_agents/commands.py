"""Commands of the edge agent."""

from __future__ import annotations

import asyncio
from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from campuswatch.errors import UserError
from campuswatch.inventory.loader import DISTRICT_FILE
from campuswatch.logs import log_to_stderr
from campuswatch.options import ConfigOption, LogLevel, LogLevelOption
from campuswatch.services import run_jobs
from campuswatch.settings import AgentConfigurationSettings, load_settings
from campuswatch.wire import AgentAddress
from edge_agents.assignment import Assignment, load_assignment
from edge_agents.service import run_agent


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

    Where settings.yaml names the district's public key, what `campuswatch push`
    sends counts instead of the inventory, and no inventory is needed.

    Example: campuswatch agent --config config --agent ys-agent
    """
    log_to_stderr(log_level)
    settings = load_settings(config)
    local = _local_assignment(config, agent_id, settings.agent_configuration)
    address = _address(agent_id, local, settings.agent_configuration)
    job = partial(run_agent, address, local, settings)
    asyncio.run(run_jobs(settings, [job], f"agent-{agent_id}"))


def _local_assignment(
    config: Path, agent_id: str, pushing: AgentConfigurationSettings
) -> Assignment | None:
    """Return what the inventory says; None without one where the district pushes it."""
    if pushing.public_key is not None and not (config / DISTRICT_FILE).exists():
        return None
    return load_assignment(config, agent_id)


def _address(
    agent_id: str, local: Assignment | None, pushing: AgentConfigurationSettings
) -> AgentAddress:
    if local is not None:
        return AgentAddress(local.inventory.district.id, local.school.id, agent_id)
    if pushing.district is None or pushing.school is None:
        raise UserError(
            f"there is no {DISTRICT_FILE}; expected agent_configuration.district and .school "
            "in settings.yaml, under which the district pushes"
        )
    return AgentAddress(pushing.district, pushing.school, agent_id)
