"""One conversation with one SNMPv3 context (RFC 3411, 3.3.1) other than the default.

gufo-snmp always asks the default context, so that a device which keeps views of
its MIB in contexts, such as one BRIDGE-MIB for each VLAN, is asked by pysnmp. It
is right, and costs many times as much: only users that name a context come here.
"""

from __future__ import annotations

import asyncio
import ipaddress
from collections.abc import AsyncIterator, Sequence
from typing import Any, Final

from pysnmp.hlapi.v3arch.asyncio import (
    ContextData,
    ObjectIdentity,
    ObjectType,
    SnmpEngine,
    Udp6TransportTarget,
    UdpTransportTarget,
    UsmUserData,
    bulk_cmd,
    get_cmd,
)
from pysnmp.proto import errind

from edge_agents.sources.snmp.credentials import UserAccess
from edge_agents.sources.snmp.errors import (
    SnmpAccessError,
    SnmpAuthError,
    SnmpDecodeError,
    SnmpError,
    SnmpLoopError,
    SnmpTimeoutError,
    SnmpUnreachableError,
)
from edge_agents.sources.snmp.pysnmp_users import user_keys
from edge_agents.sources.snmp.pysnmp_values import values
from edge_agents.sources.snmp.session import MAX_GET, MAX_REPETITIONS, Page, Value

_REFUSALS: Final = (
    errind.AuthenticationFailure,
    errind.DecryptionError,
    errind.NotInTimeWindow,
    errind.UnknownEngineID,
    errind.UnknownSecurityName,
    errind.UnknownUserName,
    errind.UnsupportedSecurityLevel,
    errind.WrongDigest,
)
_TOO_BIG: Final = 1
_NO_ACCESS: Final = 16


class ContextSession:
    """An `SnmpSession` with the context that a user names.

    Args:
        address: IPv4 or IPv6 address.
        port: UDP port.
        access: the user.
        timeout: of one try, in seconds.
        retries: further tries.
    """

    def __init__(
        self, address: str, port: int, access: UserAccess, *, timeout: float, retries: int
    ) -> None:
        self._address = address
        self._port = port
        self._access = access
        self._timeout = timeout
        self._retries = retries
        self._engine: SnmpEngine | None = None
        self._repetitions = MAX_REPETITIONS

    async def get(self, oids: Sequence[str]) -> dict[str, Value]:
        """See `SnmpSession.get`."""
        answer: dict[str, Value] = {}
        for start in range(0, len(oids), MAX_GET):
            answer |= await self._get_part(oids[start : start + MAX_GET])
        return answer

    async def _get_part(self, oids: Sequence[str]) -> dict[str, Value]:
        status, varbinds = await self._ask(get_cmd, oids)
        if status == _TOO_BIG and len(oids) > 1:
            middle = len(oids) // 2
            return await self._get_part(oids[:middle]) | await self._get_part(oids[middle:])
        return dict(values(varbinds))

    async def walk(self, root: str, rows: int | None = None) -> AsyncIterator[Page]:
        """See `SnmpSession.walk`."""
        clock = asyncio.get_running_loop().time
        below, after = f"{root}.", root
        while True:
            status, varbinds = await self._ask(bulk_cmd, [after], 0, self._repetitions)
            if status == _TOO_BIG and self._repetitions > 1:
                self._repetitions //= 2
                continue
            at, found = clock(), values(varbinds)
            inside = [varbind for varbind in found if varbind[0].startswith(below)]
            if inside:
                last = inside[-1][0]
                if after != root and _key(last) <= _key(after):
                    raise SnmpLoopError(f"the walk loops: OID {last} comes after {after}")
                after = last
                yield Page(inside, at)
            if not inside or len(inside) < len(varbinds):
                return

    async def _ask(
        self, command: Any, oids: Sequence[str], *numbers: int
    ) -> tuple[int, list[tuple[Any, Any]]]:
        """Send one request; return the answer's error-status and varbinds."""
        if self._engine is None:
            self._engine = SnmpEngine()
        access = self._access
        problem, status, _, varbinds = await command(
            self._engine,
            UsmUserData(access.user.name, **user_keys(access)),  # noqa: S509 - the inventory's level
            await self._target(),
            ContextData(contextName=access.context),
            *numbers,
            *(ObjectType(ObjectIdentity(oid)) for oid in oids),
            lookupMib=False,
        )
        if problem is not None:
            raise self._error(problem)
        if int(status) == _NO_ACCESS:
            raise SnmpAccessError(
                f"the agent does not let user {access.user.name!r} read context "
                f"{access.context!r} at level {access.level} (authorizationError)"
            )
        return int(status), [(name, value) for name, value in varbinds]

    async def _target(self) -> Any:
        version = ipaddress.ip_address(self._address).version
        kind = UdpTransportTarget if version == 4 else Udp6TransportTarget
        return await kind.create(
            (self._address, self._port), timeout=self._timeout, retries=self._retries
        )

    def _error(self, problem: errind.ErrorIndication) -> SnmpError:
        if isinstance(problem, errind.RequestTimedOut):
            return SnmpTimeoutError(
                f"no answer within {self._timeout:g} s (or no context {self._access.context!r})"
            )
        if isinstance(problem, errind.ReportPduReceived):
            return SnmpAuthError(f"the agent has no context {self._access.context!r}")
        if isinstance(problem, _REFUSALS):
            return SnmpAuthError(f"the agent refuses user {self._access.user.name!r}: {problem}")
        if isinstance(problem, errind.ParseError):
            return SnmpDecodeError(f"the answer can't be decoded: {problem}")
        return SnmpUnreachableError(str(problem))

    def close(self) -> None:
        """See `SnmpSession.close`."""
        if self._engine is not None:
            self._engine.close_dispatcher()
            self._engine = None


def _key(oid: str) -> tuple[int, ...]:
    return tuple(map(int, oid.split(".")))
