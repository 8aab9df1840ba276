"""Whether a device can be reached, and why not: ICMP echo and its own protocol.

A device is up when it answers by either: a switch whose SNMP agent hangs still
carries traffic, and one that filters ICMP is not down. `service_up` says of its
own protocol alone.
"""

from __future__ import annotations

import asyncio
import ipaddress
import logging
import socket
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from icmplib import Host, ICMPLibError, SocketPermissionError, async_ping

from campuswatch.inventory.models import Device
from campuswatch.measurements import CATALOGUE
from campuswatch.readings import FieldValue, Reading, now_ns

log = logging.getLogger(__name__)

ECHOES: Final = 3
"""ICMP echo requests at each interval."""

ECHO_SPACING: Final = 0.2
"""Seconds between them."""

_RESOLVE_TIMEOUT: Final = 5.0
_AVAILABILITY: Final = CATALOGUE["availability"]


class UnresolvableError(Exception):
    """A host name has no address; the message says so."""


async def resolve(host: str) -> str:
    """Return the address of a host, which may be an address already.

    Raises:
        UnresolvableError: it has none, or the name servers don't answer.
    """
    try:
        return str(ipaddress.ip_address(host))
    except ValueError:
        pass
    loop = asyncio.get_running_loop()
    try:
        async with asyncio.timeout(_RESOLVE_TIMEOUT):
            found = await loop.getaddrinfo(host, None, type=socket.SOCK_DGRAM)
    except TimeoutError:
        raise UnresolvableError(f"host name {host!r}: the name servers don't answer") from None
    except (OSError, UnicodeError):
        raise UnresolvableError(f"host name {host!r} does not resolve") from None
    return str(found[0][4][0])


@dataclass(frozen=True, slots=True)
class Echo:
    """What became of the ICMP echoes of one interval.

    Attributes:
        rtt: mean round-trip time in seconds, None without an answer.
        loss: percent without an answer.
        jitter: mean difference of one round-trip time to the next in seconds,
            None with less than two answers.
    """

    rtt: float | None
    loss: float
    jitter: float | None = None


@dataclass(frozen=True, slots=True)
class Service:
    """Whether a device's own protocol answered.

    Attributes:
        name: of the protocol.
        time: seconds to its first answer, None without one.
        failure: what went wrong; "" if nothing did.
    """

    name: str
    time: float | None
    failure: str


class Pinger:
    """Sends ICMP echoes, to so many devices at a time.

    Datagram sockets are used where the kernel lets this group have them
    (net.ipv4.ping_group_range), else raw ones, which need CAP_NET_RAW. Each raw
    socket is handed every answer the host gets, which is why the number is
    bounded.

    Args:
        concurrency: devices asked at the same time.
        echoes: sent to each.
        spacing: seconds from one of them to the next.
    """

    def __init__(
        self, concurrency: int = 50, echoes: int = ECHOES, spacing: float = ECHO_SPACING
    ) -> None:
        self._limit = asyncio.Semaphore(concurrency)
        self._echoes = echoes
        self._spacing = spacing
        self._privileged: bool | None = None
        self._allowed = True

    async def echo(self, address: str, wait: float) -> Echo | None:
        """Ask an address; None if this process may not.

        Args:
            address: IPv4 or IPv6 address.
            wait: for each echo, in seconds.
        """
        async with self._limit:
            while self._allowed:
                try:
                    return await self._ask(address, wait)
                except SocketPermissionError:
                    self._allowed = self._privileged is None
                    self._privileged = True
                    if not self._allowed:
                        log.warning("not pinging: needs net.ipv4.ping_group_range or CAP_NET_RAW")
                except (ICMPLibError, OSError):
                    return Echo(None, 100.0)  # no route, network down
        return None

    async def _ask(self, address: str, wait: float) -> Echo:
        host: Host = await async_ping(
            address,
            count=self._echoes,
            interval=self._spacing,
            timeout=wait,
            privileged=bool(self._privileged),
        )
        rtt = host.avg_rtt / 1000 if host.is_alive else None
        jitter = host.jitter / 1000 if len(host.rtts) > 1 else None
        return Echo(rtt, host.packet_loss * 100, jitter)


SHARED_PINGER: Final = Pinger()
"""For all devices of this process."""


def availability(
    tags: dict[str, str],
    interval: float,
    time: int,
    *,
    echo: Echo | None,
    service: Service | None,
    failure: str = "",
    verdict: str = "",
) -> Reading:
    """Return the reading that says whether a device is reachable.

    Args:
        tags: of the device.
        interval: seconds between two such readings.
        time: nanoseconds since 1970-01-01 UTC.
        echo: None if it was not asked by ICMP.
        service: None if it has no protocol of its own, or was not asked.
        failure: why it could not be asked at all.
        verdict: why it is down even if it answers; "" if nobody says so.
    """
    icmp_up = echo is not None and echo.rtt is not None
    service_up = service is not None and service.time is not None
    up = (icmp_up or service_up) and not verdict
    fields: dict[str, FieldValue | None] = {
        "up": int(up),
        "interval": interval,
        "reason": failure or verdict or _reason(echo, service),
    }
    if echo is not None:
        fields |= {"icmp_up": int(icmp_up), "rtt": echo.rtt, "loss": echo.loss}
    if service is not None:
        fields |= {"service_up": int(service_up), "service_time": service.time}
    return _AVAILABILITY.reading(tags, fields, time)


def _reason(echo: Echo | None, service: Service | None) -> str | None:
    icmp_up = echo is not None and echo.rtt is not None
    if service is None:
        return None if icmp_up else "no ICMP echo"
    if service.time is not None:
        return service.failure or None
    if icmp_up:
        return f"answers ICMP but not {service.name}: {service.failure}"
    if echo is None:
        return f"no {service.name} answer: {service.failure}"
    return f"no ICMP echo and no {service.name} answer: {service.failure}"


def device_tags(device: Device) -> dict[str, str]:
    """Return the tags of everything that is read from a device."""
    return {"device": device.id, "room": device.room or ""}


SaidDown = Callable[[str, int], str]
"""Returns why others say that a device is down, by its id at a time in ns; "" if they don't."""


def nobody_says(device: str, time: int) -> str:
    """A `SaidDown` for devices that tell of themselves alone."""
    return ""


class PingSource:
    """A device that is asked by ICMP echo alone.

    Args:
        device: from the inventory.
        address: its IP address or host name.
        pinger: shared by all devices.
        said_down: asked before a device that answers counts as up.
    """

    def __init__(
        self,
        device: Device,
        address: str,
        pinger: Pinger,
        said_down: SaidDown = nobody_says,
    ) -> None:
        self._device = device
        self._address = address
        self._pinger = pinger
        self._said_down = said_down

    @property
    def name(self) -> str:
        return f"ping {self._device.id}"

    @property
    def interval(self) -> float:
        return self._device.interval.total_seconds()

    async def poll(self) -> list[Reading]:
        """Return one `availability` reading; none if this process may not ping."""
        time = now_ns()
        tags = device_tags(self._device)
        try:
            address = await resolve(self._address)
        except UnresolvableError as error:
            return [
                availability(tags, self.interval, time, echo=None, service=None, failure=str(error))
            ]
        echo = await self._pinger.echo(address, self._device.timeout.total_seconds())
        if echo is None:
            return []
        verdict = self._said_down(self._device.id, time)
        return [availability(tags, self.interval, time, echo=echo, service=None, verdict=verdict)]

    async def close(self) -> None:
        """Nothing is held between polls."""
