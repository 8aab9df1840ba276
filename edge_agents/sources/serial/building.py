"""From the inventory to an agent's serial lines and the sources on them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from campuswatch.errors import UserError
from campuswatch.inventory.models import (
    Agent,
    Device,
    ModbusSlave,
    ParticulateSensor,
    TextLines,
)
from edge_agents.sources.base import PolledSource
from edge_agents.sources.serial.co2 import MhZ19Driver, SenseairS8Driver
from edge_agents.sources.serial.drivers import AskingDriver
from edge_agents.sources.serial.line import SerialLine
from edge_agents.sources.serial.pms5003 import LONGEST_GAP, ActiveDriver, PassiveDriver
from edge_agents.sources.serial.projectors import DIALECTS, ProjectorDriver
from edge_agents.sources.serial.register_maps import RegisterMap
from edge_agents.sources.serial.slaves import SlaveDriver
from edge_agents.sources.serial.source import AskedSource, HeardSource
from edge_agents.sources.serial.statistics import SerialStatistics
from edge_agents.sources.serial.text import TextDriver

Maps = Mapping[str, RegisterMap]


class SerialLines:
    """All serial lines of an agent; each port is opened when it is first asked.

    Args:
        agent: declares them.
        maps: the register maps there are, by id.
    """

    def __init__(self, agent: Agent, maps: Maps) -> None:
        self._maps = maps
        self._statistics = SerialStatistics()
        self._lines = {line.id: SerialLine(line, self._statistics) for line in agent.serial}

    def take_statistics(self) -> SerialStatistics:
        """Return the statistics since the last call, and begin anew."""
        statistics = self._statistics
        taken = SerialStatistics(statistics.damaged, statistics.unanswered)
        statistics.damaged = statistics.unanswered = 0
        return taken

    def sources(self, devices: Iterable[Device]) -> dict[str, PolledSource]:
        """Return the source of each device that is on a line, by the device's id.

        Raises:
            UserError: a register map is missing.
        """
        return {
            device.id: self._source(device, self._lines[device.serial.line])
            for device in devices
            if device.serial is not None
        }

    def _source(self, device: Device, line: SerialLine) -> PolledSource:
        entry = device.serial
        if isinstance(entry, TextLines):
            return HeardSource(device, line, TextDriver(device, entry))
        if isinstance(entry, ParticulateSensor) and entry.mode == "active":
            return HeardSource(device, line, ActiveDriver(device), LONGEST_GAP)
        return AskedSource(device, line, self._asking_driver(device))

    def _asking_driver(self, device: Device) -> AskingDriver:
        entry = device.serial
        assert entry is not None
        if isinstance(entry, ModbusSlave):
            if entry.map not in self._maps:
                known = ", ".join(sorted(self._maps))
                raise UserError(f"unknown register map {entry.map!r}; expected one of {known}")
            return SlaveDriver(device, entry.unit, self._maps[entry.map])
        match entry.driver:
            case "mh-z19":
                return MhZ19Driver(device)
            case "senseair-s8":
                return SenseairS8Driver(device)
            case "pms5003":
                return PassiveDriver(device)
            case _:
                return ProjectorDriver(device, DIALECTS[entry.driver])
