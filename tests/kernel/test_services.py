"""Running several services in one process."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from pathlib import Path

import pytest

from campuswatch.errors import UserError
from campuswatch.inventory.models import District, Inventory
from campuswatch.services import (
    HEARTBEAT_TIMEOUT,
    ServiceContext,
    alive,
    heartbeat_file,
    load_service,
    run_services,
)
from campuswatch.settings import Settings
from tests.servers import wait_until


@pytest.fixture
def context(tmp_path: Path) -> ServiceContext:
    district = District(id="d", name="D", timezone="Asia/Shanghai", country="CN")
    inventory = Inventory(district=district, calendars=[], mappings=[], schools=[])
    return ServiceContext(tmp_path, inventory, Settings(data_dir=tmp_path), None)


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

    run = asyncio.create_task(run_services(context, [first, second], "test"))
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
        await run_services(context, [steady, failing], "test")
    assert stopped.is_set()


async def test_a_process_is_alive_as_long_as_it_runs(context: ServiceContext) -> None:
    seen: list[bool] = []

    async def looking(context: ServiceContext) -> None:
        await asyncio.to_thread(
            wait_until, lambda: alive(context.settings, "test"), "the sign of life"
        )
        seen.append(alive(context.settings, "other"))

    await run_services(context, [looking], "test")
    assert seen == [False]
    assert not alive(context.settings, "test")


def test_a_sign_of_life_grows_old(context: ServiceContext) -> None:
    file = heartbeat_file(context.settings, "test")
    file.parent.mkdir()
    file.touch()
    assert alive(context.settings, "test")
    old = time.time() - HEARTBEAT_TIMEOUT - 1
    os.utime(file, (old, old))
    assert not alive(context.settings, "test")


def test_an_unknown_service_names_the_known_ones() -> None:
    with pytest.raises(UserError, match="broker"):
        load_service("borker")
