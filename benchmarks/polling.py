"""How many varbinds a second of processor time our SNMP session reads, next to pysnmp.

Both walk the same net-snmp agent from 1.3.6.1 with the same max-repetitions,
each in a process of its own, so that neither pays for the other's imports.
What counts is the processor time of the polling process: it bounds how many
devices one agent can poll.

    python -m benchmarks.polling
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import platform
import resource
import subprocess
import sys
import tempfile
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Final

from edge_agents.sources.snmp.credentials import CommunityAccess
from edge_agents.sources.snmp.session import MAX_REPETITIONS, GufoSession
from tests.servers import running, snmpd

ROOT: Final = "1.3.6.1"


async def walk_ours(port: int) -> int:
    """Walk with `GufoSession`; return the varbinds."""
    session = GufoSession("127.0.0.1", port, CommunityAccess("public"), timeout=5, retries=2)
    count = 0
    async for page in session.walk(ROOT):
        count += len(page.varbinds)
    session.close()
    return count


async def walk_pysnmp(port: int) -> int:
    """Walk with pysnmp's high-level interface, without MIB look-ups; return the varbinds."""
    from pysnmp.hlapi.v3arch import asyncio as pysnmp  # noqa: PLC0415 (only in its own process)

    engine = pysnmp.SnmpEngine()
    target = await pysnmp.UdpTransportTarget.create(("127.0.0.1", port), timeout=5, retries=2)
    count = 0
    async for failure, status, _, varbinds in pysnmp.bulk_walk_cmd(
        engine,
        pysnmp.CommunityData("public", mpModel=1),
        target,
        pysnmp.ContextData(),
        0,
        MAX_REPETITIONS,
        pysnmp.ObjectType(pysnmp.ObjectIdentity(ROOT)),
        lookupMib=False,
        lexicographicMode=False,
    ):
        if failure or status:
            raise RuntimeError(f"pysnmp: {failure or status}")
        count += len(varbinds)
    engine.close_dispatcher()
    return count


WALKS: Final[dict[str, Callable[[int], Awaitable[int]]]] = {
    "campuswatch": walk_ours,
    "pysnmp": walk_pysnmp,
}


def processor_time() -> float:
    """Return the seconds of processor time this process has used, user and system."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


async def measure(name: str, port: int, passes: int) -> tuple[int, float]:
    """Return varbinds and seconds of processor time of some walks, after one to warm up."""
    walk = WALKS[name]
    await walk(port)
    began, count = processor_time(), 0
    for _ in range(passes):
        count += await walk(port)
    return count, processor_time() - began


def measured_apart(name: str, port: int, passes: int) -> tuple[int, float]:
    """Return what `measure` finds in a process of its own."""
    command = [sys.executable, "-m", "benchmarks.polling", f"--only={name}", f"--port={port}"]
    printed = subprocess.run(
        [*command, f"--passes={passes}"], check=True, capture_output=True, text=True
    ).stdout
    count, seconds = json.loads(printed)
    return count, seconds


def compare(passes: int) -> None:
    """Start an agent, walk it with each, and print the rates and their ratio."""
    rates: dict[str, float] = {}
    print(f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}")
    with (
        tempfile.TemporaryDirectory() as directory,
        running(snmpd(Path(directory))) as agent,
    ):
        for name, share in (("campuswatch", 1), ("pysnmp", 10)):
            walks = max(1, passes // share)
            count, seconds = measured_apart(name, agent.port, walks)
            rates[name] = count / seconds
            print(
                f"{name:12} {count // walks:6} varbinds x {walks:3} walks"
                f" {seconds:7.2f} s of CPU {rates[name]:10,.0f} varbinds per CPU second"
            )
    print(f"ratio {rates['campuswatch'] / rates['pysnmp']:.1f}")


def main() -> None:
    """Run the comparison, or with --only one side of it."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--passes", type=int, default=40, help="walks of ours; pysnmp does a tenth")
    parser.add_argument("--only", choices=WALKS, help="one side, against the agent at --port")
    parser.add_argument("--port", type=int, help="UDP port of the agent for --only")
    arguments = parser.parse_args()
    if arguments.only is None:
        compare(arguments.passes)
    else:
        found = asyncio.run(measure(arguments.only, arguments.port, arguments.passes))
        print(json.dumps(found))


if __name__ == "__main__":
    main()
