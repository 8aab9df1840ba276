"""The alerts service: evaluates and delivers until it is cancelled."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine

from sqlalchemy.exc import SQLAlchemyError

from alerts.delivery import Courier
from alerts.engine import Engine
from alerts.journal import Journal
from alerts.loader import load_alerts
from alerts.notify import make_notifiers
from campuswatch.readings import now_ns
from campuswatch.secrets import resolve
from campuswatch.services import ServiceContext
from campuswatch.settings import Settings

log = logging.getLogger(__name__)

_DELIVERY_INTERVAL = 1.0
"""Time from one look for notifications to the next, s."""


async def serve(context: ServiceContext) -> None:
    """Watch the store and notify people, as `alerts.yaml` says.

    Raises:
        UserError: `alerts.yaml` is wrong, or a receiver's URL can't be had.
    """
    assert context.store is not None
    alerts = load_alerts(context.config_dir, context.inventory)
    notifiers = make_notifiers(alerts.receivers)
    if not notifiers:
        log.warning("alerts.yaml names no receivers: incidents are kept, but nobody is told")
    schools = context.inventory.schools
    log.info(
        "watching %d devices of %d schools",
        sum(len(school.devices) for school in schools),
        len(schools),
    )
    journal = Journal(journal_url(context.settings))
    engine = Engine(context.inventory, alerts, context.store, journal)
    courier = Courier(journal, notifiers, alerts.delivery, now_ns)

    async def evaluate() -> None:
        await asyncio.to_thread(engine.evaluate, now_ns())

    try:
        async with asyncio.TaskGroup() as group:
            group.create_task(_repeat(evaluate, alerts.interval.total_seconds()))
            group.create_task(_repeat(courier.deliver, _DELIVERY_INTERVAL))
    finally:
        journal.close()


def journal_url(settings: Settings) -> str:
    """Return the journal's database as SQLAlchemy writes it; its directory is made if missing.

    Raises:
        SecretError: the database's URL is not where its reference says.
    """
    if settings.alerts.database is not None:
        return resolve(settings.alerts.database)
    settings.data_dir.mkdir(parents=True, exist_ok=True)
    return f"sqlite:///{settings.data_dir / 'alerts.db'}"


async def _repeat(work: Callable[[], Coroutine[object, object, None]], interval: float) -> None:
    """Do something every `interval` seconds; one that took longer delays the next.

    The journal being locked or away for a while is waited out.
    """
    loop = asyncio.get_running_loop()
    while True:
        started = loop.time()
        try:
            await _finished(work())
        except SQLAlchemyError as error:
            log.error("the journal can't be used, trying again: %s", error)
        await asyncio.sleep(max(0.0, started + interval - loop.time()))


async def _finished(work: Coroutine[object, object, None]) -> None:
    """Wait for work to finish even when cancelled, so that it leaves nothing half done."""
    task = asyncio.ensure_future(work)
    try:
        await asyncio.shield(task)
    except asyncio.CancelledError:
        await task
        raise
