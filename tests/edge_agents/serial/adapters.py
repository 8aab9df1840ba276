"""USB adapters with devices behind them: pseudo-terminals that are plugged and unplugged."""

from __future__ import annotations

import asyncio
import os
import selectors
import threading
import tty
from collections.abc import Callable
from pathlib import Path

from pymodbus.server import ModbusSerialServer
from pymodbus.simulator import DataType, SimData, SimDevice


class Adapter:
    """A serial port at a path that stays the same, as in /dev/serial/by-id.

    Args:
        path: where the port appears.
        hear: called in a thread with what the agent sends.
    """

    def __init__(self, path: Path, hear: Callable[[bytes], None]) -> None:
        self.path = path
        self._hear = hear
        self._far: int | None = None
        self._near: int | None = None
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None

    def plug(self) -> None:
        self._far, self._near = os.openpty()
        tty.setraw(self._near)
        self.path.symlink_to(os.ttyname(self._near))
        self._thread = threading.Thread(target=self._run, args=(self._far,), daemon=True)
        self._thread.start()

    def unplug(self) -> None:
        self.path.unlink()
        with self._lock:
            far, near = self._far, self._near
            self._far = self._near = None
        assert far is not None
        assert near is not None
        os.close(near)
        os.close(far)
        assert self._thread is not None
        self._thread.join()

    def send(self, data: bytes) -> None:
        with self._lock:
            if self._far is not None:
                os.write(self._far, data)

    def _run(self, far: int) -> None:
        with selectors.DefaultSelector() as selector:
            selector.register(far, selectors.EVENT_READ)
            while self._far == far:
                if not selector.select(0.02):
                    continue
                with self._lock:
                    data = os.read(far, 1024) if self._far == far else b""
                if data:
                    self._hear(data)


class ModbusBus:
    """A bus with a `pymodbus` server of several units on its far end.

    Args:
        path: of the agent's port.
        units: input registers from address 0, by unit.
        garble: changes what the slaves send on its way.
    """

    def __init__(
        self,
        path: Path,
        units: dict[int, list[int]],
        garble: Callable[[bytes], bytes] = lambda data: data,
    ) -> None:
        self.adapter = Adapter(path, self._to_slaves)
        self._garble = garble
        self._far, self._near = os.openpty()
        tty.setraw(self._near)
        self._units = set(units)
        self._devices = [_device(unit, words) for unit, words in units.items()]
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._ready = threading.Event()
        self.asked: list[int] = []

    def start(self) -> None:
        self.adapter.plug()
        self._thread.start()
        assert self._ready.wait(10)

    def stop(self) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        os.close(self._far)
        os.close(self._near)
        if self.adapter.path.is_symlink():
            self.adapter.unplug()

    def _to_slaves(self, data: bytes) -> None:
        self.asked.append(data[0])
        if data[0] in self._units:  # the server would answer for the others, too
            os.write(self._far, data)

    def _to_agent(self) -> None:
        self.adapter.send(self._garble(os.read(self._far, 1024)))

    def _serve(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._loop.create_task(self._start_server())
        self._loop.run_forever()

    async def _start_server(self) -> None:
        self._loop.add_reader(self._far, self._to_agent)
        server = ModbusSerialServer(
            self._devices,
            port=os.ttyname(self._near),
            baudrate=9600,
        )
        await server.listen()
        self._ready.set()


def _device(unit: int, words: list[int]) -> SimDevice:
    registers = SimData(0, values=words, datatype=DataType.REGISTERS)
    return SimDevice(unit, simdata=[registers])
