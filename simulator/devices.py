"""The simulated devices as a service: a process of their own, and what it tells."""

from __future__ import annotations

import asyncio
import json
import logging
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import Callable
from typing import Any, Final

from campuswatch.errors import UserError
from campuswatch.services import ServiceContext

log = logging.getLogger(__name__)

_LOG: Final = "simulator.log"
_PATIENCE: Final = 3.0
"""Seconds that the process has to end by itself."""


class Devices:
    """Runs `python -m simulator` beside the other services.

    Args:
        tell: called with each event of the fault script.
    """

    def __init__(self, tell: Callable[[dict[str, Any]], None]) -> None:
        self._tell = tell
        self.ready = asyncio.Event()
        """Set once every device answers."""

    async def serve(self, context: ServiceContext) -> None:
        """Run the devices until cancelled.

        Raises:
            UserError: they ended by themselves; the message says why.
        """
        path = context.settings.data_dir / _LOG
        with path.open("wb") as errors:
            process = await asyncio.create_subprocess_exec(
                sys.executable,
                "-m",
                "simulator",
                str(context.config_dir),
                stdin=PIPE,
                stdout=PIPE,
                stderr=errors,
                start_new_session=True,  # an interrupt from the keyboard is not for it
            )
        try:
            await self._listen(process)
            said = path.read_text(encoding="utf-8", errors="replace").strip()
            raise UserError(f"the simulated devices ended: {said or 'for no reason they gave'}")
        finally:
            await _end(process)

    async def _listen(self, process: Process) -> None:
        assert process.stdout is not None
        async for line in process.stdout:
            event = json.loads(line)
            if event["event"] == "ready":
                self.ready.set()
            else:
                self._tell(event)


async def _end(process: Process) -> None:
    """Let the process end: it does so with its standard input."""
    assert process.stdin is not None
    process.stdin.close()
    try:
        await asyncio.wait_for(process.wait(), _PATIENCE)
    except TimeoutError:
        log.warning("the simulated devices did not end by themselves")
        process.kill()
        await process.wait()
