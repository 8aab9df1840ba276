"""Projectors that speak PJLink (JBMIA, class 1 and 2) on real sockets."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from hashlib import md5
from typing import Final

_NAMES: Final = {"31": "HDMI 1", "32": "HDMI 2", "11": "Computer 1"}


@dataclass(frozen=True)
class ProjectorState:
    """What a projector says of itself now.

    Attributes:
        power: 0 standby, 1 on, 2 cooling, 3 warming.
        lamps: lighting time of each lamp in hours; empty for a laser.
        errors: six digits as ERST has them.
        filter_hours: None without a filter.
        shown: code of the input.
        name: what its owner calls it.
    """

    power: int = 0
    lamps: tuple[int, ...] = (1234,)
    errors: str = "000000"
    filter_hours: int | None = 310
    shown: str = "31"
    name: str = "Projector"


class Projector:
    """Answers one connection at a time, and ends others at once, as most do.

    Args:
        state: asked at every command.
        password: None if it wants none.
        level: the class it speaks, 1 or 2.
        answers: while false, connections are ended as if nobody were there.
    """

    def __init__(
        self,
        state: Callable[[], ProjectorState],
        *,
        password: str | None = None,
        level: int = 2,
        answers: Callable[[], bool] = lambda: True,
    ) -> None:
        self._state = state
        self._password = password
        self._level = level
        self._answers = answers
        self._busy = False
        self._server: asyncio.Server | None = None

    async def start(self, host: str, port: int) -> int:
        """Listen, and return the port: any free one for 0.

        Raises:
            OSError: the address can't be listened on.
        """
        self._server = await asyncio.start_server(self._serve, host, port)
        bound: int = self._server.sockets[0].getsockname()[1]
        return bound

    def close(self) -> None:
        """Listen no more."""
        if self._server is not None:
            self._server.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self._busy or not self._answers():
            writer.transport.abort()
            return
        self._busy = True
        try:
            await self._converse(reader, writer)
        except (asyncio.IncompleteReadError, asyncio.LimitOverrunError, OSError):
            pass  # the controller left
        finally:
            self._busy = False
            writer.transport.abort()

    async def _converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        expected = ""
        if self._password is None:
            writer.write(b"PJLINK 0\r")
        else:
            salt = secrets.token_hex(4)
            writer.write(f"PJLINK 1 {salt}\r".encode())
            hashed = md5((salt + self._password).encode(), usedforsecurity=False)
            expected = hashed.hexdigest()
        while True:
            line = (await reader.readuntil(b"\r")).decode().strip()
            if not line.startswith(expected):
                writer.write(b"PJLINK ERRA\r")
                continue
            command = line.removeprefix(expected)
            expected = ""  # the first command alone proves that the password is known
            writer.write(f"{command[:6]}={self._answer(command)}\r".encode())

    def _answer(self, command: str) -> str:
        level, name, parameter = command[1:2], command[2:6], command[6:]
        if level > str(self._level):
            return "ERR1"
        state = self._state()
        if state.power != 1 and name in {"INPT", "INNM"}:
            return "ERR3"
        if name == "INNM":
            return _NAMES.get(parameter.removeprefix(" ?"), "ERR2")
        return self._values(state).get(level + name, "ERR1")

    def _values(self, state: ProjectorState) -> dict[str, str]:
        lit = int(state.power == 1)
        values = {
            "1POWR": str(state.power),
            "1INPT": state.shown,
            "1ERST": state.errors,
            "1NAME": state.name,
            "1INF1": "Campus Optics",
            "1INF2": "CO-500",
            "1INFO": "simulated",
            "1CLSS": str(self._level),
            "2SNUM": "CO500-0042",
            "2SVER": "1.04",
        }
        if state.lamps:
            values["1LAMP"] = " ".join(f"{hours} {lit}" for hours in state.lamps)
            values["2RLMP"] = "CO-LAMP-5"
        if state.filter_hours is not None:
            values["2FILT"] = str(state.filter_hours)
            values["2RFIL"] = "CO-FILTER-2"
        return values
