"""Which device a notification is about."""

from __future__ import annotations

import asyncio
import ipaddress
from collections.abc import Iterable

from campuswatch.inventory.models import Device
from edge_agents.sources.reachability import UnresolvableError, resolve


def canonical(address: str) -> str:
    """Return an IP address in its shortest spelling; IPv4 in IPv6 (RFC 4291, 2.5.5.2) as IPv4."""
    parsed = ipaddress.ip_address(address.partition("%")[0])
    mapped = parsed.ipv4_mapped if isinstance(parsed, ipaddress.IPv6Address) else None
    return str(mapped or parsed)


class AddressBook:
    """Devices by the addresses they send from.

    Args:
        devices: those the agent asks.
    """

    def __init__(self, devices: Iterable[Device]) -> None:
        self._devices = [device for device in devices if device.address or device.addresses]
        self._owners: dict[str, set[str]] = {}

    async def refresh(self) -> None:
        """Look up the host names anew; one that has no address now keeps the one it had."""
        owners: dict[str, set[str]] = {}
        hosts = await asyncio.gather(*(_address(device) for device in self._devices))
        for device, host in zip(self._devices, hosts, strict=True):
            known = host or next(
                (address for address, ids in self._owners.items() if device.id in ids), None
            )
            for address in (known, *device.addresses):
                if address is not None:
                    owners.setdefault(address, set()).add(device.id)
        self._owners = owners

    def owner(self, sender: str, agent_address: str | None) -> str | None:
        """Return the id of the device that sent something; None if it is none, or any of several.

        Args:
            sender: source address of the datagram.
            agent_address: what the message itself says, if it does; only
                asked when the source belongs to no single device.
        """
        for address in (sender, agent_address):
            owners = self._owners.get(canonical(address)) if address else None
            if owners and len(owners) == 1:
                return next(iter(owners))
        return None


async def _address(device: Device) -> str | None:
    if device.address is None:
        return None
    try:
        return canonical(await resolve(device.address))
    except UnresolvableError:
        return None
