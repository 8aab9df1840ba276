"""Running agents: everything from a device's answer to the broker's acknowledgement."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable, Coroutine, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from campuswatch.calendar import SchoolCalendar
from campuswatch.configuration.keys import public_key
from campuswatch.errors import UserError
from campuswatch.inventory import models
from campuswatch.secrets import SecretError
from campuswatch.services import ServiceContext
from campuswatch.settings import AgentConfigurationSettings, Settings
from campuswatch.units import UnitError
from campuswatch.wire import AgentAddress
from edge_agents.assignment import Assignment, load_profiles, load_register_maps
from edge_agents.configuration.answers import Answers
from edge_agents.configuration.custody import Custody
from edge_agents.configuration.supervisor import Supervisor
from edge_agents.descriptors import raise_file_limit
from edge_agents.gatherer import Gatherer
from edge_agents.health import AgentHealth
from edge_agents.host import HostVitals
from edge_agents.schedule import Schedule
from edge_agents.sources.base import Emit, PolledSource, StreamSource
from edge_agents.sources.extensions import open_source
from edge_agents.sources.mqtt.decoded import Site
from edge_agents.sources.mqtt.decoders.registry import decoders_of
from edge_agents.sources.mqtt.rejected import RejectedPayloads
from edge_agents.sources.mqtt.source import LocalBrokerSource
from edge_agents.sources.pjlink.source import pjlink_source
from edge_agents.sources.probes.source import probe_sources
from edge_agents.sources.serial.building import SerialLines
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
                AgentAddress(context.inventory.district.id, school.id, agent.id),
                Assignment(context.inventory, school, agent, profiles, maps),
                context.settings,
            )
        )
        for school in context.inventory.schools
        for agent in school.agents
    ]
    try:
        await asyncio.gather(*tasks)
    finally:
        await _stop(tasks)


async def run_agent(address: AgentAddress, local: Assignment | None, settings: Settings) -> None:
    """Run one agent until cancelled; its last readings are in the spool then.

    Args:
        address: who it is.
        local: what its own files have it do, if it has any; a configuration
            that was pushed and accepted counts instead.
        settings: how this installation runs.

    Raises:
        UserError: a secret is missing, or another process runs this agent.
    """
    raise_file_limit()
    directory = settings.data_dir / "agents" / address.agent
    pushing = settings.agent_configuration
    custody = _custody(directory / "configuration", address, pushing)
    bounds = local.agent if local else models.Agent(id=address.agent)
    try:
        with contextlib.closing(
            await asyncio.to_thread(_open_spool, directory, bounds, settings)
        ) as spool:

            def wake() -> None:
                uplink.wake()

            gatherer = Gatherer(spool, wake)
            rejected = RejectedPayloads(directory / "rejected")
            bench = _Bench(directory, spool, gatherer, rejected, HostVitals(directory))
            supervisor = Supervisor(bench.prepare, local, custody, pushing.trial.total_seconds())
            uplink = Uplink(
                spool,
                address,
                settings.broker,
                on_command=supervisor.receive if custody else None,
                configuration=supervisor.report,
            )
            await _carry(supervisor.run(), gatherer, uplink)
    except (SecretError, UnitError) as error:
        raise UserError(f"agent {address.agent}: {error}") from None


def _custody(
    directory: Path, address: AgentAddress, pushing: AgentConfigurationSettings
) -> Custody | None:
    if pushing.public_key is None:
        return None
    return Custody(directory, address, public_key(pushing.public_key))


@dataclass(frozen=True)
class _Bench:
    """What stays while assignments come and go."""

    directory: Path
    spool: Spool
    gatherer: Gatherer
    rejected: RejectedPayloads
    host: HostVitals

    def prepare(
        self, assignment: Assignment, answers: Answers
    ) -> Callable[[], Coroutine[None, None, None]]:
        """Make an assignment's sources; what is returned runs them until cancelled.

        Raises:
            UserError: a secret is missing, or a source can't be made.
            UnitError: a mapping's unit can't be converted.
        """
        agent = assignment.agent
        emit = answers.listening(self.gatherer.emit)
        interfaces = InterfaceNames()
        schedule = Schedule(
            interfaces.listening(emit) if agent.traps else emit, concurrency=agent.concurrency
        )
        local = _local_broker(assignment, self.rejected)
        serial = SerialLines(agent, assignment.maps)
        others = _from_packages(assignment)
        sources = dict(_polled(assignment, local))
        sources |= serial.sources(assignment.devices)
        sources |= {id_: each for id_, each in others.items() if isinstance(each, PolledSource)}
        traps = _traps(
            assignment,
            interfaces=interfaces,
            poll=lambda device: device in sources and schedule.poll_now(sources[device].name),
            directory=self.directory / "traps",
        )
        health = AgentHealth(
            self.spool,
            self.gatherer,
            self.rejected,
            self.host,
            schedule.take_statistics,
            take_traps=traps.take_statistics if traps else None,
            take_serial=serial.take_statistics if agent.serial else None,
        )
        calendar = SchoolCalendar.of(assignment.inventory, assignment.school)
        polled = [health, *sources.values(), *probe_sources(agent, calendar)]
        streams = [
            source
            for source in (local, traps, *others.values())
            if source is not None and not isinstance(source, PolledSource)
        ]

        async def run() -> None:
            log.info(
                "agent runs: agent=%s school=%s polled=%d",
                agent.id,
                assignment.school.id,
                len(polled),
            )
            keeping = (_keep_running(source, emit) for source in streams)
            await _run_together([schedule.run(polled), *keeping])

        return run


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


def _polled(
    assignment: Assignment, local: LocalBrokerSource | None
) -> Iterator[tuple[str, PolledSource]]:
    """Yield what is polled, by the device's id."""
    access_points = AccessPointDirectory(assignment.school.devices)
    for device in assignment.devices:
        if device.source is not None:
            continue
        if device.pjlink is not None and device.address is not None:
            yield device.id, pjlink_source(device, device.address, device.pjlink)
            continue
        source = polled_source(
            device,
            assignment.inventory.district,
            assignment.profiles,
            access_points=access_points,
        )
        if source is not None:
            yield device.id, source
        elif device.mqtt and local is not None:
            yield device.id, local.availability(device)


def _from_packages(assignment: Assignment) -> dict[str, PolledSource | StreamSource]:
    return {
        device.id: open_source(device, device.source)
        for device in assignment.devices
        if device.source is not None
    }


def _local_broker(assignment: Assignment, rejected: RejectedPayloads) -> LocalBrokerSource | None:
    inventory, school, agent = assignment.inventory, assignment.school, assignment.agent
    mappings = {mapping.id: mapping for mapping in inventory.mappings}
    site = Site(inventory.zone_of(school), school.access_points())
    decoders = [
        decoder for device in assignment.devices for decoder in decoders_of(device, site, mappings)
    ]
    if agent.broker is None or not decoders:
        return None
    return LocalBrokerSource(agent.broker, f"campuswatch-{agent.id}", decoders, rejected)


def _traps(
    assignment: Assignment,
    *,
    interfaces: InterfaceNames,
    poll: Callable[[str], object],
    directory: Path,
) -> TrapSource | None:
    listener, devices = assignment.agent.traps, assignment.devices
    if listener is None:
        return None
    # pysnmp takes 30 MB, which agents without traps are spared.
    from edge_agents.sources.snmp.traps.source import TrapSource, trap_accesses  # noqa: PLC0415

    accesses = trap_accesses(listener, devices, assignment.inventory.district)
    return TrapSource(
        listener, devices, accesses, interfaces=interfaces, poll=poll, directory=directory
    )


async def _carry(producer: Coroutine[None, None, None], gatherer: Gatherer, uplink: Uplink) -> None:
    """Run until cancelled, then stop from the devices' end to the broker's."""
    producing = asyncio.create_task(producer)
    gathering, sending = asyncio.create_task(gatherer.run()), asyncio.create_task(uplink.run())
    try:
        await _until_one_ends([producing, gathering, sending])
    finally:
        await _stop([producing])
        await _stop([gathering])
        try:
            await gatherer.flush()
        except SpoolUnavailableError as error:
            log.error("last readings lost: reason=%r", str(error))
        await _stop([sending])


async def _run_together(producers: Iterable[Coroutine[None, None, None]]) -> None:
    tasks = [asyncio.create_task(producer) for producer in producers]
    try:
        await _until_one_ends(tasks)
    finally:
        await _stop(tasks)


async def _until_one_ends(tasks: Sequence[asyncio.Task[None]]) -> None:
    ended, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    for task in ended:
        task.result()


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
