"""Simulated devices on serial lines: Modbus slaves, air sensors and projectors."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Final, Protocol

from pymodbus.constants import ExcCodes
from pymodbus.exceptions import ModbusException
from pymodbus.framer.rtu import FramerRTU
from pymodbus.pdu import DecodePDU, ExceptionResponse, ModbusPDU
from pymodbus.pdu.register_message import (
    ReadHoldingRegistersRequest,
    ReadHoldingRegistersResponse,
    ReadInputRegistersRequest,
    ReadInputRegistersResponse,
)

from campuswatch.measurements import CATALOGUE
from campuswatch.units import conversion
from edge_agents.sources.serial.modbus import Function
from edge_agents.sources.serial.register_maps import Register, RegisterMap
from simulator.pjlink import ProjectorState

Measure = Callable[[str], float]
"""Returns the present value of `measurement.field`, in the catalogue's unit."""

Condition = Callable[[], bool]
"""Whether a device works now."""


class SerialDevices(Protocol):
    """The devices of one line."""

    def answer(self, heard: bytearray) -> bytes:
        """Remove from what was heard what is understood, and return the answers."""
        ...

    def speak(self) -> bytes:
        """Return what is sent unasked, each second."""
        ...


class ModbusSlave:
    """A slave of a Modbus RTU line.

    Args:
        register_map: what it holds.
        measure: what it measures.
        works: while false, it answers nothing.
    """

    def __init__(self, register_map: RegisterMap, measure: Measure, works: Condition) -> None:
        self._registers = register_map.registers
        self._measure = measure
        self._works = works

    def answer(self, function: Function, request: ModbusPDU) -> ModbusPDU | None:
        """Return the answer to a request of registers, which may be an exception."""
        if not self._works():
            return None
        words = self._words(function)
        wanted = range(request.address, request.address + request.count)
        if any(address not in words for address in wanted):
            return ExceptionResponse(
                request.function_code, ExcCodes.ILLEGAL_ADDRESS, device_id=request.dev_id
            )
        response = _FUNCTIONS[request.function_code][1]
        return response(registers=[words[address] for address in wanted], dev_id=request.dev_id)

    def _words(self, function: Function) -> dict[int, int]:
        return {
            register.address + offset: word
            for register in self._registers
            if register.function == function
            for offset, word in enumerate(register.words(self._number(register)))
        }

    def _number(self, register: Register) -> float:
        measurement, _, field = register.field.partition(".")
        unit = CATALOGUE[measurement].fields[field].unit
        convert = conversion(register.unit or unit, unit)
        return (self._measure(register.field) - convert.offset) / convert.factor


_FUNCTIONS: Final[Mapping[int, tuple[Function, type[ReadHoldingRegistersResponse]]]] = {
    ReadHoldingRegistersRequest.function_code: ("holding", ReadHoldingRegistersResponse),
    ReadInputRegistersRequest.function_code: ("input", ReadInputRegistersResponse),
}


class ModbusSlaves:
    """All slaves of a line.

    Args:
        slaves: by their addresses.
    """

    def __init__(self, slaves: Mapping[int, ModbusSlave]) -> None:
        self._slaves = slaves
        self._framer = FramerRTU(DecodePDU(is_server=True))

    def answer(self, heard: bytearray) -> bytes:
        """Answer whole requests for registers; others are for nobody."""
        answers = b""
        while heard:
            try:
                used, request = self._framer.handleFrame(bytes(heard), 0, 0)
            except ModbusException:
                heard.clear()
                break
            del heard[:used]
            if request is None:
                break
            answers += self._answer(request)
        return answers

    def speak(self) -> bytes:
        """Return nothing: slaves speak when they are asked."""
        return b""

    def _answer(self, request: ModbusPDU) -> bytes:
        slave = self._slaves.get(request.dev_id)
        if slave is None or request.function_code not in _FUNCTIONS:
            return b""
        answer = slave.answer(_FUNCTIONS[request.function_code][0], request)
        if answer is None:
            return b""
        frame: bytes = self._framer.buildFrame(answer)
        return frame


SENSEAIR_S8: Final = RegisterMap(
    id="senseair-s8",
    name="Senseair S8",
    source="Modbus on Senseair S8, IR4",
    registers=[Register(field="environment.co2", function="input", address=3)],
)
SENSEAIR_UNIT: Final = 0xFE
"""The address at which any S8 answers."""


class Commands:
    """A device alone on its line that knows some commands.

    Args:
        request: finds a command.
        answers: to a command that was found.
        works: while false, the device says nothing.
        unasked: what it sends by itself, each second.
    """

    def __init__(
        self,
        request: re.Pattern[bytes],
        answers: Callable[[re.Match[bytes]], bytes],
        works: Condition,
        unasked: Callable[[], bytes] = bytes,
    ) -> None:
        self._request = request
        self._answers = answers
        self._works = works
        self._unasked = unasked

    def answer(self, heard: bytearray) -> bytes:
        """Answer each command that was heard."""
        answers = b""
        while (found := self._request.search(bytes(heard))) is not None:
            del heard[: found.end()]
            if self._works():
                answers += self._answers(found)
        return answers

    def speak(self) -> bytes:
        """Return what the device sends by itself."""
        return self._unasked() if self._works() else b""


def mh_z19(measure: Measure, works: Condition) -> Commands:
    """Return a Winsen MH-Z19B that measures CO2 (user's manual, command 0x86)."""

    def concentration(_: re.Match[bytes]) -> bytes:
        ppm = round(measure("environment.co2")).to_bytes(2, "big")
        frame = b"\xff\x86" + ppm + bytes(4)
        return frame + bytes([-sum(frame[1:]) & 0xFF])

    return Commands(re.compile(rb"\xff\x01\x86.{5}\x79", re.DOTALL), concentration, works)


def pms5003(measure: Measure, works: Condition) -> Commands:
    """Return a Plantower PMS5003 (data manual, appendices I and II).

    It sends a frame each second until it is told to be passive.
    """
    passive = False

    def frame() -> bytes:
        dust, coarse = (round(measure(f"environment.{name}")) for name in ("pm2_5", "pm10"))
        fine = dust * 2 // 3  # PM1.0
        counts = (dust * 120, dust * 36, dust * 6, dust, coarse // 4, coarse // 10)  # per 0.1 l
        numbers = (fine, dust, coarse, fine, dust, coarse, *counts, 0)
        return _plantower(b"".join(number.to_bytes(2, "big") for number in numbers))

    def command(found: re.Match[bytes]) -> bytes:
        nonlocal passive
        if found["command"] == b"\xe2":
            return frame()
        passive = found["mode"] == b"\x00"
        return _plantower(found["command"] + found["mode"])

    request = re.compile(rb"BM(?P<command>[\xe1\xe2])\x00(?P<mode>[\x00\x01])..", re.DOTALL)
    return Commands(request, command, works, lambda: b"" if passive else frame())


def _plantower(data: bytes) -> bytes:
    frame = b"BM" + (len(data) + 2).to_bytes(2, "big") + data
    return frame + (sum(frame) & 0xFFFF).to_bytes(2, "big")


_STANDBY, _ON, _COOLING = range(3)  # of `ProjectorState.power`
_FILTER_DIGIT: Final = 4  # of `ProjectorState.errors`


def epson(state: Callable[[], ProjectorState], works: Condition) -> Commands:
    """Return an Epson projector (ESC/VP21 Command User's Guide)."""

    def answer(found: re.Match[bytes]) -> bytes:
        now = state()
        values = {
            "PWR": {_STANDBY: "04", _ON: "01", _COOLING: "03"}[now.power],
            "LAMP": str(now.lamps[0]),
            "ERR": "00" if now.errors[_FILTER_DIGIT] == "0" else "0C",
        }
        if now.power == _ON:
            values["SOURCE"] = "30"  # HDMI 1
        name = found["name"].decode()
        return f"{name}={values[name]}\r:".encode() if name in values else b"ERR\r:"

    return Commands(re.compile(rb"(?P<name>[A-Z]+)\?\r"), answer, works)


def benq(state: Callable[[], ProjectorState], works: Condition) -> Commands:
    """Return a BenQ projector (RS232 Command Control)."""

    def answer(found: re.Match[bytes]) -> bytes:
        now = state()
        values = {"POW": "ON" if now.power == _ON else "OFF"}
        if now.power == _ON:
            values |= {"LTIM": str(now.lamps[0]), "SOUR": "HDMI"}
        name = found["name"].decode().upper()
        return f"*{name}={values[name]}#\r\n".encode() if name in values else b"*Block item#\r\n"

    return Commands(re.compile(rb"\*(?P<name>[a-z]+)=\?#\r", re.IGNORECASE), answer, works)


def optoma(state: Callable[[], ProjectorState], works: Condition) -> Commands:
    """Return an Optoma projector (RS-232 protocol function list)."""

    def answer(found: re.Match[bytes]) -> bytes:
        now = state()
        values = {
            b"124": int(now.power == _ON),
            b"108": now.lamps[0],
            b"121": 7,  # HDMI 1
        }
        value = values.get(found["command"])
        return b"F\r" if value is None else f"OK{value}\r".encode()

    return Commands(re.compile(rb"~\d\d(?P<command>\d+) 1\r"), answer, works)
