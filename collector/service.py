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
from collector import bandwidth
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

RETIRE_AFTER: Final = 5.0
"""Seconds without a message after which the broker is taken to hold none."""

_QUARANTINE_FILES: Final = 10


async def serve(context: ServiceContext) -> None:
    """Collect until cancelled; then finish the write in hand, acknowledge and disconnect.

    Raises:
        UserError: the bandwidth endpoint's address can't be listened on.
        Exception: what a thread could not cope with. Nothing is lost by it,
            because only what is stored was acknowledged.
    """
    collector, failure = _start(context)
    settings = context.settings.collector.bandwidth
    serving = [] if settings is None else [asyncio.create_task(bandwidth.serve(settings))]
    try:
        ended, _ = await asyncio.wait([failure, *serving], return_when=asyncio.FIRST_COMPLETED)
        for one in ended:
            one.result()
    finally:
        for task in serving:
            task.cancel()
        await asyncio.gather(*serving, return_exceptions=True)
        await asyncio.to_thread(collector.stop)


async def retire(context: ServiceContext) -> None:
    """Take what the broker still holds for a collector, then end its session.

    When cancelled, or when a thread fails, the session stays.

    Raises:
        Exception: what a thread could not cope with.
    """
    collector, failure = _start(context, leaving=True)
    drained = False
    try:
        while collector.idle_for() < RETIRE_AFTER:
            await asyncio.wait([failure], timeout=0.2)
            if failure.done():
                failure.result()
        drained = True
    finally:
        await asyncio.to_thread(collector.stop, end_session=drained)
    log.info("the collector has left; the broker keeps nothing for it any more")


def _start(
    context: ServiceContext, *, leaving: bool = False
) -> tuple[Collector, asyncio.Future[None]]:
    """Start a collector; the future fails with what it could not cope with."""
    loop = asyncio.get_running_loop()
    failure: asyncio.Future[None] = loop.create_future()

    def end(error: Exception) -> None:
        if not failure.done():
            failure.set_exception(error)

    def fail(error: Exception) -> None:
        loop.call_soon_threadsafe(end, error)

    if context.store is None:
        raise ValueError("the collector needs a store")
    collector = Collector(context, context.store, fail, leaving=leaving)
    collector.start()
    return collector, failure


def collector_id(settings: CollectorSettings) -> str:
    """Return the configured id, or one made from the host's name."""
    return settings.id or re.sub(r"[^a-z0-9]+", "-", socket.gethostname().lower()).strip("-")


class Collector:
    """Wires the parts together; `start` and `stop` are all there is to it."""

    def __init__(
        self,
        context: ServiceContext,
        store: Store,
        fail: Callable[[Exception], None],
        *,
        leaving: bool = False,
    ) -> None:
        """Make the parts.

        Args:
            context: the inventory and the settings.
            store: where readings go.
            fail: called with what ended a thread against its will.
            leaving: take what the broker holds for this collector, and no more.
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
            leaving=leaving,
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
    def ready(self) -> bool:
        """Whether the broker has granted what was asked of it."""
        return self._data.ready and self._status.ready

    def idle_for(self) -> float:
        """Return for how many seconds there was a connection, but nothing to do."""
        return self._gathering.idle_for() if self._data.ready else 0.0

    def stop(self, *, end_session: bool = False) -> None:
        """Finish the writes in hand, acknowledge them and disconnect.

        Args:
            end_session: let the broker forget this collector, and what it holds for it.
        """
        self._stopping.set()
        self._gathering.close()
        self._statuses.close()
        self._store.stop()
        for thread in self._threads:
            thread.join()
        self._status.stop()
        self._data.stop(end_session=end_session)

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
