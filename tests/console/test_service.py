"""The console as a service: where it listens, and how it stops."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from campuswatch.errors import UserError
from campuswatch.inventory.loader import load_inventory
from campuswatch.services import ServiceContext
from campuswatch.settings import ConsoleSettings, Settings
from campuswatch.stores.duckdb import DuckDBStore
from console.service import serve
from tests.servers import free_port

EXAMPLE = Path(__file__).parents[2] / "config"


@pytest.fixture
def context(tmp_path: Path) -> ServiceContext:
    settings = Settings.model_construct(console=ConsoleSettings(port=free_port()))
    store = DuckDBStore(tmp_path / "console.duckdb")
    return ServiceContext(EXAMPLE, load_inventory(EXAMPLE), settings, store)


@contextlib.asynccontextmanager
async def served(context: ServiceContext) -> AsyncIterator[httpx.AsyncClient]:
    serving = asyncio.create_task(serve(context))
    transport = httpx.AsyncHTTPTransport(retries=20)  # each waits longer than the one before
    address = f"http://127.0.0.1:{context.settings.console.port}"
    async with httpx.AsyncClient(base_url=address, transport=transport) as client:
        yield client
    serving.cancel()
    with pytest.raises(asyncio.CancelledError):
        await serving


async def test_serves_until_cancelled_and_then_frees_its_port(context: ServiceContext) -> None:
    for _ in range(2):
        async with served(context) as client:
            assert (await client.get("/healthz")).json() == {"status": "ok"}


async def test_serves_its_own_style_and_script_alone(context: ServiceContext) -> None:
    async with served(context) as client:
        page = (await client.get("/")).text
        for file in ("console.css", "console.js", "icon.svg"):
            assert f"/static/{file}" in page
            assert (await client.get(f"/static/{file}")).status_code == 200
        assert "//" not in page.replace("http://www.w3.org", "").split("<main")[0]


async def test_a_taken_port_is_the_users_to_mend(context: ServiceContext) -> None:
    async with served(context) as client:
        await client.get("/healthz")
        with pytest.raises(UserError, match=f"console 127.0.0.1:{context.settings.console.port}"):
            await serve(context)
