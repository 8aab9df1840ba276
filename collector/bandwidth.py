"""What schools measure their lines against: an endpoint that gives and takes bytes.

`GET /bandwidth?bytes=N` gives N bytes, `POST /bandwidth` takes and forgets
what it is sent. Both have a bound, and so has the number of transfers at a
time, so that schools that test at once neither measure each other nor fill
the district's own line.
"""

from __future__ import annotations

import logging
import os
from collections.abc import AsyncIterator
from typing import Final

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route

from campuswatch.settings import BandwidthSettings
from campuswatch.web import listen, serve_app

log = logging.getLogger(__name__)

_PART: Final = os.urandom(65536)  # nothing on the way can compress it


async def serve(settings: BandwidthSettings) -> None:
    """Serve the endpoint until cancelled.

    Raises:
        UserError: the address can't be listened on.
    """
    listener = listen("collector.bandwidth", settings.host, settings.port)
    log.info("bandwidth endpoint: port=%d", listener.getsockname()[1])
    await serve_app(bandwidth_app(settings), listener)


class _Endpoint:
    def __init__(self, settings: BandwidthSettings) -> None:
        self._most = settings.bytes
        self._free = settings.transfers

    async def give(self, request: Request) -> Response:
        wanted = request.query_params.get("bytes", "")
        if not wanted.isdecimal() or not wanted.isascii() or not 0 < int(wanted[:20]) <= self._most:
            return PlainTextResponse(f"bytes: expected 1 to {self._most}", 400)
        if not self._take():
            return _busy()
        size = int(wanted)
        return StreamingResponse(
            self._parts(size),
            media_type="application/octet-stream",
            headers={"Content-Length": str(size), "Cache-Control": "no-store"},
        )

    async def take(self, request: Request) -> Response:
        if not self._take():
            return _busy()
        try:
            size = 0
            async for part in request.stream():
                size += len(part)
                if size > self._most:
                    return PlainTextResponse(f"expected at most {self._most} bytes", 413)
        finally:
            self._free += 1
        return PlainTextResponse(str(size))

    async def _parts(self, size: int) -> AsyncIterator[bytes]:
        try:
            while size:
                part = _PART[:size]
                yield part
                size -= len(part)
        finally:
            self._free += 1

    def _take(self) -> bool:
        if not self._free:
            return False
        self._free -= 1
        return True


def _busy() -> Response:
    return PlainTextResponse("other tests are under way", 503, {"Retry-After": "60"})


def bandwidth_app(settings: BandwidthSettings) -> Starlette:
    """Return the endpoint as an ASGI application."""
    endpoint = _Endpoint(settings)
    return Starlette(
        routes=[
            Route("/bandwidth", endpoint.give, methods=["GET"]),
            Route("/bandwidth", endpoint.take, methods=["POST"]),
        ]
    )
