"""Finding an agent in the inventory."""

from __future__ import annotations

from campuswatch.errors import UserError
from campuswatch.inventory.models import Agent, Inventory, School


def find_agent(inventory: Inventory, agent_id: str) -> tuple[School, Agent]:
    """Return an agent and the school it stands in.

    Raises:
        UserError: there is none of that id.
    """
    agents = {each.id: (school, each) for school in inventory.schools for each in school.agents}
    try:
        return agents[agent_id]
    except KeyError:
        known = ", ".join(sorted(agents))
        raise UserError(
            f"no agent {agent_id!r} in the inventory; expected one of {known}"
        ) from None
