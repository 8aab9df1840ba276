"""Modbus RTU: what a master asks and a slave answers.

MODBUS over Serial Line 1.02 for the frames, MODBUS Application Protocol 1.1b3
for what is in them; pymodbus writes and reads both. Frames are found here: on a
line with several slaves an answer may come late, in pieces or behind noise.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final, Literal

from pymodbus.exceptions import ModbusException
from pymodbus.framer.rtu import FramerRTU
from pymodbus.pdu import DecodePDU, ModbusPDU
from pymodbus.pdu.register_message import ReadHoldingRegistersRequest, ReadInputRegistersRequest

from edge_agents.sources.serial.frames import DamagedFrameError, Take

Function = Literal["holding", "input"]

MOST: Final = 125
"""Registers that one request may ask for (Application Protocol, 6.3)."""

_REQUESTS: Final = {"holding": ReadHoldingRegistersRequest, "input": ReadInputRegistersRequest}
_FRAMER: Final = FramerRTU(DecodePDU(is_server=False))
_EXCEPTION_BYTES: Final = 5  # unit, function with its top bit set, code, CRC

_EXCEPTIONS: Final = {
    1: "illegal function",
    2: "illegal data address",
    3: "illegal data value",
    4: "server device failure",
    5: "acknowledge",
    6: "server device busy",
    8: "memory parity error",
    10: "gateway path unavailable",
    11: "gateway target device failed to respond",
}
"""Application Protocol, chapter 7."""


class RefusedError(Exception):
    """A device answers that it will not; the message says why."""


@dataclass(frozen=True, slots=True)
class Block:
    """Registers beside each other, read at once.

    Attributes:
        function: which of the slave's tables they are in.
        address: of the first, from 0.
        count: how many, up to `MOST`.
    """

    function: Function
    address: int
    count: int

    def request(self, unit: int) -> bytes:
        """Return the frame that asks a slave for them."""
        pdu = _REQUESTS[self.function](dev_id=unit, address=self.address, count=self.count)
        frame: bytes = _FRAMER.buildFrame(pdu)
        return frame

    def answer(self, unit: int) -> Take[ModbusPDU]:
        """Return what knows the slave's answer, which may be an exception."""
        function = _REQUESTS[self.function].function_code
        size = 5 + 2 * self.count
        normal = bytes((unit, function, 2 * self.count))
        exception = bytes((unit, function | 0x80))

        def take(buffer: bytearray) -> ModbusPDU | None:
            for start in range(len(buffer) - _EXCEPTION_BYTES + 1):
                if buffer.startswith(normal, start):
                    frame = bytes(buffer[start : start + size])
                elif buffer.startswith(exception, start):
                    frame = bytes(buffer[start : start + _EXCEPTION_BYTES])
                else:
                    continue
                if len(frame) < size and frame[1] == function:
                    continue  # the rest may come, or a whole one stands behind it
                del buffer[: start + 1]
                if not FramerRTU.check_CRC(frame[:-2], int.from_bytes(frame[-2:], "big")):
                    raise DamagedFrameError
                del buffer[: len(frame) - 1]
                return _decoded(frame)
            return None

        return take


def _decoded(frame: bytes) -> ModbusPDU:
    try:
        pdu = _FRAMER.decoder.decode(frame[1:-2])
    except ModbusException:
        raise DamagedFrameError from None
    if pdu is None:
        raise DamagedFrameError
    return pdu


def registers(answer: ModbusPDU) -> Sequence[int]:
    """Return the registers of an answer.

    Raises:
        RefusedError: it is an exception.
    """
    if answer.isError():
        code = answer.exception_code
        raise RefusedError(f"exception {code} ({_EXCEPTIONS.get(code, 'unknown')})")
    return answer.registers


def blocks(wanted: Sequence[Block]) -> list[Block]:
    """Return as few blocks as hold all registers, and no register that nobody wants.

    A register between two that are wanted may not exist, and a slave refuses
    a whole request for it.
    """
    ordered = sorted(set(wanted), key=lambda block: (block.function, block.address))
    if not ordered:
        return []
    found = [ordered[0]]
    for before, block in pairwise(ordered):
        last = found[-1]
        end = max(last.address + last.count, before.address + before.count)
        count = max(end, block.address + block.count) - last.address
        if block.function == last.function and block.address <= end and count <= MOST:
            found[-1] = Block(last.function, last.address, count)
        else:
            found.append(block)
    return found
