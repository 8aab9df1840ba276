"""The collector as a service: what it is made of, and how it starts and stops."""

from __future__ import annotations

import asyncio
import logging
import re
import socket
import threading
from collections.abc import Callable
from typing import Final

from campuswatch import lineprotocol
from campuswatch.measurements import CATALOGUE
from campuswatch.readings import now_ns
from campuswatch.services import ServiceContext
from campuswatch.settings import CollectorSettings
from campuswatch.stores.base import Store
from campuswatch.wire import Channel, subscription
from collector.gathering import Gathering
from collector.intake import Intake, declared_agents
from collector.patience import PatientStore, StoppedError
from collector.quarantine import Quarantine
from collector.status import StatusKeeper
from collector.subscriber import Message, Subscriber
from collector.writer import Writer

log = logging.getLogger(__name__)

HEALTH_PERIOD: Final = 60.0
"""Seconds between two points of the collector's own health."""

_QUARANTINE_FILES: Final = 10


async def serve(context: ServiceContext) -> None:
    """Collect until cancelled; then finish the write in hand, acknowledge and disconnect.

    Raises:
        Exception: what a thread could not cope with. Nothing is lost by it,
            because only what is stored was acknowledged.
    """
    loop = asyncio.get_running_loop()
    failure: asyncio.Future[None] = loop.create_future()

    def end(error: Exception) -> None:
        if not failure.done():
            failure.set_exception(error)

    def fail(error: Exception) -> None:
        loop.call_soon_threadsafe(end, error)

    if context.store is None:
        raise ValueError("the collector needs a store")
    collector = Collector(context, context.store, fail)
    collector.start()
    try:
        await failure
    finally:
        await asyncio.to_thread(collector.stop)


def collector_id(settings: CollectorSettings) -> str:
    """Return the configured id, or one made from the host's name."""
    return settings.id or re.sub(r"[^a-z0-9]+", "-", socket.gethostname().lower()).strip("-")


class Collector:
    """Wires the parts together; `start` and `stop` are all there is to it."""

    def __init__(
        self, context: ServiceContext, store: Store, fail: Callable[[Exception], None]
    ) -> None:
        """Make the parts.

        Args:
            context: the inventory and the settings.
            store: where readings go.
            fail: called with what ended a thread against its will.
        """
        settings = context.settings
        self._fail = fail
        self._name = collector_id(settings.collector)
        self._store = PatientStore(store)
        agents = declared_agents(context.inventory)
        quarantine = Quarantine(
            settings.data_dir / "quarantine",
            self._name,
            max_bytes=settings.collector.quarantine_bytes // _QUARANTINE_FILES,
            max_files=_QUARANTINE_FILES,
        )
        self._gathering = Gathering(
            settings.collector.batch_lines,
            settings.collector.batch_delay,
            settings.collector.receive_maximum,
        )
        district = context.inventory.district.id
        self._statuses = StatusKeeper(agents, self._store, quarantine)
        self._data = Subscriber(
            settings.broker,
            f"collector-{self._name}",
            subscription(district, Channel.DATA, settings.collector.group),
            durable=True,
            receive_maximum=settings.collector.receive_maximum,
            receive=Intake(agents, self._gathering).receive,
            fail=fail,
        )
        self._status = Subscriber(
            settings.broker,
            f"collector-{self._name}-status",
            subscription(district, Channel.STATUS),
            durable=False,
            receive_maximum=settings.collector.receive_maximum,
            receive=self._receive_status,
            fail=fail,
        )
        self._writer = Writer(
            self._name, self._store, self._gathering, quarantine, self._data.acknowledge
        )
        self._stopping = threading.Event()
        work = [self._writer.run] * settings.collector.writers
        self._threads = [
            threading.Thread(target=self._guard, args=(run,), name=f"collector-{number}")
            for number, run in enumerate([*work, self._statuses.run, self._report_health])
        ]

    def start(self) -> None:
        """Connect and begin to write."""
        for thread in self._threads:
            thread.start()
        self._data.start()
        self._status.start()
        log.info("collector %s is running", self._name)

    @property
    def subscribed(self) -> bool:
        """Whether the broker has accepted the subscriptions."""
        return self._data.subscribed and self._status.subscribed

    def stop(self) -> None:
        """Finish the writes in hand, acknowledge them and disconnect."""
        self._stopping.set()
        self._gathering.close()
        self._statuses.close()
        self._store.stop()
        for thread in self._threads:
            thread.join()
        self._status.stop()
        self._data.stop()

    def _guard(self, run: Callable[[], None]) -> None:
        try:
            run()
        except Exception as error:  # noqa: BLE001 - the thread would end unheard
            self._fail(error)

    def _receive_status(self, message: Message) -> None:
        self._statuses.receive(message)
        self._status.acknowledge([message.receipt])

    def _report_health(self) -> None:
        while not self._stopping.wait(HEALTH_PERIOD):
            tally = self._writer.tally()
            reading = CATALOGUE["collector"].reading(
                {"collector": self._name},
                {
                    "messages": tally.messages,
                    "lines": tally.lines,
                    "quarantined": tally.quarantined,
                    "store_failures": self._store.take_failures(),
                },
                now_ns(),
            )
            try:
                self._store.write(lineprotocol.encode([reading]))
            except StoppedError:
                return
