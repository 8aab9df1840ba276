"""Many SNMP agents in one process, each on its own UDP address.

One pysnmp engine serves them all; the socket a request came in on says which
device is meant, as it does with real devices.
"""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import Callable, Mapping
from typing import Any, Final

from pysnmp.carrier.asyncio.dgram.udp import DOMAIN_NAME, UdpAsyncioTransport
from pysnmp.entity import config
from pysnmp.entity.engine import SnmpEngine
from pysnmp.entity.rfc3413.cmdrsp import (
    BulkCommandResponder,
    GetCommandResponder,
    NextCommandResponder,
)
from pysnmp.entity.rfc3413.context import SnmpContext
from pysnmp.proto.rfc1905 import endOfMibView, noSuchObject

from campuswatch.inventory.models import CommunityCredential, SnmpCredential, UserCredential
from campuswatch.secrets import resolve
from simulator.mibs.tree import MibTree, Oid

_AUTH: Final = {
    None: config.USM_AUTH_NONE,
    "md5": config.USM_AUTH_HMAC96_MD5,
    "sha1": config.USM_AUTH_HMAC96_SHA,
    "sha224": config.USM_AUTH_HMAC128_SHA224,
    "sha256": config.USM_AUTH_HMAC192_SHA256,
    "sha384": config.USM_AUTH_HMAC256_SHA384,
    "sha512": config.USM_AUTH_HMAC384_SHA512,
}
_PRIV: Final = {
    None: config.USM_PRIV_NONE,
    "des": config.USM_PRIV_CBC56_DES,
    "aes128": config.USM_PRIV_CFB128_AES,
    "aes192": config.USM_PRIV_CFB192_AES,
    "aes256": config.USM_PRIV_CFB256_AES,
}
_V2C: Final = 2
_USM: Final = 3
_WHOLE_TREE: Final = (1,)  # LLDP-MIB is below 1.0.8802


class SnmpAgents:
    """Simulated agents; add them, then let the event loop run."""

    def __init__(self, credentials: Mapping[str, SnmpCredential]) -> None:
        """Make an engine that accepts each of `credentials` on every agent.

        Raises:
            SecretError: a credential's secret can't be resolved.
        """
        self._engine = SnmpEngine()
        self._objects = _ObjectsByDomain()
        for name, credential in credentials.items():
            _accept(self._engine, name, credential)
        context = SnmpContext(self._engine)
        context.unregister_context_name(b"")
        context.register_context_name(b"", self._objects)
        for responder in (GetCommandResponder, NextCommandResponder, BulkCommandResponder):
            responder(self._engine, context)

    async def add(
        self, address: tuple[str, int], tree: MibTree, answers: Callable[[float], bool]
    ) -> None:
        """Serve `tree` at a UDP address.

        Args:
            address: host and port.
            tree: the device's objects.
            answers: asked with the time (Unix seconds) at every request; while
                false, requests are lost as on the way to a device without power.

        Raises:
            OSError: the address can't be bound.
        """
        domain = (*DOMAIN_NAME, len(self._objects.trees) + 1)
        bound = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        bound.bind(address)
        bound.setblocking(False)
        transport = _Transport(answers)
        await asyncio.get_running_loop().create_datagram_endpoint(lambda: transport, sock=bound)
        self._objects.trees[domain] = tree
        config.add_transport(self._engine, domain, transport)

    def close(self) -> None:
        """Close every socket."""
        self._engine.close_dispatcher()


class _Transport(UdpAsyncioTransport):  # type: ignore[misc]
    """A UDP socket that loses what arrives while its device is down."""

    def __init__(self, answers: Callable[[float], bool]) -> None:
        super().__init__()
        self._answers = answers

    def datagram_received(self, datagram: bytes, address: tuple[str, int]) -> None:
        if self._answers(time.time()):
            super().datagram_received(datagram, address)


class _ObjectsByDomain:
    """What pysnmp's responders read from, in place of its own MIB tree."""

    def __init__(self) -> None:
        self.trees: dict[Oid, MibTree] = {}

    def read_variables(self, *var_binds: tuple[Any, Any], **context: Any) -> list[tuple[Any, Any]]:
        tree, now = self._tree(context), time.time()
        return [tree.get(tuple(name), now) or (name, noSuchObject) for name, _ in var_binds]

    def read_next_variables(
        self, *var_binds: tuple[Any, Any], **context: Any
    ) -> list[tuple[Any, Any]]:
        tree, now = self._tree(context), time.time()
        return [tree.get_next(tuple(name), now) or (name, endOfMibView) for name, _ in var_binds]

    def _tree(self, context: Mapping[str, Any]) -> MibTree:
        request = context["snmpEngine"].observer.get_execution_context(
            "rfc3412.receiveMessage:request"
        )
        return self.trees[tuple(request["transportDomain"])]


def _accept(engine: SnmpEngine, name: str, credential: SnmpCredential) -> None:
    if isinstance(credential, CommunityCredential):
        config.add_v1_system(engine, name, resolve(credential.community))
        config.add_vacm_user(engine, _V2C, name, "noAuthNoPriv", readSubTree=_WHOLE_TREE)
    else:
        _accept_user(engine, credential)


def _accept_user(engine: SnmpEngine, credential: UserCredential) -> None:
    config.add_v3_user(
        engine,
        credential.user,
        _AUTH[credential.auth],
        credential.auth_key and resolve(credential.auth_key),
        _PRIV[credential.priv],
        credential.priv_key and resolve(credential.priv_key),
    )
    level = "authPriv" if credential.priv else "authNoPriv" if credential.auth else "noAuthNoPriv"
    config.add_vacm_user(engine, _USM, credential.user, level, readSubTree=_WHOLE_TREE)
