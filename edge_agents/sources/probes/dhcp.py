"""How long a DHCP server (RFC 2131) takes to offer an address; none is taken."""

from __future__ import annotations

import asyncio
import ipaddress
import secrets
import socket
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from campuswatch.inventory.models import DhcpProbe
from edge_agents.sources.probes.base import Fields, ProbeFailedError

_FIXED: Final = struct.Struct("!BBBBIHH4s4s4s4s16s64s128s4s")
_COOKIE: Final = bytes((99, 130, 83, 99))
_BROADCAST: Final = 0x8000
_TYPE, _SERVER, _WANTED, _PAD, _END = 53, 54, 55, 0, 255
_DISCOVER, _OFFER = 1, 2
_ROUTER_AND_DNS: Final = bytes((_WANTED, 2, 3, 6))
_NO_ADDRESS: Final = bytes(4)


@dataclass(frozen=True, slots=True)
class Ports:
    """UDP ports of DHCP; others for tests."""

    server: int = 67
    client: int = 68


USUAL_PORTS: Final = Ports()


def discover(transaction: int, hardware: bytes) -> bytes:
    """Return a DHCPDISCOVER that is to be answered by broadcast.

    Args:
        transaction: a number that the offer repeats.
        hardware: MAC address, 6 octets.
    """
    fixed = _FIXED.pack(
        1,  # BOOTREQUEST
        1,  # Ethernet
        6,
        0,
        transaction,
        0,
        _BROADCAST,
        _NO_ADDRESS,
        _NO_ADDRESS,
        _NO_ADDRESS,
        _NO_ADDRESS,
        hardware,
        b"",
        b"",
        _COOKIE,
    )
    message = fixed + bytes((_TYPE, 1, _DISCOVER)) + _ROUTER_AND_DNS + bytes((_END,))
    return message.ljust(300, b"\0")  # RFC 1542, section 2.1: some drop shorter ones


def read_offer(data: bytes, transaction: int) -> str | None:
    """Return the address of the server that offers; None if it is no offer to that request."""
    if len(data) < _FIXED.size:
        return None
    fixed = _FIXED.unpack_from(data)
    if fixed[0] != 2 or fixed[4] != transaction or fixed[-1] != _COOKIE:
        return None
    options = dict(_options(data[_FIXED.size :]))
    server = options.get(_SERVER, b"")
    if options.get(_TYPE) != bytes((_OFFER,)) or len(server) != 4:
        return None
    return str(ipaddress.IPv4Address(server))


def _options(data: bytes) -> Iterator[tuple[int, bytes]]:
    """Yield options (RFC 2132, section 2) as far as they are whole."""
    at = 0
    while at < len(data) and data[at] != _END:
        if data[at] == _PAD:
            at += 1
            continue
        length = data[at + 1] if at + 1 < len(data) else len(data)
        value = data[at + 2 : at + 2 + length]
        if len(value) < length:
            return
        yield data[at], value
        at += 2 + length


async def measure(probe: DhcpProbe, ports: Ports = USUAL_PORTS) -> Fields:
    """Return how long the first offer took, and which server made it.

    The request bears the interface's own address, so that a server offers the
    lease that this host has, and no other is used up.

    Raises:
        ProbeFailedError: there is no such interface, or this process may not ask.
        OSError: the network is down.
    """
    hardware = await asyncio.to_thread(_hardware_address, probe.interface)
    transaction = secrets.randbits(32)
    loop = asyncio.get_running_loop()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as link:
        _bind(link, probe.interface, ports.client)
        began = loop.time()
        request = discover(transaction, hardware)
        await loop.sock_sendto(link, request, ("255.255.255.255", ports.server))
        while (server := read_offer(await loop.sock_recv(link, 4096), transaction)) is None:
            pass
    return {"duration": loop.time() - began, "server": server}


def _hardware_address(interface: str) -> bytes:
    try:
        text = Path("/sys/class/net", interface, "address").read_text(encoding="ascii")
    except OSError:
        raise ProbeFailedError(f"no network interface {interface!r}") from None
    return bytes.fromhex(text.strip().replace(":", ""))


def _bind(link: socket.socket, interface: str, port: int) -> None:
    link.setblocking(False)
    link.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # beside the host's own client
    link.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
    try:
        link.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, interface.encode() + b"\0")
        link.bind(("", port))
    except PermissionError:
        raise ProbeFailedError("not allowed: needs CAP_NET_BIND_SERVICE") from None
