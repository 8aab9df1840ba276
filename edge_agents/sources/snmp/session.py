"""One conversation with one SNMP agent.

gufo-snmp encodes and decodes in Rust, but its Python layer hands out one
varbind at a time, and its answers hide four things that a poller must know.
This module is the only one that touches gufo's sockets; what it settles:

* **Speed.** A whole PDU crosses from Rust to Python at once (a list), and the
  socket is registered with the event loop once, not for each request.
* **tooBig and other error-status** look like an empty answer, and so does the
  end of the MIB view. An empty GETBULK is asked again with max-repetitions 1,
  an empty GET with half its OIDs.
* **OIDs that don't increase** are not noticed, so the last OID of each PDU is
  compared with that of the one before.
* **Answers above 4,080 bytes** are cut off and can't be decoded, so a decoding
  error is met as a size that was too big.
* **SNMPv3 answers** are not checked, and reports hardly read: `Guard` does both.
  An engine whose id or clock has changed is discovered anew, once a request.

Late answers to an earlier request are skipped by gufo, which draws a new
request-id for every try.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from functools import partial
from typing import Any, Final, NamedTuple, Protocol, TypeVar, cast

import gufo.snmp
from gufo.snmp._fast import GetIter, SnmpV2cClientSocket, SnmpV3ClientSocket
from gufo.snmp.utils import format_sock_addr

from edge_agents.sources.snmp.credentials import Access, CommunityAccess, UserAccess
from edge_agents.sources.snmp.errors import (
    SnmpAccessError,
    SnmpAuthError,
    SnmpDecodeError,
    SnmpEngineError,
    SnmpError,
    SnmpIgnoredError,
    SnmpLoopError,
    SnmpStatusError,
    SnmpTimeoutError,
    SnmpUnreachableError,
)
from edge_agents.sources.snmp.faults import Fault, Faults
from edge_agents.sources.snmp.guard import Guard
from edge_agents.sources.snmp.pdu import error_status

Value = int | float | str | bytes
"""INTEGER, counters, gauges and time ticks are int; OCTET STRING and Opaque are
bytes; OBJECT IDENTIFIER and IpAddress are dotted str."""

SYS_UP_TIME: Final = "1.3.6.1.2.1.1.3.0"

MAX_REPETITIONS: Final = 50
"""So many counters with their OIDs (28 bytes each) fill an Ethernet frame."""
MAX_WALK: Final = 200_000
"""Varbinds of one walk; the forwarding table of a large switch has 128,000 rows."""
MAX_GET: Final = 24
"""OIDs in one GET; agents that refuse it get fewer."""

_LARGEST: Final = 65_535
_GROW_AFTER: Final = 32
_FORGET_AFTER: Final = 2048
Answer = TypeVar("Answer")
Varbinds = list[tuple[str, Value] | None]
"""As gufo gives them: None stands for the first varbind beyond the subtree."""


class Page(NamedTuple):
    """The varbinds of one PDU that belong to the walk.

    Attributes:
        varbinds: OIDs (dotted, no leading dot) and values.
        at: when it arrived, on the event loop's clock (monotonic), in seconds.
    """

    varbinds: list[tuple[str, Value]]
    at: float


class SnmpSession(Protocol):
    """What the poller needs of an SNMP implementation; one request at a time."""

    async def get(self, oids: Sequence[str]) -> dict[str, Value]:
        """Return the values of those instances that exist.

        Raises:
            SnmpError: its kind says what to do.
        """
        ...

    def walk(self, root: str, rows: int | None = None) -> AsyncIterator[Page]:
        """Yield everything below `root`, PDU by PDU.

        Args:
            root: OID, dotted, no leading dot.
            rows: how many varbinds are expected; saves asking for what follows.

        Raises:
            SnmpError: its kind says what to do.
        """
        ...

    def close(self) -> None:
        """Close the socket; the next request opens a new one."""
        ...


class Size:
    """How much to ask for at once: less after a failure, and slowly more again.

    Attributes:
        now: the present size.
    """

    def __init__(self, largest: int) -> None:
        self.now = largest
        self._largest = largest
        self._ceiling = largest
        self._good = 0

    def failed(self, size: int, instead: int) -> None:
        """Note that `size` was too much, and that `instead` was answered."""
        self.now = max(1, instead)
        self._ceiling = max(1, size - 1)
        self._good = 0

    def answered(self) -> None:
        """Note a good answer.

        After 32 in a row the size grows by a quarter, below what has failed;
        after 2,048 that is forgotten, in case it was only the network.
        """
        self._good += 1
        if self._good % _GROW_AFTER == 0:
            self.now = min(self._ceiling, self.now + max(1, self.now // 4))
        if self._good >= _FORGET_AFTER:
            self._ceiling = self._largest
            self._good = 0


class GufoSession:
    """An `SnmpSession` on gufo-snmp's sockets, v2c and v3.

    Args:
        address: IPv4 or IPv6 address.
        port: UDP port.
        access: community or user.
        timeout: of one try, in seconds.
        retries: further tries.
        faults: takes what the agent does wrong and a walk survives.
    """

    def __init__(
        self,
        address: str,
        port: int,
        access: Access,
        *,
        timeout: float,
        retries: int,
        faults: Faults | None = None,
    ) -> None:
        self._faults = faults or Faults()
        self._address = address
        self._port = port
        self._access = access
        self._timeout = timeout
        self._tries = retries + 1
        self._repetitions = Size(MAX_REPETITIONS)
        self._get_size = Size(MAX_GET)
        self._line: _Line | None = None
        self._wrong_privacy: bool | None = None

    async def get(self, oids: Sequence[str]) -> dict[str, Value]:
        """See `SnmpSession.get`."""
        answer: dict[str, Value] = {}
        done = 0
        while done < len(oids):
            part = oids[done : done + self._get_size.now]
            answer |= await self._get_part(part)
            done += len(part)
        return answer

    async def _get_part(self, oids: Sequence[str]) -> dict[str, Value]:
        # sysUpTime.0 exists wherever there is an agent, so an answer that lacks
        # even that is not "no such instance" but an error-status.
        asked = [SYS_UP_TIME, *(oid for oid in oids if oid != SYS_UP_TIME)]
        answer = await self._retried(lambda line: line.get(asked))
        if answer:
            self._get_size.answered()
            return {oid: answer[oid] for oid in oids if oid in answer}
        if len(oids) == 1:
            self._faults.note(Fault.ERROR_STATUS, f"OID {oids[0]} can't be read (genErr or alike)")
            return {}
        middle = len(oids) // 2
        self._get_size.failed(len(oids), instead=middle)
        return await self._get_part(oids[:middle]) | await self._get_part(oids[middle:])

    async def walk(self, root: str, rows: int | None = None) -> AsyncIterator[Page]:
        """See `SnmpSession.walk`."""
        clock = asyncio.get_running_loop().time
        subtree = GetIter(root)
        after, seen = root, 0
        while True:
            expected = MAX_REPETITIONS if rows is None or seen > rows else rows - seen + 1
            varbinds = await self._page(subtree, after, expected)
            at = clock()
            found = [varbind for varbind in varbinds if varbind is not None]
            if found:
                last = found[-1][0]
                if after != root and _key(last) <= _key(after):
                    raise SnmpLoopError(f"the walk loops: OID {last} comes after {after}")
                after, seen = last, seen + len(found)
                if seen > MAX_WALK:
                    raise SnmpLoopError(f"the walk does not end: {seen} varbinds below {root}")
                yield Page(found, at)
            if len(found) < len(varbinds) or not varbinds:
                return

    async def _page(self, subtree: GetIter, after: str, expected: int) -> Varbinds:
        """Return the varbinds after an OID, [] at the end of the MIB view."""
        asked = size = min(expected, self._repetitions.now)
        too_much = size

        def ask_less(divisor: int) -> None:
            nonlocal size, too_much
            too_much, size = size, max(1, size // divisor)

        varbinds = await self._retried(
            # A lost answer costs a whole timeout, so that few sizes can be tried.
            lambda line: line.bulk(subtree, after, size),
            partial(ask_less, 4),
        )
        if not varbinds and size > 1:
            # The end of the MIB view, or an error-status such as tooBig.
            varbinds = await self._retried(lambda line: line.bulk(subtree, after, 1))
            if varbinds:
                ask_less(2)
        if size < asked:
            self._repetitions.failed(too_much, instead=size)
            self._faults.note(Fault.TOO_BIG, f"answers of {too_much} varbinds are too big for it")
        else:
            self._repetitions.answered()
        return varbinds

    async def _retried(
        self,
        ask: Callable[[_Line], Awaitable[Answer]],
        ask_less: Callable[[], None] = lambda: None,
    ) -> Answer:
        """Ask until there is an answer or no try is left.

        Args:
            ask: one try.
            ask_less: called after a failure that the size may explain.
        """
        tries, discovered = self._tries, False
        while True:
            try:
                answer = await ask(await self._open())
            except SnmpEngineError:
                self.close()
                if discovered:
                    raise
                discovered = True
            except (SnmpTimeoutError, SnmpDecodeError, SnmpUnreachableError) as error:
                tries -= 1
                if tries == 0 or isinstance(self._access, UserAccess):
                    # An agent that restarted may have another engine id, whose
                    # reports gufo skips: the next try has to discover it.
                    self.close()
                if tries == 0:
                    await self._explain_silence(error)
                    raise
                if not isinstance(error, SnmpUnreachableError):
                    ask_less()
            else:
                self._wrong_privacy = None
                return answer

    async def _explain_silence(self, error: SnmpError) -> None:
        """Raise a better error if it is the user's privacy that the agent can't make sense of.

        net-snmp and others say nothing to what they can't decrypt, but answer
        the same user without privacy, be it only that it may not read so. That
        is asked once for each time of silence.
        """
        access = self._access
        if not isinstance(error, SnmpIgnoredError) or not isinstance(access, UserAccess):
            return
        if access.priv is None:
            return
        if self._wrong_privacy is None:
            self._wrong_privacy = await self._answers(access.without_privacy())
        if self._wrong_privacy:
            raise SnmpAuthError(
                f"the agent ignores user {access.user.name!r} at level {access.level} alone: "
                f"wrong privacy password, or its protocol is not {access.priv}"
            )

    async def _answers(self, access: UserAccess) -> bool:
        line: _Line | None = None
        try:
            line = _Line(self._address, self._port, access, self._timeout, self._faults)
            await line.prepare()
            await line.get([SYS_UP_TIME])
        except SnmpAccessError:
            return True
        except SnmpError:
            return False
        finally:
            if line is not None:
                line.close()
        return True

    async def _open(self) -> _Line:
        if self._line is None:
            self._line = _Line(self._address, self._port, self._access, self._timeout, self._faults)
        await self._line.prepare()
        return self._line

    def close(self) -> None:
        """See `SnmpSession.close`."""
        if self._line is not None:
            self._line.close()
            self._line = None


class _Line:
    """One open socket of gufo's: single tries, and its errors in our words."""

    def __init__(
        self, address: str, port: int, access: Access, timeout: float, faults: Faults
    ) -> None:
        self._access = access
        self._faults = faults
        self._timed_out = self._late = False
        self._timeout = timeout
        self._loop = asyncio.get_running_loop()
        self._waiting: tuple[Callable[[], Any], asyncio.Future[Any]] | None = None
        self._engine_known = False
        self._heard = False
        place = format_sock_addr(address, port)
        try:
            self._socket = _socket(place, access)
        except OSError as error:
            raise SnmpUnreachableError(_words(error)) from None
        self._guard: Guard | None = None
        if isinstance(access, UserAccess):
            self._guard = Guard(self._socket.get_fd(), access)
        self._descriptor = self._guard.fileno() if self._guard else self._socket.get_fd()
        self._loop.add_reader(self._descriptor, self._readable)

    async def prepare(self) -> None:
        """Discover the engine's id, boots and time (RFC 3414, 4), once, if v3."""
        socket = self._socket
        if self._engine_known or not isinstance(socket, SnmpV3ClientSocket):
            return
        assert isinstance(self._access, UserAccess)
        await self._exchange(socket.send_refresh, socket.recv_refresh)
        user = self._access.user
        socket.set_keys(
            user.name,
            user.get_auth_alg(),
            user.get_auth_key(),
            user.get_priv_alg(),
            user.get_priv_key(),
        )
        assert self._guard is not None
        self._guard.expect(socket.get_engine_id())
        self._engine_known = True

    async def get(self, oids: list[str]) -> dict[str, Value]:
        answer = await self._exchange(
            partial(self._socket.send_get_many, oids), self._socket.recv_get_many
        )
        self._heard = True
        return cast("dict[str, Value]", answer)  # gufo leaves NULLs out

    async def bulk(self, subtree: GetIter, after: str, size: int) -> Varbinds:
        # A GetIter holds a subtree, a position and a size, none of which can be
        # changed. Sending needs the last two, receiving only the first.
        position = GetIter(after, size)

        def receive() -> Varbinds:
            # Only what is asked for by itself says for sure that it can't be read.
            status = error_status(self._peek()) if size == 1 else ""
            try:
                return cast("Varbinds", self._socket.recv_get_bulk(subtree))
            except StopAsyncIteration:
                if status:
                    raise SnmpStatusError(f"{status} after OID {after}") from None
                return []

        varbinds = await self._exchange(partial(self._socket.send_get_bulk, position), receive)
        self._heard = True
        return varbinds

    def close(self) -> None:
        self._loop.remove_reader(self._descriptor)
        if self._guard is not None:
            self._guard.close()

    async def _exchange(self, send: Callable[[], None], receive: Callable[[], Answer]) -> Answer:
        future: asyncio.Future[Answer] = self._loop.create_future()
        self._waiting = (receive, future)
        timer = self._loop.call_later(self._timeout, self._time_out, future)
        try:
            send()
            if self._guard is not None:
                self._guard.send()
            return await future
        except OSError as error:
            raise SnmpUnreachableError(_words(error)) from None
        finally:
            timer.cancel()
            self._waiting = None
            if self._guard is not None:
                self._guard.forget()

    def _readable(self) -> None:
        if self._waiting is None or self._waiting[1].done():
            self._skip()
            return
        receive, future = self._waiting
        try:
            if self._guard is not None:
                self._guard.receive()
            future.set_result(receive())
        except BlockingIOError:
            self._note_late()
        except BaseException as error:  # noqa: BLE001
            future.set_exception(self._explained(error))

    def _skip(self) -> None:
        """Take an answer that nobody waits for off the socket."""
        self._note_late()
        with contextlib.suppress(Exception):
            if self._guard is not None:
                self._guard.receive()
            self._socket.recv_get_many()

    def _note_late(self) -> None:
        """Note an answer to an earlier request, unless that had an answer too."""
        if self._timed_out:
            self._late = True
            self._faults.note(Fault.LATE, f"answers come later than {self._timeout:g} s")

    def _peek(self) -> bytes:
        """Return the message that waits, without taking it."""
        with socket.socket(fileno=os.dup(self._socket.get_fd())) as waiting:
            return waiting.recv(_LARGEST, socket.MSG_PEEK | socket.MSG_DONTWAIT)

    def _time_out(self, future: asyncio.Future[Answer]) -> None:
        self._timed_out = True
        if not future.done():
            future.set_exception(self._silence())

    def _silence(self) -> SnmpTimeoutError:
        silence = f"no answer within {self._timeout:g} s"
        if self._late:
            return SnmpTimeoutError(f"{silence}, but late ones: a longer timeout is needed")
        if self._guard is not None and self._guard.dropped:
            return SnmpTimeoutError(f"{silence}: {self._guard.dropped}")
        if isinstance(self._access, UserAccess) and self._engine_known and not self._heard:
            # Agents should report what is wrong with a user; some say nothing.
            return SnmpIgnoredError(
                f"the agent is there but ignores user {self._access.user.name!r}: "
                "wrong user, password or protocol"
            )
        if isinstance(self._access, CommunityAccess) and not self._heard:
            return SnmpTimeoutError(f"{silence} (or wrong community)")
        return SnmpTimeoutError(silence)

    def _explained(self, error: BaseException) -> BaseException:
        if isinstance(error, SnmpError):
            return error
        if isinstance(error, gufo.snmp.SnmpAuthError):
            return SnmpAccessError(self._refusal())
        if isinstance(error, TimeoutError | ConnectionRefusedError):
            return SnmpUnreachableError("nothing listens on the UDP port (ICMP port unreachable)")
        if isinstance(error, OSError):
            return SnmpUnreachableError(_words(error))
        # A malformed varbind is a RuntimeError to gufo. A malformed message can also
        # make its decoder panic; a panic is no Exception.
        undecodable = isinstance(error, gufo.snmp.SnmpError | RuntimeError)
        if undecodable or type(error).__module__ == "pyo3_runtime":
            return SnmpDecodeError(f"the answer can't be decoded: {error}")
        return error

    def _refusal(self) -> str:
        if isinstance(self._access, UserAccess):
            return (
                f"the agent does not let user {self._access.user.name!r} read at level "
                f"{self._access.level} (authorizationError)"
            )
        return "the agent refuses the community (authorizationError)"


def _socket(place: str, access: Access) -> SnmpV2cClientSocket | SnmpV3ClientSocket:
    if isinstance(access, CommunityAccess):
        return SnmpV2cClientSocket(place, access.community, 0, 0, 0, 0)
    # Without an engine id, and so without a user, until `prepare` has asked for it.
    return SnmpV3ClientSocket(place, b"", "", 0, b"", 0, b"", 0, 0, 0, 0)


def _words(error: OSError) -> str:
    """Return gufo's words for an error of the socket without Rust's numbering."""
    return str(error).partition(" (os error")[0].lower()


def _key(oid: str) -> tuple[int, ...]:
    return tuple(map(int, oid.split(".")))
