"""The demo: a whole district on this machine, from simulated devices to the status page."""

from __future__ import annotations

import asyncio
import dataclasses
import datetime as dt
import shutil
import socket
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from zoneinfo import ZoneInfo

from campuswatch.broker.service import serve as serve_broker
from campuswatch.calendar import DAY, SECOND
from campuswatch.errors import UserError
from campuswatch.inventory.loader import load_inventory
from campuswatch.inventory.models import Inventory, School
from campuswatch.mqtt import broker_address
from campuswatch.readings import now_ns
from campuswatch.services import Service, ServiceContext, run_services
from campuswatch.settings import (
    BandwidthSettings,
    BrokerSettings,
    CollectorSettings,
    ConsoleSettings,
    Settings,
)
from campuswatch.stores.base import Aggregate, Query, Store
from collector.service import serve as serve_collector
from console.service import serve as serve_console
from edge_agents.service import serve as serve_agents
from edge_agents.sources.serial.register_maps import DIRECTORY as REGISTERS
from simulator.backfill import Backfill
from simulator.devices import Devices
from simulator.district import Ports, simulated, write_district
from simulator.faults import load_script
from simulator.history import History, beginning
from simulator.places import free_ports, is_free
from simulator.screen import Screen
from simulator.serial_lines import has_pseudo_terminals
from simulator.simulation import Simulation
from simulator.world import World
from targets.service import serve as serve_targets

INTERVAL: Final = dt.timedelta(seconds=10)
"""Polling interval in the demo: short, so that a fault shows while one watches."""

_USUAL_PORT: Final = 8080
_LOOK: Final = 0.2
_SCRIPT: Final = "faults.yaml"
_SERIAL: Final = "serial"


@dataclass(frozen=True)
class Plan:
    """What the user asked for.

    Attributes:
        district: directory of the inventory to simulate.
        data_dir: where everything is kept.
        script: the fault script, None to play no faults.
        port: of the console; None for 8080 or, if that is taken, any.
        history_days: days of made-up history.
        seed: of everything that looks like chance.
    """

    district: Path
    data_dir: Path
    script: Path | None
    port: int | None
    history_days: int
    seed: int


class Demo:
    """One run of the demo."""

    def __init__(self, plan: Plan) -> None:
        """Write the simulated district to `data_dir/config`.

        Raises:
            UserError: the inventory or the fault script is wrong.
        """
        self._plan = plan
        self._started = now_ns()
        self.config_dir = plan.data_dir / "config"
        original = load_inventory(plan.district)
        lines = dict(zip(_schools(original), _tcp_ports(len(original.schools)), strict=True))
        broker = f"mqtt://127.0.0.1:{_tcp_ports(1)[0]}"
        self._lines = lines
        self._bandwidth = _tcp_ports(1)[0]
        self.settings = self._settings(broker, original)
        self.inventory = self._prepare(
            original,
            Simulation(
                seed=plan.seed,
                publish_interval=INTERVAL,
                broker=broker,
                lines=lines,
                faults=None if plan.script is None else Path(_SCRIPT),
            ),
        )

    def _prepare(self, original: Inventory, simulation: Simulation) -> Inventory:
        plan = self._plan
        script = None if plan.script is None else load_script(plan.script, original)
        inventory = simulated(
            original,
            self._ports(_addresses(original)),
            simulation.broker,
            INTERVAL,
            self.config_dir / "secrets",
        )
        write_district(self.config_dir, inventory, self.settings, simulation, script)
        if (maps := plan.district / REGISTERS).is_dir():
            shutil.copytree(maps, self.config_dir / REGISTERS, dirs_exist_ok=True)
        self.left_out = sorted(_devices(original) - _devices(inventory))
        return inventory

    def _ports(self, count: int) -> Ports:
        udp = free_ports(count, socket.SOCK_DGRAM)
        serial = self.config_dir / _SERIAL if has_pseudo_terminals() else None
        return Ports(iter(udp), iter(_tcp_ports(count)), self._bandwidth, serial)

    def _settings(self, broker: str, inventory: Inventory) -> Settings:
        """Return the settings; the environment has no say in a demo."""
        zone = ZoneInfo(inventory.district.timezone)
        clock = f"{dt.datetime.now(zone):%Y-%m-%d %H:%M}"
        notice = (
            f"Simulated district; what is older than {clock} is made-up history. "
            f"模拟数据：{clock} 之前为虚构的历史。"
        )
        port = self._plan.port
        if port is None:
            port = _USUAL_PORT if is_free(_USUAL_PORT) else _tcp_ports(1)[0]
        return Settings.model_construct(
            data_dir=self._plan.data_dir,
            broker=BrokerSettings(url=broker, embedded=True),
            collector=CollectorSettings(
                bandwidth=BandwidthSettings(host="127.0.0.1", port=self._bandwidth)
            ),
            console=ConsoleSettings(port=port, notice=notice),
        )

    def run(self, store: Store, screen: Screen) -> None:
        """Run until SIGINT or SIGTERM.

        Args:
            store: keeps the readings.
            screen: is told what happens.

        Raises:
            UserError: a part can't run; the message says why.
        """
        if self.left_out:
            screen.left_out(self.left_out)
        context = ServiceContext(self.config_dir, self.inventory, self.settings, store)
        asyncio.run(self._run(context, store, screen))

    async def _run(self, context: ServiceContext, store: Store, screen: Screen) -> None:
        devices = Devices(screen.event)

        async def collector(own: ServiceContext) -> None:
            await _until(lambda: not is_free(broker_address(self.settings.broker.url).port))
            await serve_collector(own)

        async def agents(own: ServiceContext) -> None:
            await devices.ready.wait()
            await self._serve_agents(own)

        async def announce(_: ServiceContext) -> None:
            await _until(lambda: self._is_live(store))
            screen.ready(self.address, self.config_dir)
            await asyncio.get_running_loop().create_future()

        services: list[Service] = [
            serve_broker,
            collector,
            devices.serve,
            agents,
            serve_console,
            announce,
        ]
        if self._plan.history_days:
            backfill = self._backfill(store, screen)

            async def targets(own: ServiceContext) -> None:
                await backfill.written.wait()
                await serve_targets(own)

            services += [backfill.serve, targets]
        else:
            services.append(serve_targets)
        await run_services(context, services, "demo")

    async def _serve_agents(self, context: ServiceContext) -> None:
        """Run every school's agents, each behind its school's line to the district."""
        try:
            async with asyncio.TaskGroup() as group:
                for school in self.inventory.schools:
                    alone = self.inventory.model_copy(update={"schools": [school]})
                    settings = self._settings_of(school)
                    own = dataclasses.replace(context, inventory=alone, settings=settings)
                    group.create_task(serve_agents(own))
        except* UserError as errors:
            raise errors.exceptions[0] from None

    def _settings_of(self, school: School) -> Settings:
        """Return the settings of an agent that reaches the district over its school's line."""
        url = f"mqtt://127.0.0.1:{self._lines[school.id]}"
        broker = self.settings.broker.model_copy(update={"url": url})
        return self.settings.model_copy(update={"broker": broker})

    def _backfill(self, store: Store, screen: Screen) -> Backfill:
        world = World(self.inventory, self._plan.seed, self._started / SECOND)
        start = self._started - self._plan.history_days * DAY
        end = beginning(store, start, self._started)
        return Backfill(History(world), start, end, screen.history)

    @property
    def address(self) -> str:
        """Where the status page is."""
        return f"http://127.0.0.1:{self.settings.console.port}/"

    def _is_live(self, store: Store) -> bool:
        agents = [agent.id for school in self.inventory.schools for agent in school.agents]
        query = Query(
            "availability",
            ("up",),
            self._started,
            now_ns(),
            where={"agent": agents},
            group_by=("school",),
            aggregate=Aggregate.LAST,
        )
        heard = {series.tags["school"] for series in store.query(query)}
        return heard == set(_schools(self.inventory)) and not is_free(self.settings.console.port)


async def _until(holds: Callable[[], bool]) -> None:
    """Return once a condition holds; it is asked again and again, on a thread."""
    while True:
        if await asyncio.to_thread(holds):
            return
        await asyncio.sleep(_LOOK)


def _schools(inventory: Inventory) -> list[str]:
    return [school.id for school in inventory.schools]


def _devices(inventory: Inventory) -> set[str]:
    return {device.id for school in inventory.schools for device in school.devices}


def _addresses(inventory: Inventory) -> int:
    """Return how many ports of each kind suffice for devices and what is probed."""
    return sum(
        sum(device.address is not None for device in school.devices)
        + sum(len(agent.probes) for agent in school.agents)
        for school in inventory.schools
    )


def _tcp_ports(count: int) -> Sequence[int]:
    return free_ports(count, socket.SOCK_STREAM)
