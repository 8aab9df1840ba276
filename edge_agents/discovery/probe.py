"""Asking one address whether it is a device, and which."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Final

from campuswatch.neighbours import MEASUREMENT as NEIGHBOUR
from campuswatch.neighbours import Neighbour, neighbours
from campuswatch.readings import FieldValue, Reading, now_ns
from edge_agents.discovery.throttle import Throttle, ThrottledSession
from edge_agents.sources.reachability import Pinger
from edge_agents.sources.snmp.credentials import Access
from edge_agents.sources.snmp.errors import (
    SnmpAuthError,
    SnmpError,
    SnmpTimeoutError,
    SnmpUnreachableError,
)
from edge_agents.sources.snmp.recognition import recognised
from edge_agents.sources.snmp.registry import Profile, ProfileRegistry
from edge_agents.sources.snmp.session import SYS_UP_TIME, GufoSession, SnmpSession, Value
from edge_agents.sources.snmp.source import SYS_DESCR, SYS_OBJECT_ID
from edge_agents.sources.snmp.tables import TableReader
from edge_agents.sources.snmp.text import decode_text

_SYS_NAME: Final = "1.3.6.1.2.1.1.5.0"
_SYS_SERVICES: Final = "1.3.6.1.2.1.1.7.0"
_LLDP_CAPABILITIES: Final = "1.0.8802.1.1.2.1.3.6.0"
_UPS_MODEL: Final = "1.3.6.1.2.1.33.1.1.2.0"
_PRINTER_CHANGES: Final = "1.3.6.1.2.1.43.5.1.1.1.1"
_HOST_UPTIME: Final = "1.3.6.1.2.1.25.1.1.0"
_OWN_ADDRESSES: Final = "1.3.6.1.2.1.4.20.1.1"

_DEVICE_INFO: Final = "device_info"
_READ: Final = frozenset({_DEVICE_INFO, NEIGHBOUR})
_RARELY: Final = 3600.0
"""Seconds to the next poll of what is polled once: any."""


@dataclass(frozen=True)
class Traits:
    """What tells of a device's kind.

    Attributes:
        services: sysServices (RFC 3418), None if it does not say.
        capabilities: lldpLocSysCapEnabled, as in the row `neighbour` of the catalogue.
        ups: whether it has UPS-MIB (RFC 1628).
        printer: whether it has Printer-MIB (RFC 3805).
        host: whether it has HOST-RESOURCES-MIB (RFC 2790).
    """

    services: int | None = None
    capabilities: int | None = None
    ups: bool = False
    printer: bool = False
    host: bool = False


@dataclass(frozen=True)
class Found:
    """A device that answered.

    Attributes:
        address: where.
        credential: the name of the credential that it accepts.
        profile: the one that recognises it.
        description: sysDescr.
        name: sysName.
        traits: what tells of its kind.
        own_addresses: this one, and all that it says it has (IP-MIB).
        about: its `device_info`.
        neighbours: whom it hears; their `device` is this address.
        failure: why it could not be asked to the end; "" if it was.
    """

    address: str
    credential: str
    profile: Profile
    description: str
    name: str
    traits: Traits = Traits()
    own_addresses: frozenset[str] = frozenset()
    about: Mapping[str, FieldValue] = field(default_factory=dict)
    neighbours: tuple[Neighbour, ...] = ()
    failure: str = ""

    def said(self, key: str) -> str:
        """Return a field of its `device_info` as text, "" if it is missing."""
        return str(self.about.get(key, ""))

    @property
    def vendor(self) -> str:
        """Who made it."""
        return self.profile.vendor or self.said("vendor")


@dataclass(frozen=True)
class Answer:
    """What became of one address.

    Attributes:
        address: the address.
        alive: whether it answered at all.
        found: the device, if it answers SNMP with one of the credentials.
    """

    address: str
    alive: bool
    found: Found | None


@dataclass(frozen=True)
class Manners:
    """How a sweep asks.

    Attributes:
        port: UDP port of SNMP agents.
        timeout: of one request, s.
        retries: further tries of a request.
    """

    port: int = 161
    timeout: float = 1.0
    retries: int = 1


class Prober:
    """Asks addresses by ICMP echo and SNMP.

    Args:
        credentials: by name, in the order in which they are tried.
        profiles: to recognise devices by.
        manners: how to ask.
        throttle: bounds the packets a second.
        pinger: sends one echo to each address.
    """

    def __init__(
        self,
        credentials: Mapping[str, Access],
        profiles: ProfileRegistry,
        manners: Manners,
        throttle: Throttle,
        pinger: Pinger,
    ) -> None:
        self._credentials = credentials
        self._profiles = profiles
        self._manners = manners
        self._throttle = throttle
        self._pinger = pinger

    async def ask(self, address: str) -> Answer:
        """Ask one address; whatever goes wrong there is no answer."""
        await self._throttle.take()
        echo = await self._pinger.echo(address, self._manners.timeout)
        found = await self._identified(address)
        alive = found is not None or (echo is not None and echo.rtt is not None)
        return Answer(address, alive, found)

    async def _identified(self, address: str) -> Found | None:
        for name, access in self._credentials.items():
            try:
                accepted = await self._accepts(address, access)
            except SnmpUnreachableError:
                return None  # nobody listens there, with any credential
            if accepted:
                return await self._read(address, name, access)
        return None

    async def _accepts(self, address: str, access: Access) -> bool:
        """Return whether there is an agent that accepts a credential.

        A wrong community is not told from silence (RFC 3584), a wrong user is.

        Raises:
            SnmpUnreachableError: the host says that nothing listens there.
        """
        session = self._session(address, access, retries=0)
        try:
            for _ in range(self._manners.retries + 1):
                try:
                    await session.get([SYS_UP_TIME])
                except SnmpTimeoutError:
                    continue
                except SnmpAuthError:
                    return False
                return True
        except SnmpUnreachableError:
            raise
        except SnmpError:
            return False
        finally:
            session.close()
        return False

    def _session(self, address: str, access: Access, retries: int) -> SnmpSession:
        manners = self._manners
        session = GufoSession(
            address, manners.port, access, timeout=manners.timeout, retries=retries
        )
        return ThrottledSession(session, self._throttle)

    async def _read(self, address: str, credential: str, access: Access) -> Found | None:
        """Return what a device says; None if it says nothing more."""
        session = self._session(address, access, self._manners.retries)
        try:
            answer = await session.get([SYS_OBJECT_ID, SYS_DESCR, _SYS_NAME])
            description = _text(answer.get(SYS_DESCR))
            object_id = str(answer.get(SYS_OBJECT_ID, ""))
            found = Found(
                address=address,
                credential=credential,
                profile=await recognised(session, self._profiles, object_id, description),
                description=description,
                name=_text(answer.get(_SYS_NAME)),
            )
            return await _completed(found, session)
        except SnmpError:
            return None
        finally:
            session.close()


async def _completed(found: Found, session: SnmpSession) -> Found:
    """Add what else a device says, or how far it got."""
    readings: list[Reading] = []
    try:
        found = replace(
            found,
            traits=await _traits(session),
            own_addresses=await _own_addresses(session) | {found.address},
        )
        await _read_tables(session, found, readings)
    except SnmpError as error:
        found = replace(found, failure=str(error))
    return replace(found, about=_about(readings), neighbours=tuple(neighbours(readings)))


async def _read_tables(session: SnmpSession, found: Found, readings: list[Reading]) -> None:
    """Add what the profile says of the device itself and of its neighbours."""
    for table in found.profile.tables:
        if table.measurement in _READ:
            reader = TableReader(table, _RARELY, found.address)
            await reader.read(session, 0.0, None)
            readings += reader.readings({"device": found.address}, now_ns())


def _about(readings: list[Reading]) -> dict[str, FieldValue]:
    about: dict[str, FieldValue] = {}
    for reading in readings:
        if reading.measurement == _DEVICE_INFO:
            about |= reading.fields
    return about


async def _traits(session: SnmpSession) -> Traits:
    asked = [_SYS_SERVICES, _LLDP_CAPABILITIES, _UPS_MODEL, _PRINTER_CHANGES, _HOST_UPTIME]
    answer = await session.get(asked)
    services, capabilities = answer.get(_SYS_SERVICES), answer.get(_LLDP_CAPABILITIES)
    return Traits(
        services=services if isinstance(services, int) else None,
        capabilities=capabilities[0] if isinstance(capabilities, bytes) and capabilities else None,
        ups=_UPS_MODEL in answer,
        printer=_PRINTER_CHANGES in answer,
        host=_HOST_UPTIME in answer,
    )


async def _own_addresses(session: SnmpSession) -> frozenset[str]:
    found: set[str] = set()
    async for page in session.walk(_OWN_ADDRESSES):
        found |= {str(value) for _, value in page.varbinds}
    return frozenset(found)


def _text(value: Value | None) -> str:
    return decode_text(value) if isinstance(value, bytes) else ""
