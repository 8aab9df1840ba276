"""One device, asked by SNMP and ICMP echo."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass
from typing import Final

from campuswatch.errors import UserError
from campuswatch.inventory.models import Device, District
from campuswatch.measurements import CATALOGUE
from campuswatch.readings import FieldValue, Reading, merged, now_ns
from edge_agents.sources.base import PolledSource
from edge_agents.sources.reachability import (
    SHARED_PINGER,
    Echo,
    Pinger,
    PingSource,
    Service,
    UnresolvableError,
    availability,
    device_tags,
    nobody_says,
    resolve,
)
from edge_agents.sources.snmp.credentials import Access, CommunityAccess, access
from edge_agents.sources.snmp.elsewhere import answering_address
from edge_agents.sources.snmp.errors import SnmpError, SnmpTimeoutError
from edge_agents.sources.snmp.faults import Fault, Faults
from edge_agents.sources.snmp.opening import open_session
from edge_agents.sources.snmp.rates import Uptime
from edge_agents.sources.snmp.recognition import recognised
from edge_agents.sources.snmp.registry import Profile, ProfileRegistry
from edge_agents.sources.snmp.session import SYS_UP_TIME, SnmpSession, Value
from edge_agents.sources.snmp.tables import TableReader
from edge_agents.sources.snmp.text import decode_text
from edge_agents.sources.snmp.wireless import AccessPointDirectory, ControllerView

log = logging.getLogger(__name__)

SYS_DESCR: Final = "1.3.6.1.2.1.1.1.0"
SYS_OBJECT_ID: Final = "1.3.6.1.2.1.1.2.0"

_TICKS: Final = 100
_LONGEST: Final = 0.9  # share of the interval that a poll may take
_DEVICE_INFO: Final = CATALOGUE["device_info"]
_SNMP_FAULT: Final = CATALOGUE["snmp_fault"]


@dataclass
class _Identity:
    """What a device says that it is, and so how it is read."""

    object_id: str
    description: str
    profile: Profile
    tables: list[TableReader]
    announced: bool = False


class SnmpSource:
    """A `PolledSource` for one device.

    A poll asks for sysUpTime, sysObjectID and whatever tells that tables
    changed, in one GET; then for the columns that are due, one request at a
    time, so that no device ever has more than one of ours to answer.
    Meanwhile ICMP echoes are sent.

    Args:
        device: from the inventory.
        address: its IP address or host name.
        access: its community or user.
        profiles: to choose from, or to find the one the inventory names.
        pinger: shared by all devices.
        access_points: those of the school, if they are known.
    """

    def __init__(
        self,
        device: Device,
        address: str,
        access: Access,
        profiles: ProfileRegistry,
        pinger: Pinger,
        *,
        access_points: AccessPointDirectory | None = None,
    ) -> None:
        self._device = device
        self._host = address
        self._access = access
        self._profiles = profiles
        self._pinger = pinger
        self._access_points = access_points or AccessPointDirectory([device])
        self._view = ControllerView(device, self._access_points)
        self._tags = device_tags(device)
        self._session: SnmpSession | None = None
        self._address = ""
        self._identity: _Identity | None = None
        self._uptime = Uptime()
        self._markers: dict[str, Value] = {}
        self._faults = Faults()
        self._elsewhere: str | None = None

    @property
    def name(self) -> str:
        return f"snmp {self._device.id}"

    @property
    def interval(self) -> float:
        return self._device.interval.total_seconds()

    @property
    def profile(self) -> Profile | None:
        """The profile the device is read by; None before it first answered."""
        return self._identity.profile if self._identity else None

    async def poll(self) -> list[Reading]:
        """Return `availability`, and what the profile yields if the device answers."""
        time = now_ns()
        try:
            address = await resolve(self._host)
        except UnresolvableError as error:
            return [self._availability(time, None, None, str(error))]
        echo = asyncio.create_task(self._echo(address))
        try:
            service, readings = await self._ask(address, time)
            readings = self._view.resolved(merged(readings), time)
            available = self._availability(time, await echo, service)
            return [available, *self._misbehaviour(time), *readings]
        finally:
            echo.cancel()

    async def close(self) -> None:
        """Close the socket."""
        if self._session is not None:
            self._session.close()
            self._session = None

    async def _echo(self, address: str) -> Echo | None:
        if not self._device.ping:
            return None
        return await self._pinger.echo(address, self._device.timeout.total_seconds())

    def _availability(
        self, time: int, echo: Echo | None, service: Service | None, failure: str = ""
    ) -> Reading:
        return availability(
            self._tags,
            self.interval,
            time,
            echo=echo,
            service=service,
            failure=failure,
            verdict=self._access_points.said_down(self._device.id, time),
        )

    async def _ask(self, address: str, time: int) -> tuple[Service, list[Reading]]:
        clock = asyncio.get_running_loop().time
        session = self._session_with(address)
        began = clock()
        try:
            answer = await session.get([SYS_UP_TIME, SYS_OBJECT_ID, *self._marker_oids()])
            answered_in = clock() - began
        except SnmpError as error:
            return Service("SNMP", None, await self._explained(address, error)), []
        self._elsewhere = None
        readings: list[Reading] = []
        limit = asyncio.timeout_at(began + self.interval * _LONGEST)
        try:
            async with limit:
                await self._recognise(session, answer)
                await self._read(session, answer, time, readings)
        except SnmpError as error:
            self._note(error)
            return Service("SNMP", answered_in, f"SNMP stopped half-way: {error}"), readings
        except TimeoutError:
            if not limit.expired():
                raise
            words = f"SNMP stopped half-way: a poll takes longer than {self.interval:g} s"
            self._faults.note(Fault.SLOW, words)
            return Service("SNMP", answered_in, words), readings
        return Service("SNMP", answered_in, "; ".join(self._faults)), readings

    def _note(self, error: SnmpError) -> None:
        if error.fault is not None:
            self._faults.note(error.fault, str(error))

    async def _explained(self, address: str, error: SnmpError) -> str:
        """Return why there is no answer; that is looked into once for each time of silence."""
        self._note(error)
        if not isinstance(error, SnmpTimeoutError) or not isinstance(self._access, CommunityAccess):
            return str(error)
        if self._elsewhere is None:
            place = (address, self._device.port)
            timeout = self._device.timeout.total_seconds()
            self._elsewhere = await answering_address(place, self._access.community, timeout)
        if not self._elsewhere:
            return str(error)
        words = f"answers come from {self._elsewhere} instead: poll that address"
        self._faults.note(Fault.OTHER_ADDRESS, words)
        return words

    def _misbehaviour(self, time: int) -> list[Reading]:
        """Return a reading for each kind of fault that the poll met."""
        return [
            _SNMP_FAULT.reading(
                {**self._tags, "fault": fault}, {"count": noted.count, "reason": noted.words}, time
            )
            for fault, noted in self._faults.take().items()
        ]

    def _session_with(self, address: str) -> SnmpSession:
        if self._session is None or address != self._address:
            if self._session is not None:
                self._session.close()
            self._address = address
            self._session = open_session(
                address,
                self._device.port,
                self._access,
                timeout=self._device.timeout.total_seconds(),
                retries=self._device.retries,
                faults=self._faults,
            )
        return self._session

    def _marker_oids(self) -> list[str]:
        if self._identity is None:
            return []
        tables = self._identity.tables
        return sorted({oid for reader in tables for oid in reader.table.changed_by})

    async def _recognise(self, session: SnmpSession, answer: dict[str, Value]) -> None:
        """Choose the profile: at first, after a restart, for another device at the address.

        Whatever was remembered of the device is then forgotten, its counters too.
        """
        object_id = str(answer.get(SYS_OBJECT_ID, ""))
        ticks = answer.get(SYS_UP_TIME)
        now = asyncio.get_running_loop().time()
        restarted = isinstance(ticks, int) and self._uptime.restarted(ticks, now)
        if self._identity and self._identity.object_id == object_id and not restarted:
            return
        description = _text((await session.get([SYS_DESCR])).get(SYS_DESCR))
        named = self._device.profile
        profile = (
            self._profiles.get(named)
            if named
            else await recognised(session, self._profiles, object_id, description)
        )
        tables = [
            TableReader(table, self.interval, self.name, self._faults) for table in profile.tables
        ]
        self._identity = _Identity(object_id, description, profile, tables)
        self._markers = await session.get(self._marker_oids())
        log.info("%s: profile %s (sysObjectID %s)", self.name, profile.name, object_id)

    async def _read(
        self, session: SnmpSession, answer: dict[str, Value], time: int, readings: list[Reading]
    ) -> None:
        """Add what the profile's tables yield; after an error, what they had yielded."""
        assert self._identity is not None
        now = asyncio.get_running_loop().time()
        ticks = answer.get(SYS_UP_TIME)
        uptime = ticks / _TICKS if isinstance(ticks, int) else None
        self._notice_changes(answer)
        about: dict[str, FieldValue] = {}
        try:
            having: set[str] = set()
            for reader in self._identity.tables:
                if reader.table.instead_of in having:
                    continue
                await reader.read(session, now, uptime)
                if reader.has_rows:
                    having.add(reader.table.id)
                for reading in reader.readings(self._tags, time):
                    if reading.measurement == _DEVICE_INFO.name:
                        about |= reading.fields
                    else:
                        readings.append(reading)
        finally:
            readings += self._about(about, uptime, time)

    def _notice_changes(self, answer: dict[str, Value]) -> None:
        assert self._identity is not None
        markers = {oid: answer[oid] for oid in self._marker_oids() if oid in answer}
        changed = {oid for oid, value in markers.items() if self._markers.get(oid, value) != value}
        self._markers |= markers
        for reader in self._identity.tables:
            if not changed.isdisjoint(reader.table.changed_by):
                reader.stale()

    def _about(
        self, fields: dict[str, FieldValue], uptime: float | None, time: int
    ) -> list[Reading]:
        """Return what is known of the device itself, as one reading."""
        assert self._identity is not None
        identity = self._identity
        about: dict[str, FieldValue | None] = {**fields, "uptime": uptime}
        if fields or not identity.announced:
            identity.announced = True
            about |= {
                "description": identity.description or None,
                "object_id": identity.object_id or None,
                "profile": identity.profile.name,
                "vendor": identity.profile.vendor or fields.get("vendor"),
            }
        about["rates_dropped"] = self._faults.count(Fault.IMPLAUSIBLE) or None
        if all(value is None for value in about.values()):
            return []
        return [_DEVICE_INFO.reading(self._tags, about, time)]


def _text(value: Value | None) -> str:
    if value is None:
        return ""
    return decode_text(value) if isinstance(value, bytes) else str(value)


def polled_source(
    device: Device,
    district: District,
    profiles: ProfileRegistry,
    pinger: Pinger = SHARED_PINGER,
    *,
    access_points: AccessPointDirectory | None = None,
) -> PolledSource | None:
    """Return the source that polls a device; None if it is not to be polled.

    Args:
        device: from the inventory.
        district: for its credentials.
        profiles: to choose from.
        pinger: bounds how many devices are pinged at the same time.
        access_points: those of the school, of which a controller may tell.

    Raises:
        UserError: a credential or a profile can't be had; names the device.
    """
    if device.address is None:
        return None
    if device.snmp is None:
        if not device.ping:
            return None
        said_down = access_points.said_down if access_points else nobody_says
        return PingSource(device, device.address, pinger, said_down)
    try:
        if device.profile is not None:
            profiles.get(device.profile)
        user = access(district.credentials[device.snmp])
    except KeyError:
        raise UserError(f"device {device.id}: unknown credential {device.snmp!r}") from None
    except UserError as error:
        raise UserError(f"device {device.id}: {error}") from None
    return SnmpSource(device, device.address, user, profiles, pinger, access_points=access_points)
