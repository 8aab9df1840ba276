"""Which addresses are asked."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from campuswatch.errors import UserError

Network = ipaddress.IPv4Network | ipaddress.IPv6Network


@dataclass(frozen=True)
class Range:
    """A network to sweep.

    Attributes:
        network: all of it but its own and its broadcast address.
        excluded: networks that are never asked anything.
    """

    network: Network
    excluded: Sequence[Network] = ()

    @property
    def size(self) -> int:
        """How many addresses the network has, excluded ones too."""
        return self.network.num_addresses

    def addresses(self) -> list[str]:
        """Return the addresses to ask."""
        return [str(address) for address in self.network.hosts() if self._may_ask(address)]

    def has(self, address: str) -> bool:
        """Return whether an address is swept; a host name is not."""
        parsed = _parsed(address)
        return (
            parsed is not None
            and parsed in self.network
            and (self.size <= 2 or parsed not in (self.network[0], self.network[-1]))
            and self._may_ask(parsed)
        )

    def may_follow(self, address: str) -> bool:
        """Return whether an address that a neighbour names may be asked.

        Only private addresses may: a neighbour is in the school, whatever it says.
        """
        parsed = _parsed(address)
        return (
            parsed is not None
            and (parsed.is_private or parsed in self.network)
            and not (parsed.is_multicast or parsed.is_unspecified)
            and self._may_ask(parsed)
        )

    def _may_ask(self, address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> bool:
        return not any(address in network for network in self.excluded)


def read_range(cidr: str, exclude: Iterable[str], limit: int) -> Range:
    """Return the range that a user means.

    Args:
        cidr: such as "10.21.0.0/24", or one address.
        exclude: further such texts.
        limit: the most addresses that are not an oversight.

    Raises:
        UserError: a text is no network, or the range is larger than that.
    """
    found = Range(_network("CIDR", cidr), [_network("--exclude", text) for text in exclude])
    if found.size > limit:
        raise UserError(
            f"{cidr} has {found.size} addresses; expected at most {limit}, "
            f"or --limit {found.size} if all of them are meant"
        )
    return found


def _network(option: str, text: str) -> Network:
    try:
        return ipaddress.ip_network(text)
    except ValueError as error:
        raise UserError(f"{option}: {error}; expected a network such as 10.21.0.0/24") from None


def _parsed(address: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(address)
    except ValueError:
        return None
