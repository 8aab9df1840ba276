"""One conversation with a projector over TCP."""

from __future__ import annotations

import asyncio
import os
from typing import Final

from edge_agents.sources.pjlink.answers import (
    PasswordError,
    PjLinkError,
    digest,
    parse_answer,
    parse_greeting,
)
from edge_agents.sources.snmp.text import decode_text

_LONGEST_LINE: Final = 512
"""Bytes; the specification has 136 at the most, and projectors have been known to exceed it."""

_END: Final = b"\r"


class PjLinkSession:
    """Asks a projector over a connection that greeted; made by `connect`."""

    def __init__(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        patience: float,
        password: str | None,
    ) -> None:
        self._reader = reader
        self._writer = writer
        self._patience = patience
        self._password = password
        self._prefix = ""

    async def greet(self) -> None:
        """Read the greeting, and be ready to prove that the password is known.

        Raises:
            PasswordError: it wants a password, and there is none.
            PjLinkError: there is no greeting.
        """
        salt = parse_greeting(await self._line("its greeting"))
        if salt is None:
            return
        if self._password is None:
            raise PasswordError("it wants a password, and pjlink.password is not given")
        self._prefix = digest(salt, self._password)

    async def ask(self, level: int, command: str, parameter: str = "") -> str:
        """Return the value of the answer to a query.

        Args:
            level: class of the command, 1 or 2.
            command: four letters.
            parameter: what follows the question mark.

        Raises:
            RefusedError: the projector answered ERR1 to ERR4; it can be asked on.
            PasswordError: the password is wrong.
            PjLinkError: there is no answer, or it is not one.
        """
        self._writer.write(f"{self._prefix}%{level}{command} ?{parameter}".encode() + _END)
        self._prefix = ""
        return parse_answer(await self._line(f"answering {command}"), level, command)

    def close(self) -> None:
        """Let go of the connection at once: most projectors serve no other meanwhile."""
        self._writer.transport.abort()

    async def _line(self, what: str) -> str:
        try:
            async with asyncio.timeout(self._patience):
                line = await self._reader.readuntil(_END)
        except TimeoutError:
            raise PjLinkError(f"it took longer than {self._patience:g} s for {what}") from None
        except asyncio.LimitOverrunError:
            raise PjLinkError(f"it sent a line without an end for {what}") from None
        except (asyncio.IncompleteReadError, OSError):
            raise PjLinkError(f"it closed the connection before {what}") from None
        return decode_text(line)


async def connect(
    address: str, port: int, *, patience: float, password: str | None
) -> PjLinkSession:
    """Return a session with a projector, once that has greeted.

    Args:
        address: IPv4 or IPv6 address.
        port: TCP port.
        patience: for the connection and for each answer, in seconds.
        password: None if there is none.

    Raises:
        PasswordError: it wants a password, and there is none.
        PjLinkError: it does not accept the connection, or does not greet.
    """
    try:
        async with asyncio.timeout(patience):
            reader, writer = await asyncio.open_connection(address, port, limit=_LONGEST_LINE)
    except TimeoutError:
        raise PjLinkError(f"no connection within {patience:g} s") from None
    except OSError as error:
        raise PjLinkError(f"no connection: {os.strerror(error.errno or 0)}") from None
    session = PjLinkSession(reader, writer, patience, password)
    try:
        await session.greet()
    except BaseException:
        session.close()
        raise
    return session
