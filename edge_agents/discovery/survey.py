"""Sweeping a network, and following its neighbours further."""

from __future__ import annotations

import asyncio
import ipaddress
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from edge_agents.discovery.probe import Answer, Found, Prober
from edge_agents.discovery.ranges import Range

_AT_ONCE: Final = 200
"""Addresses asked at the same time; each has a socket open."""
_MOST_FOLLOWED: Final = 1024
"""Addresses followed beyond the range, whatever neighbours say."""


@dataclass(frozen=True)
class Survey:
    """What a sweep found.

    Attributes:
        found: devices, each once, in the order of their addresses.
        alive: all addresses that answered in any way.
        asked: how many addresses were asked.
        followed: how many of them because a neighbour named them.
    """

    found: Sequence[Found]
    alive: frozenset[str]
    asked: int
    followed: int


async def survey(
    swept: Range, prober: Prober, hops: int, told: Callable[[int, int], None]
) -> Survey:
    """Ask every address of a range, and then those that the devices there name as neighbours'.

    Args:
        swept: the range.
        prober: asks one address.
        hops: how often to follow neighbours further.
        told: called with the number of addresses done and known, as they grow.
    """
    waiting = swept.addresses()
    answers: dict[str, Answer] = {}
    in_range = len(waiting)
    for hop in range(hops + 1):
        await _ask(waiting, prober, answers, told)
        if hop == hops:
            break
        room = _MOST_FOLLOWED - (len(answers) - in_range)
        waiting = _named(answers.values(), swept)[:room]
        if not waiting:
            break
    found = [answer.found for answer in answers.values() if answer.found is not None]
    alive = frozenset(answer.address for answer in answers.values() if answer.alive)
    return Survey(distinct(found), alive, len(answers), len(answers) - in_range)


async def _ask(
    addresses: Sequence[str],
    prober: Prober,
    answers: dict[str, Answer],
    told: Callable[[int, int], None],
) -> None:
    known = len(answers) + len(addresses)
    limit = asyncio.Semaphore(_AT_ONCE)

    async def ask(address: str) -> None:
        async with limit:
            answers[address] = await prober.ask(address)
        told(len(answers), known)

    told(len(answers), known)
    async with asyncio.TaskGroup() as group:
        for address in addresses:
            group.create_task(ask(address))


def _named(answers: Iterable[Answer], swept: Range) -> list[str]:
    """Return management addresses of neighbours that were not asked yet."""
    known = list(answers)
    asked = {answer.address for answer in known}
    named = {
        neighbour.address
        for answer in known
        if answer.found is not None
        for neighbour in answer.found.neighbours
        if swept.may_follow(neighbour.address)
    }
    return sorted(named - asked)


def distinct(found: Iterable[Found]) -> list[Found]:
    """Return each device once, though it answers at several addresses.

    Devices are one when their chassis ids and names agree, or their serial
    numbers and names; of several addresses the one that neighbours name counts,
    or else the lowest.
    """
    several = list(found)
    named = {neighbour.address for each in several for neighbour in each.neighbours}
    ordered = sorted(several, key=lambda each: (each.address not in named, sortable(each.address)))
    kept: dict[tuple[str, str], Found] = {}
    for each in ordered:
        identity = each.said("chassis_id") or each.said("serial_number") or each.address
        kept.setdefault((identity, each.name), each)
    return sorted(kept.values(), key=lambda each: sortable(each.address))


def sortable(address: str) -> tuple[int, bytes]:
    """Return what puts addresses into the order of their numbers."""
    parsed = ipaddress.ip_address(address)
    return parsed.version, parsed.packed
