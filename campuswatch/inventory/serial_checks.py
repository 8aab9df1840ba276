"""Whether the devices on serial lines agree with each other and with their line."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from campuswatch.inventory.decoder_checks import fault
from campuswatch.inventory.models import Agent, Device, ModbusSlave, School, SerialLine, TextLines
from campuswatch.inventory.parts import Parts
from campuswatch.inventory.places import Places
from campuswatch.inventory.problems import Problem
from campuswatch.inventory.wording import unknown

_FIXED: Final = {"mh-z19", "senseair-s8", "pms5003"}
"""Drivers of sensors that can do nothing but 9600 baud, 8 data bits, no parity, 1 stop bit."""

_UNSTABLE: Final = ("/dev/ttyUSB", "/dev/ttyACM")
"""Names that the kernel gives USB adapters in the order in which it finds them."""


def errors(parts: Parts, places: Places) -> Iterator[Problem]:
    """Yield declarations of lines and devices that contradict each other."""
    for school in parts.schools:
        for agent in school.agents:
            yield from _repeated(places, agent)
            yield from _devices(places, agent, school)


def warnings(parts: Parts, places: Places) -> Iterator[Problem]:
    """Yield ports whose name may be another adapter's tomorrow."""
    for school in parts.schools:
        for agent in school.agents:
            for line in agent.serial:
                if line.port.startswith(_UNSTABLE):
                    text = (
                        f"port {line.port} may be another adapter's after a restart; "
                        "expected its name in /dev/serial/by-id"
                    )
                    yield places.problem(line, ["port"], text)


def _repeated(places: Places, agent: Agent) -> Iterator[Problem]:
    ids: dict[str, SerialLine] = {}
    ports: dict[str, SerialLine] = {}
    for line in agent.serial:
        if (before := ids.setdefault(line.id, line)) is not line:
            text = f"line {line.id!r} is already declared at {places.where(before)}"
            yield places.problem(line, ["id"], f"{text}; expected each once")
        if (before := ports.setdefault(line.port, line)) is not line:
            text = f"port {line.port} is already that of line {before.id!r} at "
            text += f"{places.where(before)}; expected its settings once, and devices to share it"
            yield places.problem(line, ["port"], text)


def _devices(places: Places, agent: Agent, school: School) -> Iterator[Problem]:
    lines = {line.id: line for line in agent.serial}
    users: dict[str, list[Device]] = {}
    for device in school.devices:
        if device.serial is None or school.agent_of(device) != agent.id:
            continue
        line = lines.get(device.serial.line)
        if line is None:
            text = unknown("serial line", device.serial.line, list(lines), f"agent {agent.id!r}")
            yield places.problem(device.serial, ["line"], text)
            continue
        yield from _sharing(places, device, users.setdefault(line.id, []))
        users[line.id].append(device)
        yield from _settings(places, device, line)
        if isinstance(device.serial, TextLines):
            yield from _fields(places, device.serial)


def _sharing(places: Places, device: Device, before: list[Device]) -> Iterator[Problem]:
    """Check that a device can be told from those that are on its line already."""
    for other in before:
        if not (isinstance(device.serial, ModbusSlave) and isinstance(other.serial, ModbusSlave)):
            text = (
                f"the line is already that of {other.id!r} at {places.where(other)}; "
                "expected Modbus slaves alone to share one"
            )
            yield places.problem(device, ["serial", "line"], text)
            return
        if device.serial.unit == other.serial.unit:
            text = (
                f"unit {device.serial.unit} is already that of {other.id!r} at "
                f"{places.where(other)}; expected one slave a unit"
            )
            yield places.problem(device, ["serial", "unit"], text)


def _settings(places: Places, device: Device, line: SerialLine) -> Iterator[Problem]:
    assert device.serial is not None
    driver = device.serial.driver
    settings = (line.baud, line.data_bits, line.parity, line.stop_bits)
    if driver in _FIXED and settings != (9600, 8, "none", 1):
        text = (
            f"{driver} speaks at 9600 baud, 8 data bits, no parity, 1 stop bit, and line "
            f"{line.id!r} at {places.where(line)} is declared otherwise; expected them to agree"
        )
        yield places.problem(device, ["serial", "driver"], text)


def _fields(places: Places, lines: TextLines) -> Iterator[Problem]:
    for name, named in lines.fields.items():
        if (text := fault(named)) is not None:
            yield places.problem(lines, ["fields", name], text)
    for index, column in enumerate(lines.columns):
        if column is not None and (text := fault(column)) is not None:
            yield places.problem(lines, ["columns", index], text)
