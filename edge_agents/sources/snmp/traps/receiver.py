"""Receives notifications with pysnmp: decoding, decryption, and answers to informs."""

from __future__ import annotations

import asyncio
import ipaddress
import logging
from collections.abc import Callable, Iterable
from typing import Any, Final

from pysnmp.carrier.asyncio.dgram.udp import SNMP_UDP_DOMAIN, UdpTransport
from pysnmp.carrier.asyncio.dgram.udp6 import SNMP_UDP6_DOMAIN, Udp6Transport
from pysnmp.carrier.asyncio.dispatch import AsyncioDispatcher
from pysnmp.entity import config
from pysnmp.entity.engine import SnmpEngine
from pysnmp.proto import rfc3411
from pysnmp.proto.api import v1, v2c
from pysnmp.proto.proxy import rfc2576
from pysnmp.proto.rfc1902 import OctetString

from edge_agents.sources.snmp.credentials import Access, CommunityAccess, UserAccess
from edge_agents.sources.snmp.pysnmp_users import user_keys
from edge_agents.sources.snmp.pysnmp_values import values
from edge_agents.sources.snmp.traps.admission import Admission, Admitted, RefusedError
from edge_agents.sources.snmp.traps.identity import EngineIdentity
from edge_agents.sources.snmp.traps.notification import Notification, notification
from edge_agents.sources.snmp.traps.senders import canonical

log = logging.getLogger(__name__)

_TICK: Final = 1.0  # seconds between pysnmp's rounds of forgetting
_PDUS: Final = (
    v1.TrapPDU.tagSet,
    v2c.SNMPv2TrapPDU.tagSet,
    v2c.InformRequestPDU.tagSet,
)

Take = Callable[[Notification], asyncio.Future[None]]
"""Takes a notification; the future is done once it need not be sent again."""

Refuse = Callable[[str, int, str], None]
"""Told of a datagram that was refused: its sender's address, its size in bytes, and why."""


class Receiver:
    """One UDP port on which notifications arrive.

    An inform is answered when what it says is on the disk, so that its sender
    repeats what this agent has lost.

    Args:
        accesses: communities and users that senders may use.
        identity: of this SNMP engine.
        allow: whether a sender may send one more datagram.
        take: called for each notification.
        refuse: called for each datagram that is none.
    """

    def __init__(
        self,
        accesses: Iterable[Access],
        identity: EngineIdentity,
        *,
        allow: Callable[[str], bool],
        take: Take,
        refuse: Refuse,
    ) -> None:
        accesses = list(accesses)
        self._admission = Admission(accesses, identity.engine_id)
        self._allow = allow
        self._take = take
        self._refuse = refuse
        self._sender = ""
        self._size = 0
        self._enrolled: dict[tuple[bytes, str], UserAccess] = {}
        self._engine = _engine(identity)
        self._engine.message_dispatcher.register_context_engine_id(b"", _PDUS, self._process)
        for number, access in enumerate(accesses):
            if isinstance(access, CommunityAccess):
                config.add_v1_system(self._engine, f"community-{number}", access.community)

    async def open(self, host: str, port: int) -> None:
        """Begin to listen.

        Raises:
            OSError: the address is taken, or this process may not have the port.
        """
        loop = asyncio.get_running_loop()
        dispatcher = AsyncioDispatcher(loop=loop, timeout=_TICK)
        self._engine.register_transport_dispatcher(dispatcher)
        version = ipaddress.ip_address(host).version
        domain, kind = (
            (SNMP_UDP_DOMAIN, UdpTransport) if version == 4 else (SNMP_UDP6_DOMAIN, Udp6Transport)
        )
        sending = kind()
        config.add_transport(self._engine, domain, sending)
        await loop.create_datagram_endpoint(
            lambda: _Port(sending, lambda *received: self._receive(domain, *received)),
            local_addr=(host, port),
        )

    def close(self) -> None:
        """Stop listening."""
        self._engine.close_dispatcher()

    def _receive(self, domain: Any, datagram: bytes, address: tuple[Any, ...]) -> None:
        self._sender, self._size = canonical(address[0]), len(datagram)
        if not self._allow(self._sender):
            return
        try:
            admitted = self._admission.admit(datagram, asyncio.get_running_loop().time())
            self._enrol(admitted)
            self._engine.message_dispatcher.receive_message(self._engine, domain, address, datagram)
        except RefusedError as error:
            self._refuse(self._sender, self._size, str(error))
        except Exception as error:  # noqa: BLE001 - pysnmp meets odd messages with any exception
            self._refuse(self._sender, self._size, f"can't be decoded: {type(error).__name__}")

    def _enrol(self, admitted: Admitted) -> None:
        """Make a user known to pysnmp at the engine that has just proved to be its."""
        access = admitted.access
        if not isinstance(access, UserAccess):
            return
        # Without keys nothing depends on the engine, so that one entry does for all.
        engine_id = admitted.engine_id if access.auth else _ANY_ENGINE
        key = (engine_id, access.user.name)
        if self._enrolled.get(key) is not access:
            config.add_v3_user(
                self._engine,
                access.user.name,
                securityEngineId=OctetString(engine_id),
                **user_keys(access),
            )
            self._enrolled[key] = access

    def _process(self, *call: Any) -> None:
        """Take a PDU from pysnmp, as its applications do (RFC 3413, 3.4)."""
        engine, pdu = call[0], call[_PDU]
        if pdu.tagSet == v1.TrapPDU.tagSet:
            pdu = rfc2576.v1_to_v2(pdu)
        confirmed = pdu.tagSet in rfc3411.CONFIRMED_CLASS_PDUS
        varbinds = v2c.apiPDU.get_varbinds(pdu)
        try:
            taken = self._take(notification(self._sender, values(varbinds)))
        except ValueError as error:
            self._refuse(self._sender, self._size, str(error))
            return
        if confirmed:
            answer = v2c.apiPDU.get_response(pdu)
            v2c.apiPDU.set_varbinds(answer, varbinds)
            arguments = (*call[:_PDU], answer, *call[_PDU + 1 :], {})
            taken.add_done_callback(
                lambda _: engine.message_dispatcher.return_response_pdu(*arguments)
            )


_PDU: Final = 8
"""Where the PDU stands among what pysnmp hands over, and what it takes back."""

_ANY_ENGINE: Final = bytes(5)
"""pysnmp's entry for users at engines that it does not know."""


def _engine(identity: EngineIdentity) -> SnmpEngine:
    """Return an engine of that identity.

    pysnmp would keep the count of restarts in the system's temporary directory,
    where the next boot loses it, and with it the clocks of whoever sends informs.
    """
    engine = SnmpEngine()
    engine_id, boots = engine.get_mib_builder().import_symbols(
        "__SNMP-FRAMEWORK-MIB", "snmpEngineID", "snmpEngineBoots"
    )
    engine_id.syntax = engine_id.syntax.clone(identity.engine_id)
    boots.syntax = boots.syntax.clone(identity.boots)
    engine.snmpEngineID = engine_id.syntax
    return engine


class _Port(asyncio.DatagramProtocol):
    """A socket that pysnmp sends from, and that is read here."""

    def __init__(self, sending: Any, receive: Callable[[bytes, tuple[Any, ...]], None]) -> None:
        self._sending = sending
        self._receive = receive

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._sending.connection_made(transport)

    def datagram_received(self, data: bytes, addr: tuple[Any, ...]) -> None:
        self._receive(data, addr)
