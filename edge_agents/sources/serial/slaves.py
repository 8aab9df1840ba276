"""Modbus slaves, read by their register maps."""

from __future__ import annotations

from campuswatch.inventory.models import Device
from campuswatch.readings import Reading
from edge_agents.sources.reachability import device_tags
from edge_agents.sources.serial.drivers import Ask
from edge_agents.sources.serial.modbus import Function, blocks, registers
from edge_agents.sources.serial.register_maps import RegisterMap
from edge_agents.sources.serial.values import Value, quantity, readings


class SlaveDriver:
    """An `AskingDriver` of one slave.

    Args:
        device: whose readings these are.
        unit: its address on the line.
        register_map: what it holds.
    """

    protocol = "Modbus RTU"

    def __init__(self, device: Device, unit: int, register_map: RegisterMap) -> None:
        self._tags = device_tags(device)
        self._unit = unit
        self._registers = register_map.registers
        self._quantities = [quantity(register) for register in self._registers]
        self._blocks = blocks([register.block for register in self._registers])

    async def read(self, ask: Ask) -> list[Reading]:
        """Read all registers of the map."""
        words: dict[tuple[Function, int], int] = {}
        for block in self._blocks:
            answer = await ask(block.request(self._unit), block.answer(self._unit))
            for offset, word in enumerate(registers(answer)):
                words[block.function, block.address + offset] = word
        values = [
            Value(
                what,
                register.number(
                    [
                        words[register.function, register.address + offset]
                        for offset in range(register.block.count)
                    ]
                ),
                register.sensor,
            )
            for register, what in zip(self._registers, self._quantities, strict=True)
        ]
        return readings(self._tags, values, ask.note_damage)
