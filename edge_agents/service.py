"""Running agents: everything from a device's answer to the broker's acknowledgement."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable, Coroutine, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from campuswatch.errors import UserError
from campuswatch.inventory import models
from campuswatch.secrets import SecretError
from campuswatch.services import ServiceContext
from campuswatch.settings import Settings
from campuswatch.units import UnitError
from campuswatch.wire import AgentAddress
from edge_agents.gatherer import Gatherer
from edge_agents.health import AgentHealth
from edge_agents.schedule import Schedule
from edge_agents.sources.base import Emit, PolledSource, StreamSource
from edge_agents.sources.mqtt.decoded import Site
from edge_agents.sources.mqtt.decoders.registry import decoders_of
from edge_agents.sources.mqtt.rejected import RejectedPayloads
from edge_agents.sources.mqtt.source import LocalBrokerSource
from edge_agents.sources.pjlink.source import pjlink_source
from edge_agents.sources.serial.building import SerialLines
from edge_agents.sources.serial.register_maps import DIRECTORY as REGISTERS
from edge_agents.sources.serial.register_maps import RegisterMap, load_maps
from edge_agents.sources.snmp.checks import DIRECTORY
from edge_agents.sources.snmp.registry import ProfileRegistry
from edge_agents.sources.snmp.source import polled_source
from edge_agents.sources.snmp.traps.interfaces import InterfaceNames
from edge_agents.sources.snmp.wireless import AccessPointDirectory
from edge_agents.spool import KEPT_AFTER_ACKNOWLEDGEMENT, Spool, SpoolUnavailableError
from edge_agents.uplink import Uplink

if TYPE_CHECKING:
    from edge_agents.sources.snmp.traps.source import TrapSource

log = logging.getLogger(__name__)

_RESTART = 10.0  # seconds before a stream source that failed is started again


async def serve(context: ServiceContext) -> None:
    """Run every agent of the inventory, until cancelled.

    Raises:
        UserError: a secret is missing, or another process runs one of the agents.
    """
    profiles = await asyncio.to_thread(load_profiles, context.config_dir)
    maps = await asyncio.to_thread(load_register_maps, context.config_dir)
    tasks = [
        asyncio.create_task(
            run_agent(
                context.inventory, school, agent, context.settings, profiles=profiles, maps=maps
            )
        )
        for school in context.inventory.schools
        for agent in school.agents
    ]
    try:
        await asyncio.gather(*tasks)
    finally:
        await _stop(tasks)


def load_profiles(config_dir: Path) -> ProfileRegistry:
    """Return the SNMP profiles: the shipped ones, and those of `profiles/` beside the inventory.

    Raises:
        UserError: a profile is wrong.
    """
    return ProfileRegistry.load(config_dir / DIRECTORY)


def load_register_maps(config_dir: Path) -> dict[str, RegisterMap]:
    """Return the maps of Modbus slaves: the shipped ones, and those of `registers/`.

    Raises:
        UserError: a map is wrong.
    """
    return load_maps(config_dir / REGISTERS)


async def run_agent(
    inventory: models.Inventory,
    school: models.School,
    agent: models.Agent,
    settings: Settings,
    *,
    profiles: ProfileRegistry,
    maps: Mapping[str, RegisterMap],
) -> None:
    """Run one agent until cancelled; its last readings are in the spool then.

    Raises:
        UserError: a secret is missing, or another process runs this agent.
    """
    directory = settings.data_dir / "agents" / agent.id
    try:
        with contextlib.closing(
            await asyncio.to_thread(_open_spool, directory, agent, settings)
        ) as spool:
            uplink = Uplink(
                spool, AgentAddress(inventory.district.id, school.id, agent.id), settings.broker
            )
            gatherer = Gatherer(spool, uplink.wake)
            rejected = RejectedPayloads(directory / "rejected")
            interfaces = InterfaceNames()
            emit = interfaces.listening(gatherer.emit) if agent.traps else gatherer.emit
            schedule = Schedule(emit, concurrency=agent.concurrency)
            local = _local_broker(inventory, school, agent, rejected)
            serial = SerialLines(agent, maps)
            sources = dict(_polled(inventory, school, agent, profiles, local))
            sources |= serial.sources(_devices(school, agent))
            traps = _traps(
                inventory,
                school,
                agent,
                interfaces=interfaces,
                poll=lambda device: device in sources and schedule.poll_now(sources[device].name),
                directory=directory / "traps",
            )
            health = AgentHealth(
                spool,
                gatherer,
                rejected,
                schedule.take_statistics,
                take_traps=traps.take_statistics if traps else None,
                take_serial=serial.take_statistics if agent.serial else None,
            )
            polled = [health, *sources.values()]
            log.info("agent runs: agent=%s school=%s polled=%d", agent.id, school.id, len(polled))
            producers = [schedule.run(polled)]
            if local is not None:
                producers.append(_keep_running(local, gatherer.emit))
            if traps is not None:
                producers.append(_keep_running(traps, gatherer.emit))
            await _carry(producers, gatherer, uplink)
    except (SecretError, UnitError) as error:
        raise UserError(f"agent {agent.id}: {error}") from None


def _open_spool(directory: Path, agent: models.Agent, settings: Settings) -> Spool:
    # The embedded broker acknowledges what is stored and nothing else, so that
    # there is nothing it could forget.
    kept = 0.0 if settings.broker.embedded else KEPT_AFTER_ACKNOWLEDGEMENT
    return Spool(
        directory / "spool.sqlite",
        max_bytes=agent.spool_bytes,
        max_age=agent.spool_age.total_seconds(),
        kept=kept,
    )


def _devices(school: models.School, agent: models.Agent) -> list[models.Device]:
    return [device for device in school.devices if school.agent_of(device) == agent.id]


def _polled(
    inventory: models.Inventory,
    school: models.School,
    agent: models.Agent,
    profiles: ProfileRegistry,
    local: LocalBrokerSource | None,
) -> Iterator[tuple[str, PolledSource]]:
    """Yield what is polled, by the device's id."""
    access_points = AccessPointDirectory(school.devices)
    for device in _devices(school, agent):
        if device.pjlink is not None and device.address is not None:
            yield device.id, pjlink_source(device, device.address, device.pjlink)
            continue
        source = polled_source(device, inventory.district, profiles, access_points=access_points)
        if source is not None:
            yield device.id, source
        elif device.mqtt and local is not None:
            yield device.id, local.availability(device)


def _local_broker(
    inventory: models.Inventory,
    school: models.School,
    agent: models.Agent,
    rejected: RejectedPayloads,
) -> LocalBrokerSource | None:
    mappings = {mapping.id: mapping for mapping in inventory.mappings}
    site = Site(inventory.zone_of(school), school.access_points())
    decoders = [
        decoder
        for device in _devices(school, agent)
        for decoder in decoders_of(device, site, mappings)
    ]
    if agent.broker is None or not decoders:
        return None
    return LocalBrokerSource(agent.broker, f"campuswatch-{agent.id}", decoders, rejected)


def _traps(
    inventory: models.Inventory,
    school: models.School,
    agent: models.Agent,
    *,
    interfaces: InterfaceNames,
    poll: Callable[[str], object],
    directory: Path,
) -> TrapSource | None:
    if agent.traps is None:
        return None
    # pysnmp takes 30 MB, which agents without traps are spared.
    from edge_agents.sources.snmp.traps.source import TrapSource, trap_accesses  # noqa: PLC0415

    devices = _devices(school, agent)
    accesses = trap_accesses(agent.traps, devices, inventory.district)
    return TrapSource(
        agent.traps, devices, accesses, interfaces=interfaces, poll=poll, directory=directory
    )


async def _carry(
    producers: Iterable[Coroutine[None, None, None]], gatherer: Gatherer, uplink: Uplink
) -> None:
    """Run until cancelled, then stop from the devices' end to the broker's."""
    producing = [asyncio.create_task(producer) for producer in producers]
    gathering, sending = asyncio.create_task(gatherer.run()), asyncio.create_task(uplink.run())
    tasks = [*producing, gathering, sending]
    try:
        ended, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in ended:
            task.result()
    finally:
        await _stop(producing)
        await _stop([gathering])
        try:
            await gatherer.flush()
        except SpoolUnavailableError as error:
            log.error("last readings lost: reason=%r", str(error))
        await _stop([sending])


async def _keep_running(source: StreamSource, emit: Emit) -> None:
    while True:
        try:
            await source.run(emit)
        except SecretError:
            raise
        except Exception:  # a source's fault must not end the others
            log.exception("source failed: source=%s retry_in=%gs", source.name, _RESTART)
        await asyncio.sleep(_RESTART)


async def _stop(tasks: Sequence[asyncio.Task[None]]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
