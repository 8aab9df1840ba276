"""Long-running parts of Campuswatch, and running several in one process.

Rooms announce their services as entry points of the group
`campuswatch.services`; `campuswatch up` runs them side by side without
importing a room.
"""

from __future__ import annotations

import asyncio
import signal
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from functools import partial
from importlib.metadata import entry_points
from pathlib import Path
from typing import Final, Protocol

from campuswatch.errors import UserError
from campuswatch.inventory.models import Inventory
from campuswatch.settings import Settings
from campuswatch.stores.base import Store

SERVICES: Final = "campuswatch.services"

HEARTBEAT_TIMEOUT: Final = 30.0
"""Seconds without a sign of life after which a process counts as dead."""

_HEARTBEAT = 5.0


@dataclass(frozen=True)
class ServiceContext:
    """What a service is given.

    Attributes:
        config_dir: the directory of the inventory and of settings.yaml.
        inventory: the district, loaded and checked.
        settings: how this installation runs.
        store: opened once for the whole process; None for the services that
            run in a school (the agent), which never see the store.
    """

    config_dir: Path
    inventory: Inventory
    settings: Settings
    store: Store | None


class Service(Protocol):
    """Runs until cancelled, and then leaves nothing half done."""

    def __call__(self, context: ServiceContext, /) -> Awaitable[None]: ...


def load_service(name: str) -> Service:
    """Return the service announced as `name`.

    Raises:
        UserError: nobody announces it.
    """
    for point in entry_points(group=SERVICES, name=name):
        service: Service = point.load()
        return service
    known = ", ".join(sorted(point.name for point in entry_points(group=SERVICES)))
    raise UserError(f"no service {name!r}; known: {known}")


async def run_services(context: ServiceContext, services: Sequence[Service], name: str) -> None:
    """Run services side by side, as `run_jobs` does.

    Args:
        context: what the services are given.
        services: in the order in which they are started.
        name: what the process is called; one of each name per `data_dir`.
    """
    jobs = [partial(service, context) for service in services]
    await run_jobs(context.settings, jobs, name)


async def run_jobs(
    settings: Settings, jobs: Sequence[Callable[[], Awaitable[None]]], name: str
) -> None:
    """Run jobs side by side until SIGINT or SIGTERM, or until one ends by itself.

    They are stopped one after the other in reverse order, so that a job can
    still hand its last work to those named before it. Meanwhile the process
    shows that it is alive, which `alive` reads.

    Args:
        settings: where its sign of life is.
        jobs: in the order in which they are started.
        name: what the process is called; one of each name per `data_dir`.

    Raises:
        Exception: what a failed job raised, once the others have stopped.
    """
    loop = asyncio.get_running_loop()
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    heartbeat = asyncio.create_task(_beat(heartbeat_file(settings, name)))
    tasks = [asyncio.create_task(_run(job)) for job in jobs]
    for task in tasks:
        task.add_done_callback(lambda _task: stop.set())
    await stop.wait()
    heartbeat.cancel()
    await asyncio.wait([heartbeat])
    for task in reversed(tasks):
        task.cancel()
        await asyncio.wait([task])
    for task in tasks:
        if not task.cancelled():
            task.result()


def heartbeat_file(settings: Settings, name: str) -> Path:
    """Return the file whose age tells whether a process is alive."""
    return settings.data_dir / "run" / f"{name}.alive"


def alive(settings: Settings, name: str) -> bool:
    """Return whether a process of this name ran its event loop within the last 30 s."""
    try:
        age = time.time() - heartbeat_file(settings, name).stat().st_mtime
    except FileNotFoundError:
        return False
    return age < HEARTBEAT_TIMEOUT


async def _beat(file: Path) -> None:
    await asyncio.to_thread(file.parent.mkdir, parents=True, exist_ok=True)
    try:
        while True:
            await asyncio.to_thread(file.touch)
            await asyncio.sleep(_HEARTBEAT)
    finally:
        await asyncio.to_thread(file.unlink, missing_ok=True)


async def _run(job: Callable[[], Awaitable[None]]) -> None:
    await job()
