"""One projector or display, asked by PJLink and ICMP echo."""

from __future__ import annotations

import asyncio
from contextlib import closing
from typing import Final

from campuswatch.inventory.models import Device, PjLink
from campuswatch.measurements import CATALOGUE
from campuswatch.readings import FieldValue, Reading, now_ns
from campuswatch.secrets import resolve as resolve_secret
from edge_agents.sources.pjlink.answers import (
    FAILURE,
    IDENTITY,
    POWER,
    SPARES,
    STATUS,
    NonsenseError,
    PasswordError,
    PjLinkError,
    Query,
    RefusedError,
    level,
)
from edge_agents.sources.pjlink.session import PjLinkSession, connect
from edge_agents.sources.reachability import (
    SHARED_PINGER,
    Echo,
    Pinger,
    Service,
    UnresolvableError,
    availability,
    device_tags,
    resolve,
)

IDENTITY_PERIOD: Final = 3600.0
"""Seconds after which a projector is asked again who it is."""

_BUSY_PAUSE: Final = 0.5  # seconds until a projector that serves somebody else is tried again
_LONGEST: Final = 0.9  # share of the interval that a poll may take
_DEVICE_INFO: Final = CATALOGUE["device_info"]
_PROJECTOR: Final = CATALOGUE["projector"]

Fields = dict[str, FieldValue | None]


class PjLinkSource:
    """A `PolledSource` for one projector.

    Each poll is a connection of its own, because projectors end idle ones
    after 30 s and many serve only one at a time.

    Args:
        device: from the inventory.
        address: its IP address or host name.
        pjlink: how it speaks PJLink.
        password: None if it wants none.
        pinger: shared by all devices.
    """

    def __init__(
        self,
        device: Device,
        address: str,
        pjlink: PjLink,
        password: str | None,
        pinger: Pinger = SHARED_PINGER,
    ) -> None:
        self._device = device
        self._host = address
        self._port = pjlink.port
        self._password = password
        self._pinger = pinger
        self._tags = device_tags(device)
        self._timeout = device.timeout.total_seconds()
        self._level = 1
        self._identified: float | None = None

    @property
    def name(self) -> str:
        return f"pjlink {self._device.id}"

    @property
    def interval(self) -> float:
        return self._device.interval.total_seconds()

    async def poll(self) -> list[Reading]:
        """Return `availability`, and if it answers `projector`; now and then `device_info`."""
        time = now_ns()
        try:
            address = await resolve(self._host)
        except UnresolvableError as error:
            return [
                availability(
                    self._tags, self.interval, time, echo=None, service=None, failure=str(error)
                )
            ]
        echo = asyncio.create_task(self._echo(address))
        try:
            status: Fields = {}
            identity: Fields = {}
            service = await self._ask(address, status, identity)
            available = availability(
                self._tags, self.interval, time, echo=await echo, service=service
            )
        finally:
            echo.cancel()
        readings = [available]
        if status:
            readings.append(_PROJECTOR.reading(self._tags, status, time))
        if identity:
            readings.append(_DEVICE_INFO.reading(self._tags, identity, time))
        return readings

    async def close(self) -> None:
        """Nothing is held between polls."""

    async def _echo(self, address: str) -> Echo | None:
        return await self._pinger.echo(address, self._timeout) if self._device.ping else None

    async def _ask(self, address: str, status: Fields, identity: Fields) -> Service:
        """Fill in what the projector says, as far as it gets."""
        clock = asyncio.get_running_loop().time
        began = clock()
        faults: list[str] = []
        answered_in: float | None = None
        limit = asyncio.timeout_at(began + self.interval * _LONGEST)
        try:
            async with limit:
                with closing(await self._connect(address)) as session:
                    await self._fill(session, POWER, status, faults)
                    answered_in = clock() - began
                    await self._read(session, status, identity, faults)
        except PjLinkError as error:
            faults.append(str(error))
        except TimeoutError:
            if not limit.expired():
                raise
            faults.append(f"a poll takes longer than {self.interval:g} s")
        return Service("PJLink", answered_in, "; ".join(faults))

    async def _connect(self, address: str) -> PjLinkSession:
        """Connect; again and again if the projector serves somebody else meanwhile."""
        tries_left = self._device.retries
        while True:
            try:
                return await connect(
                    address, self._port, patience=self._timeout, password=self._password
                )
            except PasswordError:
                raise
            except PjLinkError:
                if not tries_left:
                    raise
            tries_left -= 1
            await asyncio.sleep(_BUSY_PAUSE)

    async def _read(
        self, session: PjLinkSession, status: Fields, identity: Fields, faults: list[str]
    ) -> None:
        clock = asyncio.get_running_loop().time
        due = self._identified is None or clock() - self._identified >= IDENTITY_PERIOD
        if due:
            await self._learn_level(session)
        for query in STATUS:
            await self._fill(session, query, status, faults)
        if due:
            for query in IDENTITY:
                await self._fill(session, query, identity, faults)
            for query in SPARES:
                await self._fill(session, query, status, faults)
            self._identified = clock()

    async def _learn_level(self, session: PjLinkSession) -> None:
        try:
            self._level = level(await session.ask(1, "CLSS"))
        except RefusedError:
            self._level = 1

    async def _fill(
        self, session: PjLinkSession, query: Query, fields: Fields, faults: list[str]
    ) -> None:
        """Put the answer to a query into `fields`.

        A refusal is no fault: not every projector has a lamp, and in standby
        many tell nothing but their power. ERR4 tells of a failure of the
        projector itself.
        """
        if query.level > self._level:
            return
        try:
            value = await session.ask(query.level, query.command)
        except RefusedError as refusal:
            if refusal.code == FAILURE:
                faults.append(str(refusal))
            return
        try:
            fields |= query.read(value)
        except NonsenseError as error:
            faults.append(str(error))


def pjlink_source(device: Device, address: str, pjlink: PjLink) -> PjLinkSource:
    """Return the source that polls a projector.

    Raises:
        SecretError: its password is not where the inventory says.
    """
    password = None if pjlink.password is None else resolve_secret(pjlink.password)
    return PjLinkSource(device, address, pjlink, password)
