"""CO2 sensors: Winsen MH-Z19 and Senseair S8, which 9600 baud, 8N1 is all they speak."""

from __future__ import annotations

from typing import Final

from campuswatch.inventory.models import Device
from campuswatch.readings import Reading
from edge_agents.sources.mqtt.quantities import Quantity
from edge_agents.sources.reachability import device_tags
from edge_agents.sources.serial.drivers import Ask
from edge_agents.sources.serial.frames import DamagedFrameError, drop_until
from edge_agents.sources.serial.modbus import Block, registers
from edge_agents.sources.serial.values import Value, readings

_CO2: Final = Quantity("environment", "co2")

_MHZ19_REQUEST: Final = bytes.fromhex("FF 01 86 00 00 00 00 00 79")
_MHZ19_HEADER: Final = b"\xff\x86"
_MHZ19_BYTES: Final = 9

_S8_UNIT: Final = 0xFE  # any sensor: the S8 is alone on its line
_S8_CO2: Final = Block("input", 3, 1)  # IR4 of "Modbus on Senseair S8"


def take_mhz19(buffer: bytearray) -> int | None:
    """Take an answer to command 0x86, and return its CO2 in ppm.

    MH-Z19B user's manual: FF 86 high low, and in the ninth byte the two's
    complement of the sum of the seven between.
    """
    drop_until(buffer, _MHZ19_HEADER)
    if len(buffer) < _MHZ19_BYTES:
        return None
    frame = bytes(buffer[:_MHZ19_BYTES])
    if sum(frame[1:]) & 0xFF:
        del buffer[:1]
        raise DamagedFrameError
    del buffer[:_MHZ19_BYTES]
    return int.from_bytes(frame[2:4], "big")


class MhZ19Driver:
    """An `AskingDriver` of a Winsen MH-Z19, MH-Z19B or MH-Z19C."""

    protocol = "MH-Z19"

    def __init__(self, device: Device) -> None:
        self._tags = device_tags(device)

    async def read(self, ask: Ask) -> list[Reading]:
        """Ask for the gas concentration."""
        ppm = await ask(_MHZ19_REQUEST, take_mhz19)
        return readings(self._tags, [Value(_CO2, ppm)], ask.note_damage)


class SenseairS8Driver:
    """An `AskingDriver` of a Senseair S8, which speaks Modbus as if it were any slave."""

    protocol = "Senseair S8"

    def __init__(self, device: Device) -> None:
        self._tags = device_tags(device)

    async def read(self, ask: Ask) -> list[Reading]:
        """Read the register of the space CO2."""
        answer = await ask(_S8_CO2.request(_S8_UNIT), _S8_CO2.answer(_S8_UNIT))
        (ppm,) = registers(answer)
        return readings(self._tags, [Value(_CO2, ppm)], ask.note_damage)
