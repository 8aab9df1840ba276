"""The web application: pages, API and health, over one store."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Final

from fastapi import FastAPI, HTTPException, Request, Response
from fastapi.responses import JSONResponse
from fastapi.staticfiles import StaticFiles

from campuswatch.inventory.models import Inventory
from campuswatch.settings import Settings
from campuswatch.stores.base import Store, StoreError, StoreUnavailableError
from console import api, health, pages
from console.judgements import Judgements

_STATIC: Final = Path(__file__).parent / "static"
_API: Final = "/api/"
_HEADERS: Final = {
    "Content-Security-Policy": "default-src 'self'; frame-ancestors 'none'; form-action 'self'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cache-Control": "no-store",
}

_Next = Callable[[Request], Awaitable[Response]]


def create_app(inventory: Inventory, settings: Settings, store: Store) -> FastAPI:
    """Return the console of a district.

    Args:
        inventory: the district.
        settings: what the console shows of how it runs.
        store: where its readings are; only read.
    """
    # The interactive API pages load their scripts from another host, so they are left out.
    app = FastAPI(title="Campuswatch", docs_url=None, redoc_url=None)
    judgements = Judgements(inventory, store)
    app.include_router(api.router(inventory, judgements))
    app.include_router(health.router(judgements, store))
    app.include_router(pages.router(inventory, settings.console, judgements))
    app.mount("/static", StaticFiles(directory=_STATIC), name="static")

    @app.middleware("http")
    async def guard(request: Request, call_next: _Next) -> Response:
        response = await call_next(request)
        for name, value in _HEADERS.items():
            response.headers.setdefault(name, value)
        return response

    @app.exception_handler(404)
    async def not_found(request: Request, error: HTTPException) -> Response:
        if request.url.path.startswith(_API):
            return JSONResponse({"detail": error.detail}, 404)
        return pages.message(request, inventory, settings.console, 404, "not_found")

    @app.exception_handler(StoreUnavailableError)
    @app.exception_handler(StoreError)
    async def store_away(request: Request, error: Exception) -> Response:
        if request.url.path.startswith(_API):
            return JSONResponse({"detail": f"the store does not answer: {error}"}, 503)
        return pages.message(request, inventory, settings.console, 503, "store_away")

    return app
