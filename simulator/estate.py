"""All that answers in a world: its devices, and what its agents' probes ask."""

from __future__ import annotations

from functools import partial

from campuswatch.inventory.models import Device
from simulator.hardware import Hardware
from simulator.mibs.lldp import LLDP
from simulator.mibs.tree import MibTree
from simulator.probed import Probed
from simulator.projectors import Projectors
from simulator.snmp_agents import SnmpAgents
from simulator.world import World


class Estate:
    """Plays every device that has an address and is asked by SNMP or PJLink."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._hardware = Hardware(world)
        self._agents = SnmpAgents(world.inventory.district.credentials)
        self._projectors = Projectors(world)
        self._probed = Probed(world)
        self._trees: list[tuple[Device, MibTree]] = []

    async def start(self) -> None:
        """Let every device answer at its address.

        Raises:
            OSError: an address can't be bound.
        """
        for school in self._world.inventory.schools:
            for device in school.devices:
                if device.address is not None and device.snmp is not None:
                    tree = self._hardware.objects(device)
                    answers = partial(self._world.answers, device.id)
                    await self._agents.add((device.address, device.port), tree, answers)
                    self._trees.append((device, tree))
        await self._projectors.start()
        await self._probed.start()

    def notice_cables(self) -> None:
        """Let every device hear the neighbours that it has now."""
        for device, tree in self._trees:
            tree.replace(LLDP, self._hardware.neighbours(device))

    def close(self) -> None:
        """Close every socket."""
        self._agents.close()
        self._projectors.close()
        self._probed.close()
