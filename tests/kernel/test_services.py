"""Running several services in one process."""

from __future__ import annotations

import asyncio
import os
import signal
from pathlib import Path

import pytest

from campuswatch.errors import UserError
from campuswatch.inventory.models import District, Inventory
from campuswatch.services import ServiceContext, load_service, run_services
from campuswatch.settings import Settings


@pytest.fixture
def context(tmp_path: Path) -> ServiceContext:
    district = District(id="d", name="D", timezone="Asia/Shanghai", country="CN")
    inventory = Inventory(district=district, calendars=[], mappings=[], schools=[])
    return ServiceContext(tmp_path, inventory, Settings(), None)


async def test_a_signal_stops_them_in_reverse_order(context: ServiceContext) -> None:
    stopped: list[str] = []
    running = asyncio.Event()

    async def first(_context: ServiceContext) -> None:
        try:
            await asyncio.Event().wait()
        finally:
            stopped.append("first")

    async def second(_context: ServiceContext) -> None:
        running.set()
        try:
            await asyncio.Event().wait()
        finally:
            await asyncio.sleep(0)
            assert stopped == []
            stopped.append("second")

    run = asyncio.create_task(run_services(context, [first, second]))
    await running.wait()
    os.kill(os.getpid(), signal.SIGTERM)
    await asyncio.wait_for(run, 5)
    assert stopped == ["second", "first"]


async def test_the_failure_of_one_ends_all_and_is_raised(context: ServiceContext) -> None:
    stopped = asyncio.Event()

    async def steady(_context: ServiceContext) -> None:
        try:
            await asyncio.Event().wait()
        finally:
            stopped.set()

    async def failing(_context: ServiceContext) -> None:
        raise UserError("port 1883 is taken; expected a free one")

    with pytest.raises(UserError, match="1883"):
        await run_services(context, [steady, failing])
    assert stopped.is_set()


def test_an_unknown_service_names_the_known_ones() -> None:
    with pytest.raises(UserError, match="broker"):
        load_service("borker")
