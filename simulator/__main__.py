"""Plays the devices of a simulated district: `python -m simulator DIR`.

`DIR` holds an inventory and `simulation.yaml`. What happens is told on
standard output, one line of JSON an event. It ends with its standard input,
so that it never outlives whoever started it.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections.abc import Coroutine
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import typer

from campuswatch.errors import UserError
from campuswatch.inventory.loader import load_inventory
from campuswatch.inventory.models import Inventory
from campuswatch.mqtt import broker_address
from edge_agents.sources.serial.register_maps import DIRECTORY as REGISTERS
from edge_agents.sources.serial.register_maps import load_maps
from simulator.estate import Estate
from simulator.faults import Event, load_script, play
from simulator.lines import Line
from simulator.publisher import Publisher
from simulator.serial_lines import SerialPorts
from simulator.simulation import Simulation, load_simulation
from simulator.world import Trouble, World


def main(config: Annotated[Path, typer.Argument(metavar="DIR", exists=True)]) -> None:
    """Play the devices of a simulated district until standard input ends."""
    try:
        asyncio.run(_simulate(config, load_inventory(config), load_simulation(config)))
    except UserError as error:
        print(error, file=sys.stderr)
        raise typer.Exit(2) from None


async def _simulate(config: Path, inventory: Inventory, simulation: Simulation) -> None:
    world = World(inventory, simulation.seed, time.time())
    estate = Estate(world)
    await estate.start()
    ports = SerialPorts(world, load_maps(config / REGISTERS))
    ports.start()
    jobs: list[Coroutine[Any, Any, None]] = [
        Publisher(world, simulation.publish_interval.total_seconds()).run(),
        ports.run(),
    ]
    broker = broker_address(simulation.broker)
    jobs += [
        Line(world, school, port, (broker.host, broker.port)).run()
        for school, port in simulation.lines.items()
    ]
    if simulation.faults is not None:
        script = load_script(config / simulation.faults, inventory)
        jobs.append(play(script, world, partial(_tell, estate)))
    try:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(job) for job in jobs]
            _say({"event": "ready"})
            await _end_of_input()
            for task in tasks:
                task.cancel()
    finally:
        ports.close()
        estate.close()


async def _end_of_input() -> None:
    reader = asyncio.StreamReader()
    loop = asyncio.get_running_loop()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    await reader.read()


def _tell(estate: Estate, event: Event) -> None:
    fault = event.fault
    if fault.trouble is Trouble.SWAP_CABLES:
        estate.notice_cables()
    _say(
        {
            "event": "begins" if event.begins else "ends",
            "trouble": fault.trouble.value,
            "target": fault.target,
            "seconds": fault.lasts.total_seconds(),
        }
    )


def _say(message: dict[str, Any]) -> None:
    print(json.dumps(message), flush=True)


if __name__ == "__main__":
    typer.run(main)
