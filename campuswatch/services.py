"""Long-running parts of Campuswatch, and running several in one process.

Rooms announce their services as entry points of the group
`campuswatch.services`; `campuswatch up` runs them side by side without
importing a room.
"""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Awaitable, Sequence
from dataclasses import dataclass
from importlib.metadata import entry_points
from pathlib import Path
from typing import Final, Protocol

from campuswatch.errors import UserError
from campuswatch.inventory.models import Inventory
from campuswatch.settings import Settings
from campuswatch.stores.base import Store

SERVICES: Final = "campuswatch.services"


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


async def run_services(context: ServiceContext, services: Sequence[Service]) -> None:
    """Run services side by side until SIGINT or SIGTERM, or until one ends by itself.

    They are stopped one after the other in reverse order, so that a service
    can still hand its last work to those named before it.

    Raises:
        Exception: what a failed service raised, once the others have stopped.
    """
    loop = asyncio.get_running_loop()
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    tasks = [asyncio.create_task(_run(service, context)) for service in services]
    for task in tasks:
        task.add_done_callback(lambda _task: stop.set())
    await stop.wait()
    for task in reversed(tasks):
        task.cancel()
        await asyncio.wait([task])
    for task in tasks:
        if not task.cancelled():
            task.result()


async def _run(service: Service, context: ServiceContext) -> None:
    await service(context)
