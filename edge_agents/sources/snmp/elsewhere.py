"""Finding out whether a device that seems silent answers from another address.

A session's socket is connected, so that the kernel drops what comes from
elsewhere: behind address translation, or from a router that answers from
another of its addresses than the virtual one that was asked (VRRP, RFC 9568).
"""

from __future__ import annotations

import asyncio
import ipaddress
import secrets
import socket
from typing import Final

from edge_agents.sources.snmp.ber import BerError
from edge_agents.sources.snmp.pdu import get_request, request_id

_SYS_UP_TIME: Final = (1, 3, 6, 1, 2, 1, 1, 3, 0)
_LARGEST_ID: Final = 2**31 - 1


async def answering_address(place: tuple[str, int], community: str, wait: float) -> str:
    """Ask for sysUpTime and return which other address answers; "" if none does.

    Args:
        place: address and UDP port.
        community: of SNMPv2c.
        wait: seconds.
    """
    loop = asyncio.get_running_loop()
    asked = secrets.randbelow(_LARGEST_ID)
    listener = _Listener(place[0], asked, loop.create_future())
    version = ipaddress.ip_address(place[0]).version
    transport, _ = await loop.create_datagram_endpoint(
        lambda: listener, family=socket.AF_INET if version == 4 else socket.AF_INET6
    )
    try:
        transport.sendto(get_request(community, asked, _SYS_UP_TIME), place)
        async with asyncio.timeout(wait):
            return await listener.found
    except TimeoutError:
        return ""
    finally:
        transport.close()


class _Listener(asyncio.DatagramProtocol):
    def __init__(self, address: str, asked: int, found: asyncio.Future[str]) -> None:
        self._address = address
        self._asked = asked
        self.found = found

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        try:
            answered = request_id(data)
        except BerError:
            return
        if answered == self._asked and not self.found.done():
            self.found.set_result("" if addr[0] == self._address else addr[0])
