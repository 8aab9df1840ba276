"""Devices on serial lines as sources that are polled."""

from __future__ import annotations

import time
from typing import Final

from campuswatch.inventory.models import Device
from campuswatch.readings import Reading, now_ns
from edge_agents.sources.mqtt.presence import Presence, Standing, standing_reading
from edge_agents.sources.reachability import Service, availability, device_tags
from edge_agents.sources.serial.drivers import AskingDriver, HearingDriver
from edge_agents.sources.serial.frames import Frame, Take
from edge_agents.sources.serial.line import LineError, NoAnswerError, SerialLine
from edge_agents.sources.serial.modbus import RefusedError

_LONGEST_WAIT: Final = 60.0
"""Seconds after which a device that does not answer is asked again at the latest,
if its interval is no longer."""

_LATE: Final = 1.5  # timeouts within which the answer to a second try comes, too
_SHARE: Final = 0.4  # of an interval that one request may take at most
_HEARD_EVERY: Final = 60.0  # longest interval of a device that speaks by itself, seconds


class _Asker:
    """Asks on behalf of one poll; `Ask` says how."""

    def __init__(self, line: SerialLine, timeout: float, retries: int) -> None:
        self._line = line
        self._timeout = timeout
        self._retries = retries
        self.first_answer: float | None = None

    async def __call__(self, request: bytes, take: Take[Frame]) -> Frame:
        quiet = 0.0
        for _ in range(self._retries):
            try:
                return await self._once(request, take, quiet)
            except NoAnswerError:
                # To the end of the queue: the others have their turn first. What
                # answers the next try may be the late answer to this one, and its
                # own would be taken for that of the request after it.
                quiet = _LATE * self._timeout
        return await self._once(request, take, quiet)

    def note_damage(self) -> None:
        self._line.note_damage()

    async def _once(self, request: bytes, take: Take[Frame], quiet: float) -> Frame:
        begun = time.monotonic()
        answer = await self._line.ask(request, take, within=self._timeout, quiet=quiet)
        if self.first_answer is None:
            self.first_answer = time.monotonic() - begun - quiet
        return answer


class AskedSource:
    """A `PolledSource` of a device that answers.

    Once it is down it is asked without retries, and after every failure twice
    as late, up to a minute: a dead slave must not take the line from the others.

    Args:
        device: from the inventory.
        line: the line it is on, shared with others.
        driver: knows its commands.
    """

    def __init__(self, device: Device, line: SerialLine, driver: AskingDriver) -> None:
        self.name = f"serial {device.id}"
        self.interval = device.interval.total_seconds()
        self._line = line
        self._driver = driver
        self._tags = device_tags(device)
        self._timeout = min(device.timeout.total_seconds(), _SHARE * self.interval)
        self._retries = device.retries
        self._failures = 0
        self._ask_again = 0.0
        self._down = ""

    async def poll(self) -> list[Reading]:
        """Return what the device has, and its `availability`."""
        if time.monotonic() < self._ask_again:
            return [self._failed()]
        ask = _Asker(self._line, self._timeout, 0 if self._failures else self._retries)
        try:
            found, refusal = await self._driver.read(ask), ""
        except LineError as error:
            return [self._availability(failure=str(error))]
        except RefusedError as error:
            found, refusal = [], f"refuses: {error}"
        except NoAnswerError as error:
            self._note_failure(str(error))
            return [self._failed()]
        self._failures = 0
        service = Service(self._driver.protocol, ask.first_answer, refusal)
        return [*found, self._availability(service=service)]

    async def close(self) -> None:
        """Give the port free."""
        self._line.close()

    def _note_failure(self, words: str) -> None:
        wait = min(self.interval * 2**self._failures, max(self.interval, _LONGEST_WAIT))
        # Half an interval early, so that the poll that is due then is not missed.
        self._ask_again = time.monotonic() + wait - self.interval / 2
        self._failures += 1
        self._down = words

    def _failed(self) -> Reading:
        return self._availability(service=Service(self._driver.protocol, None, self._down))

    def _availability(self, *, service: Service | None = None, failure: str = "") -> Reading:
        return availability(
            self._tags, self.interval, now_ns(), echo=None, service=service, failure=failure
        )


class HeardSource:
    """A `PolledSource` of a device that speaks by itself, alone on its line.

    Args:
        device: from the inventory.
        line: its line.
        driver: knows what it sends.
        every: seconds between two messages, if that is known of all such
            devices; else it is declared in the inventory, or learned.
    """

    def __init__(
        self, device: Device, line: SerialLine, driver: HearingDriver, every: float | None = None
    ) -> None:
        self.name = f"serial {device.id}"
        self.interval = min(_HEARD_EVERY, device.interval.total_seconds())
        self._line = line
        self._driver = driver
        self._tags = device_tags(device)
        declared = device.declared_interval
        self._presence = Presence(every or (declared.total_seconds() if declared else None))
        self._opened: float | None = None

    async def poll(self) -> list[Reading]:
        """Return the latest that was heard, and the device's `availability` if it is known."""
        try:
            opened = self._line.listen(self._hear)
        except LineError as error:
            return [self._reading(Standing(up=False, reason=str(error)))]
        if opened != self._opened:
            self._opened = opened
            self._driver.restart()
        standing = self._presence.standing(time.monotonic(), opened)
        known = [] if standing is None else [self._reading(standing)]
        return [*self._driver.take(), *known]

    async def close(self) -> None:
        """Give the port free."""
        self._line.close()

    def _hear(self, data: bytes) -> None:
        if self._driver.hear(data, self._line.note_damage):
            self._presence.hear(time.monotonic())

    def _reading(self, standing: Standing) -> Reading:
        return standing_reading(self._tags, self.interval, standing)
