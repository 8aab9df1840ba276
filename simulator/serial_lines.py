"""The serial lines of a world: pseudo-terminals with simulated devices behind them.

A pseudo-terminal is plugged in at the path that the inventory gives its line,
as an adapter is under /dev/serial/by-id. POSIX alone has them.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import time
import tty
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Final

from campuswatch.calendar import SchoolCalendar
from campuswatch.inventory.models import Device, ModbusSlave, SerialLine, TextLines
from edge_agents.sources.serial.register_maps import RegisterMap
from simulator import serial_devices
from simulator.projectors import state
from simulator.rooms import Rooms
from simulator.serial_devices import (
    SENSEAIR_S8,
    SENSEAIR_UNIT,
    Commands,
    ModbusSlaves,
    SerialDevices,
)
from simulator.world import Trouble, World

_SECOND: Final = 1.0
_CHUNK: Final = 1024
_LONGEST: Final = 256
"""Bytes that are kept of what may become a request (Modbus over serial line: a frame's most)."""

_PROJECTORS: Final = {
    "epson": serial_devices.epson,
    "benq": serial_devices.benq,
    "optoma": serial_devices.optoma,
}


def has_pseudo_terminals() -> bool:
    """Return whether this system makes pseudo-terminals: one without /dev/pts does not."""
    try:
        ends = os.openpty()
    except OSError:
        return False
    for end in ends:
        os.close(end)
    return True


def can_play(device: Device) -> bool:
    """Return whether a device can be played: one that sends text of its own can't."""
    return not isinstance(device.serial, TextLines)


class SerialPort:
    """One line: a pseudo-terminal that can be unplugged, and what is behind it.

    Args:
        path: where the port appears.
        devices: on the line.
    """

    def __init__(self, path: Path, devices: SerialDevices) -> None:
        self._path = path
        self._devices = devices
        self._ends: tuple[int, int] | None = None
        self._heard = bytearray()

    def plug(self) -> None:
        """Let the port appear, unless it is there.

        Raises:
            OSError: there is no pseudo-terminal left, or something else is at its path.
        """
        if self._ends is not None:
            return
        if self._path.is_symlink():  # left behind by one that was killed
            self._path.unlink()
        self._path.parent.mkdir(parents=True, exist_ok=True)
        far, near = self._ends = os.openpty()
        tty.setraw(near)
        os.set_blocking(far, False)
        self._path.symlink_to(os.ttyname(near))
        asyncio.get_running_loop().add_reader(far, self._read, far)

    def unplug(self) -> None:
        """Let the port vanish, also for whoever has it open."""
        ends, self._ends = self._ends, None
        if ends is None:
            return
        asyncio.get_running_loop().remove_reader(ends[0])
        self._path.unlink(missing_ok=True)
        self._heard.clear()
        for end in ends:
            os.close(end)

    def speak(self) -> None:
        """Send what the devices send by themselves."""
        self._send(self._devices.speak())

    def _read(self, far: int) -> None:
        self._heard += os.read(far, _CHUNK)
        self._send(self._devices.answer(self._heard))
        del self._heard[:-_LONGEST]

    def _send(self, data: bytes) -> None:
        if self._ends is not None and data:
            # While nobody reads, what is sent is lost, as on a wire.
            with contextlib.suppress(BlockingIOError):
                os.write(self._ends[0], data)


class SerialPorts:
    """Plays every device on the serial lines of a world.

    Args:
        world: says which devices there are, and who is in trouble.
        maps: the register maps there are, by id.
    """

    def __init__(self, world: World, maps: Mapping[str, RegisterMap]) -> None:
        self._world = world
        self._rooms = Rooms(world)
        self._maps = maps
        self._ports = [
            (SerialPort(Path(line.port), self._players(devices)), devices)
            for school in world.inventory.schools
            for agent in school.agents
            for line in agent.serial
            if (devices := _on(line, [d for d in school.devices if school.agent_of(d) == agent.id]))
        ]

    def start(self) -> None:
        """Plug every port in.

        Raises:
            OSError: one can't be.
        """
        for port, _ in self._ports:
            port.plug()

    async def run(self) -> None:
        """Let devices speak, and ports be unplugged and plugged in, until cancelled."""
        while True:
            for port, devices in self._ports:
                if any(self._world.has(Trouble.UNPLUGGED, device.id) for device in devices):
                    port.unplug()
                else:
                    port.plug()
                    port.speak()
            await asyncio.sleep(_SECOND)

    def close(self) -> None:
        """Unplug every port."""
        for port, _ in self._ports:
            port.unplug()

    def _players(self, devices: list[Device]) -> SerialDevices:
        slaves = {
            device.serial.unit: self._slave(device, self._maps[device.serial.map])
            for device in devices
            if isinstance(device.serial, ModbusSlave)
        }
        return ModbusSlaves(slaves) if slaves else self._alone(devices[0])

    def _slave(self, device: Device, register_map: RegisterMap) -> serial_devices.ModbusSlave:
        return serial_devices.ModbusSlave(
            register_map, partial(self._measure, device), partial(self._works, device)
        )

    def _alone(self, device: Device) -> SerialDevices:
        assert device.serial is not None
        driver = device.serial.driver
        if driver == "senseair-s8":
            return ModbusSlaves({SENSEAIR_UNIT: self._slave(device, SENSEAIR_S8)})
        if driver in _PROJECTORS:
            return self._projector(device, driver)
        sensor = serial_devices.mh_z19 if driver == "mh-z19" else serial_devices.pms5003
        return sensor(partial(self._measure, device), partial(self._works, device))

    def _projector(self, device: Device, driver: str) -> Commands:
        world = self._world
        calendar = SchoolCalendar.of(world.inventory, world.school_of(device.id))
        return _PROJECTORS[driver](
            lambda: state(world, device, calendar, time.time()), partial(self._works, device)
        )

    def _measure(self, device: Device, quantity: str) -> float:
        """Return a value of the device's room; 0 for what no room has."""
        measurement, _, field = quantity.partition(".")
        for values in self._rooms.values(device, measurement, time.time()):
            return float(values.get(field, 0))
        return 0.0

    def _works(self, device: Device) -> bool:
        """Return whether a device answers: no network is between it and its agent."""
        troubles = (Trouble.DOWN, Trouble.SILENT)
        return not any(self._world.has(trouble, device.id) for trouble in troubles)


def _on(line: SerialLine, devices: list[Device]) -> list[Device]:
    return [
        device for device in devices if device.serial is not None and device.serial.line == line.id
    ]
