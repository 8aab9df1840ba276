"""A process of simulated switches: as many SNMP agents as a fleet has.

Each has the ports of an access switch, whose IF-MIB counters count. It is
started as `python -m benchmarks.switches`, prints the UDP ports that it
answers on as JSON, and ends when its standard input does.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import random
import socket
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator
from typing import Final

from edge_agents.descriptors import raise_file_limit
from edge_agents.sources.snmp.recording import (
    COUNTER32,
    COUNTER64,
    GAUGE32,
    INTEGER,
    OBJECT_IDENTIFIER,
    OCTET_STRING,
    TIME_TICKS,
    Instance,
    Oid,
    Recording,
)
from edge_agents.sources.snmp.replay import replaying

SYSTEM: Final = (1, 3, 6, 1, 2, 1, 1)
IF_NUMBER: Final = (1, 3, 6, 1, 2, 1, 2, 1, 0)
IF_ENTRY: Final = (1, 3, 6, 1, 2, 1, 2, 2, 1)
IF_X_ENTRY: Final = (1, 3, 6, 1, 2, 1, 31, 1, 1, 1)
IF_TABLE_LAST_CHANGE: Final = (1, 3, 6, 1, 2, 1, 31, 1, 5, 0)

_GIGABIT: Final = 1_000_000_000
_COUNTED: Final = {COUNTER32: 2**32, COUNTER64: 2**64}
# Octets fill a tenth of the line, as an ordinary lesson does, packets follow.
_OCTETS_A_SECOND: Final = _GIGABIT / 8 / 10
_PACKETS_A_SECOND: Final = _OCTETS_A_SECOND / 800


class Switch(Recording):
    """A switch whose counters go on.

    Args:
        ports: how many it has.
        seed: of what differs between switches.
    """

    def __init__(self, ports: int, seed: int) -> None:
        self._random = random.Random(seed)
        self._began = time.monotonic()
        self._rates: dict[Oid, float] = {}
        super().__init__([*_system(ports, seed), *self._ports(ports)])

    def get(self, oid: Oid) -> Instance | None:
        """Return the instance at an OID, as it is now."""
        found = super().get(oid)
        return None if found is None else self._now(oid, found)

    def after(self, oid: Oid, most: int) -> Iterator[tuple[Oid, Instance]]:
        """Yield the next instances, as they are now."""
        for found, instance in super().after(oid, most):
            yield found, self._now(found, instance)

    def _now(self, oid: Oid, instance: Instance) -> Instance:
        rate = self._rates.get(oid)
        if rate is None or not isinstance(instance.value, int):
            return instance
        counted = instance.value + int(rate * (time.monotonic() - self._began))
        return Instance(instance.tag, counted % _COUNTED.get(instance.tag, 2**32))

    def _ports(self, ports: int) -> Iterator[tuple[Oid, Instance]]:
        for port in range(1, ports + 1):
            for column, instance in _states(port):
                yield (*column, port), instance
            share = self._random.uniform(0.01, 1.0)
            for column, tag, rate in _counters():
                self._rates[*column, port] = rate * share
                yield (*column, port), Instance(tag, self._random.randrange(2**31))

        self._rates[*SYSTEM, 3, 0] = 100.0


def _system(ports: int, seed: int) -> Iterable[tuple[Oid, Instance]]:
    return [
        ((*SYSTEM, 1, 0), Instance(OCTET_STRING, b"Simulated access switch")),
        ((*SYSTEM, 2, 0), Instance(OBJECT_IDENTIFIER, "1.3.6.1.4.1.8072.3.2.255")),
        ((*SYSTEM, 3, 0), Instance(TIME_TICKS, 360_000)),
        ((*SYSTEM, 5, 0), Instance(OCTET_STRING, f"sw-{seed}".encode())),
        (IF_NUMBER, Instance(INTEGER, ports)),
        (IF_TABLE_LAST_CHANGE, Instance(TIME_TICKS, 1000)),
    ]


def _states(port: int) -> Iterable[tuple[Oid, Instance]]:
    return [
        ((*IF_ENTRY, 1), Instance(INTEGER, port)),
        ((*IF_ENTRY, 2), Instance(OCTET_STRING, f"GigabitEthernet0/0/{port}".encode())),
        ((*IF_ENTRY, 3), Instance(INTEGER, 6)),
        ((*IF_ENTRY, 4), Instance(INTEGER, 1500)),
        ((*IF_ENTRY, 5), Instance(GAUGE32, _GIGABIT)),
        ((*IF_ENTRY, 7), Instance(INTEGER, 1)),
        ((*IF_ENTRY, 8), Instance(INTEGER, 1)),
        ((*IF_ENTRY, 9), Instance(TIME_TICKS, 100_000 + port)),
        ((*IF_X_ENTRY, 1), Instance(OCTET_STRING, f"GE0/0/{port}".encode())),
        ((*IF_X_ENTRY, 15), Instance(GAUGE32, 1000)),
        ((*IF_X_ENTRY, 18), Instance(OCTET_STRING, f"to room {port}".encode())),
        ((*IF_X_ENTRY, 19), Instance(TIME_TICKS, 0)),
    ]


def _counters() -> Iterable[tuple[Oid, int, float]]:
    """Return each counter's column, type and counts a second (IF-MIB, RFC 2863)."""
    for octets, unicast, others, errors in ((10, 11, (13,), 14), (16, 17, (19,), 20)):
        yield (*IF_ENTRY, octets), COUNTER32, _OCTETS_A_SECOND
        yield (*IF_ENTRY, unicast), COUNTER32, _PACKETS_A_SECOND
        for column in (*others, errors):
            yield (*IF_ENTRY, column), COUNTER32, 0.01
    for first in (6, 10):
        yield (*IF_X_ENTRY, first), COUNTER64, _OCTETS_A_SECOND
        yield (*IF_X_ENTRY, first + 1), COUNTER64, _PACKETS_A_SECOND
        for column in (first + 2, first + 3):
            yield (*IF_X_ENTRY, column), COUNTER64, _PACKETS_A_SECOND / 50
    for column in (2, 3, 4, 5):
        yield (*IF_X_ENTRY, column), COUNTER32, _PACKETS_A_SECOND / 50


@contextlib.contextmanager
def running_switches(
    count: int, ports: int = 48, *, dead: int = 0, slow: int = 0, delay: float = 4.0
) -> Iterator[list[int]]:
    """Run switches in a process of their own.

    Args:
        count: how many.
        ports: that each has.
        dead: how many of them, the first, never answer.
        slow: how many, after those, answer late.
        delay: how late, in seconds.

    Yields:
        The UDP port of each on 127.0.0.1.
    """
    arguments = [f"--count={count}", f"--ports={ports}", f"--dead={dead}"]
    arguments += [f"--slow={slow}", f"--delay={delay}"]
    with subprocess.Popen(
        [sys.executable, "-m", "benchmarks.switches", *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        yield json.loads(process.stdout.readline())
        process.stdin.close()


async def _serve(arguments: argparse.Namespace) -> None:
    async with contextlib.AsyncExitStack() as stack:
        bound = [stack.enter_context(_deaf()) for _ in range(arguments.dead)]
        for number in range(arguments.dead, arguments.count):
            late = number < arguments.dead + arguments.slow
            switch = Switch(arguments.ports, number)
            answering = replaying(switch, delay=arguments.delay if late else 0.0)
            bound.append(await stack.enter_async_context(answering))
        print(json.dumps(bound), flush=True)
        await asyncio.to_thread(sys.stdin.read)


@contextlib.contextmanager
def _deaf() -> Iterator[int]:
    """Yield a UDP port on which nobody reads."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as bound:
        bound.bind(("127.0.0.1", 0))
        yield bound.getsockname()[1]


def main() -> None:
    """Serve until standard input ends."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--count", type=int, required=True)
    parser.add_argument("--ports", type=int, required=True)
    parser.add_argument("--dead", type=int, required=True)
    parser.add_argument("--slow", type=int, required=True)
    parser.add_argument("--delay", type=float, required=True)
    raise_file_limit()
    asyncio.run(_serve(parser.parse_args()))


if __name__ == "__main__":
    main()
