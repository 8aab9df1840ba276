"""One device that is dead or slow delays no other."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections import Counter
from collections.abc import AsyncIterator, Iterable

from campuswatch.readings import Reading
from edge_agents.schedule import Schedule
from edge_agents.sources.snmp import ProfileRegistry
from edge_agents.sources.snmp.recording import (
    INTEGER,
    OBJECT_IDENTIFIER,
    OCTET_STRING,
    TIME_TICKS,
    Instance,
    Recording,
    parse_oid,
)
from edge_agents.sources.snmp.replay import replaying
from tests.edge_agents.snmp.devices import device, source

WELL = 30
DEAD = 3
SLOW = 3
POLLS = 3
SWITCH = Recording(
    [
        (parse_oid("1.3.6.1.2.1.1.1.0"), Instance(OCTET_STRING, b"A switch")),
        (parse_oid("1.3.6.1.2.1.1.2.0"), Instance(OBJECT_IDENTIFIER, "1.3.6.1.4.1.8072.3.2.255")),
        (parse_oid("1.3.6.1.2.1.1.3.0"), Instance(TIME_TICKS, 360_000)),
        (parse_oid("1.3.6.1.2.1.2.2.1.8.1"), Instance(INTEGER, 1)),
        (parse_oid("1.3.6.1.2.1.31.1.1.1.1.1"), Instance(OCTET_STRING, b"GE0/0/1")),
    ]
)


@contextlib.asynccontextmanager
async def fleet() -> AsyncIterator[dict[str, int]]:
    """Run the agents; yield their ports by the device's id."""
    async with contextlib.AsyncExitStack() as stack:
        found: dict[str, int] = {}
        for number in range(WELL):
            found[f"well-{number}"] = await stack.enter_async_context(replaying(SWITCH))
        for number in range(SLOW):
            late = replaying(SWITCH, delay=60.0)
            found[f"slow-{number}"] = await stack.enter_async_context(late)
        for number in range(DEAD):
            deaf = stack.enter_context(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
            deaf.bind(("127.0.0.1", 0))
            found[f"dead-{number}"] = deaf.getsockname()[1]
        yield found


async def test_dead_and_slow_devices_delay_no_other(profiles: ProfileRegistry) -> None:
    answered: Counter[str] = Counter()
    enough = asyncio.Event()

    def emit(readings: Iterable[Reading]) -> asyncio.Future[None]:
        for reading in readings:
            if reading.measurement == "availability" and reading.fields["up"]:
                answered[reading.tags["device"]] += 1
        if all(answered[f"well-{number}"] >= POLLS for number in range(WELL)):
            enough.set()
        return asyncio.get_running_loop().create_future()

    how = {"ping": False, "profile": "generic", "timeout": "30s", "interval": "1s"}
    async with fleet() as ports:
        polled = [source(device(port, **how, id=name), profiles) for name, port in ports.items()]
        schedule = Schedule(emit, concurrency=WELL + DEAD + SLOW)
        running = asyncio.create_task(schedule.run(polled))
        await asyncio.wait_for(enough.wait(), 60)  # while the others' first requests still wait
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
    assert answered.keys() == {f"well-{number}" for number in range(WELL)}
