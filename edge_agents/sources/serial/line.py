"""A serial line: one port, one owner, and the devices on it in turn."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import logging
import termios
import time
from collections.abc import Callable
from typing import Final

import serial

from campuswatch.inventory import models
from edge_agents.sources.serial.frames import Frame, Take, take_next
from edge_agents.sources.serial.statistics import SerialStatistics

log = logging.getLogger(__name__)

_PARITIES: Final = {
    "none": serial.PARITY_NONE,
    "even": serial.PARITY_EVEN,
    "odd": serial.PARITY_ODD,
}
_SILENCE: Final = 3.5  # characters between two frames (Modbus over serial line 1.02, 2.5.1.1)
_SHORTEST_SILENCE: Final = 0.00175  # seconds, whatever the baud rate (ibid.)

_FAULTS: Final = {
    errno.ENOENT: "is gone",
    errno.ENODEV: "is gone",
    errno.ENXIO: "is gone",
    errno.EIO: "is gone",
    errno.EACCES: "may not be opened: is the agent's user in the group dialout?",
    errno.EPERM: "may not be opened: is the agent's user in the group dialout?",
    errno.EAGAIN: "is used by another program",
    errno.EBUSY: "is used by another program",
}


class LineError(Exception):
    """A serial port can't be used; the message says why."""


class NoAnswerError(Exception):
    """A device on a line that works has not answered in time; the message says more."""


class SerialLine:
    """Owns one serial port, which it opens when it is needed and again when it came back.

    The port is read by the event loop. Whoever asks has the line until the
    answer is there or the time is over, and those who wait get it in the order
    in which they came.

    Args:
        settings: of the inventory.
        statistics: shared by the agent's lines.
    """

    def __init__(self, settings: models.SerialLine, statistics: SerialStatistics) -> None:
        self.settings = settings
        self.statistics = statistics
        self._turn = asyncio.Lock()
        self._port: serial.Serial | None = None
        self._opened_at = 0.0
        self._hear: Callable[[bytes], None] = _nobody_hears
        self._lose: Callable[[], None] = _nobody_minds

    async def ask(
        self, request: bytes, take: Take[Frame], *, within: float, quiet: float = 0.0
    ) -> Frame:
        """Send a request when it is one's turn, and return the answer.

        Args:
            request: a whole frame.
            take: knows the answer.
            within: seconds from the request to the answer.
            quiet: seconds after the answer in which whatever comes is dropped.

        Raises:
            LineError: the port can't be used.
            NoAnswerError: there is no answer.
        """
        async with self._turn:
            self._open()
            await asyncio.sleep(self._silence)
            answer = await self._exchange(request, take, within)
            await asyncio.sleep(quiet)
            return answer

    def listen(self, hear: Callable[[bytes], None]) -> float:
        """Have whatever arrives handed over from now on.

        Returns:
            Since when the port is open without a break, on the monotonic clock.

        Raises:
            LineError: the port can't be used.
        """
        self._hear = hear
        self._open()
        return self._opened_at

    def note_damage(self) -> None:
        """Count a frame that was damaged."""
        self.statistics.damaged += 1

    def close(self) -> None:
        """Give the port free; whoever asks next opens it again."""
        port, self._port = self._port, None
        if port is None:
            return
        asyncio.get_running_loop().remove_reader(port.fileno())
        with contextlib.suppress(OSError, termios.error):
            port.reset_output_buffer()  # closing would wait for a device to take it
        port.close()

    @property
    def _silence(self) -> float:
        settings = self.settings
        bits = 1 + settings.data_bits + (settings.parity != "none") + settings.stop_bits
        return max(_SHORTEST_SILENCE, _SILENCE * bits / settings.baud)

    async def _exchange(self, request: bytes, take: Take[Frame], within: float) -> Frame:
        answer: asyncio.Future[Frame] = asyncio.get_running_loop().create_future()
        buffer = bytearray()
        heard = False

        def hear(data: bytes) -> None:
            nonlocal heard
            heard = True
            buffer.extend(data)
            frame = None if answer.done() else take_next(buffer, take, self.note_damage)
            if frame is not None:
                answer.set_result(frame)

        def lose() -> None:
            if not answer.done():
                answer.set_exception(self._error(errno.EIO))

        self._hear, self._lose = hear, lose
        try:
            self._send(request)
            async with asyncio.timeout(within):
                return await answer
        except TimeoutError:
            self.statistics.unanswered += 1
            words = "noise; are baud rate, parity and wiring right?" if heard else "silence"
            raise NoAnswerError(words) from None
        finally:
            answer.cancel()
            self._hear, self._lose = _nobody_hears, _nobody_minds

    def _send(self, request: bytes) -> None:
        if self._port is None:
            raise self._error(errno.EIO)
        try:
            sent = self._port.write(request)
        except OSError as error:
            self._drop()
            raise self._error(error.errno or errno.EIO) from None
        if sent != len(request):
            self._drop()
            raise self._error(errno.EIO)

    def _open(self) -> None:
        if self._port is not None:
            return
        settings = self.settings
        try:
            # On the loop: it is opened with O_NONBLOCK, and a thread that was
            # given up would keep the port locked.
            self._port = serial.Serial(
                settings.port,
                settings.baud,
                bytesize=settings.data_bits,
                parity=_PARITIES[settings.parity],
                stopbits=settings.stop_bits,
                timeout=0,
                write_timeout=0,
                exclusive=True,
            )
        except (OSError, ValueError, termios.error) as error:
            raise self._error(getattr(error, "errno", None)) from None
        self._opened_at = time.monotonic()
        asyncio.get_running_loop().add_reader(self._port.fileno(), self._read)
        log.info("serial port opened: line=%s port=%s", settings.id, settings.port)

    def _read(self) -> None:
        assert self._port is not None
        try:
            data = self._port.read(max(1, self._port.in_waiting))
        except OSError:
            self._drop()
            self._lose()
            return
        self._hear(data)

    def _drop(self) -> None:
        log.warning("serial port lost: line=%s port=%s", self.settings.id, self.settings.port)
        self.close()

    def _error(self, number: int | None) -> LineError:
        words = _FAULTS.get(number or 0, "can't be opened with the settings of its line")
        return LineError(f"serial port {self.settings.port} {words}")


def _nobody_hears(data: bytes) -> None:
    """Drop what arrives while nobody has asked."""


def _nobody_minds() -> None:
    """Do nothing when a port vanishes that nobody waits for."""
