"""Notifications as readings, and as calls for polls."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections import OrderedDict
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Final

from campuswatch.errors import UserError
from campuswatch.inventory.models import Device, District, TrapListener
from campuswatch.measurements import CATALOGUE
from campuswatch.readings import FieldValue, now_ns
from edge_agents.journal import Journal
from edge_agents.sources.base import Emit
from edge_agents.sources.reachability import device_tags
from edge_agents.sources.snmp.credentials import Access, access
from edge_agents.sources.snmp.traps.events import INFORMATIONAL, OTHER, Event, understood
from edge_agents.sources.snmp.traps.identity import next_identity
from edge_agents.sources.snmp.traps.interfaces import InterfaceNames
from edge_agents.sources.snmp.traps.limits import PollCalls, RateLimit
from edge_agents.sources.snmp.traps.names import OidNames, value_text
from edge_agents.sources.snmp.traps.notification import Notification
from edge_agents.sources.snmp.traps.receiver import Receiver
from edge_agents.sources.snmp.traps.senders import AddressBook
from edge_agents.sources.snmp.traps.statistics import TrapStatistics

log = logging.getLogger(__name__)

_RETRY: Final = 60.0  # seconds until a port that could not be had is asked for again
_REFRESH: Final = 600.0  # seconds between two look-ups of the devices' host names
_SENDER_RATE, _SENDER_BURST = 5.0, 100
_TOTAL_RATE, _TOTAL_BURST = 100.0, 500
_RECENT: Final = 256  # notifications that are known again if they are repeated

_EVENT: Final = CATALOGUE["event"]


class TrapSource:
    """A `StreamSource` of what devices say on their own account.

    What a notification says is written down as an `event` and never taken for
    a state: the poll that it calls for finds out what is so. Those that are
    refused, of unknown devices or not understood are kept in a journal.

    Args:
        listener: where to listen.
        devices: who may be heard.
        accesses: communities and users that senders may use.
        interfaces: names of the devices' ports.
        poll: polls a device now, by its id.
        directory: for the engine's identity and the journal.
    """

    def __init__(
        self,
        listener: TrapListener,
        devices: Sequence[Device],
        accesses: Iterable[Access],
        *,
        interfaces: InterfaceNames,
        poll: Callable[[str], object],
        directory: Path,
    ) -> None:
        self.name = "traps"
        self._listener = listener
        self._devices = {device.id: device for device in devices}
        self._accesses = list(accesses)
        self._book = AddressBook(devices)
        self._interfaces = interfaces
        self._poll = poll
        self._identity = directory / "engine.json"
        self._journal = Journal(directory, "traps")
        self._names = OidNames()
        self._per_sender = RateLimit(_SENDER_RATE, _SENDER_BURST)
        self._total = RateLimit(_TOTAL_RATE, _TOTAL_BURST)
        self._recent: OrderedDict[Notification, asyncio.Future[None]] = OrderedDict()
        self._statistics = TrapStatistics()

    def take_statistics(self) -> TrapStatistics:
        """Return the statistics since the last call, and begin anew."""
        taken, self._statistics = self._statistics, TrapStatistics()
        return taken

    async def run(self, emit: Emit) -> None:
        """Emit readings until cancelled; wait for a port that can't be had."""
        host, _, port = self._listener.listen.rpartition(":")
        identity = await asyncio.to_thread(next_identity, self._identity)
        await self._book.refresh()
        loop = asyncio.get_running_loop()
        calls = PollCalls(self._poll, loop.call_later, loop.time)
        while True:
            receiver = Receiver(
                self._accesses,
                identity,
                allow=self._allow,
                take=lambda heard: self._take(heard, emit, calls),
                refuse=self._refuse,
            )
            with contextlib.closing(receiver):
                try:
                    await receiver.open(host.strip("[]"), int(port))
                except OSError as error:
                    log.error(
                        "traps not received: listen=%s reason=%r retry_in=%gs (ports below 1024 "
                        "need CAP_NET_BIND_SERVICE)",
                        self._listener.listen,
                        error.strerror,
                        _RETRY,
                    )
                    await asyncio.sleep(_RETRY)
                else:
                    log.info("traps awaited: listen=%s", self._listener.listen)
                    await self._keep_book()

    async def _keep_book(self) -> None:
        while True:
            await asyncio.sleep(_REFRESH)
            await self._book.refresh()

    def _allow(self, sender: str) -> bool:
        now = asyncio.get_running_loop().time()
        allowed = self._per_sender.allows(sender, now) and self._total.allows("", now)
        if not allowed:
            self._statistics.dropped += 1
        return allowed

    def _take(self, heard: Notification, emit: Emit, calls: PollCalls) -> asyncio.Future[None]:
        # An inform whose answer was lost comes again, and so does a trap that is
        # sent to several of an agent's addresses: the same news, stored once.
        if heard not in self._recent:
            self._recent[heard] = self._handle(heard, emit, calls)
            if len(self._recent) > _RECENT:
                self._recent.popitem(last=False)
        return self._recent[heard]

    def _handle(self, heard: Notification, emit: Emit, calls: PollCalls) -> asyncio.Future[None]:
        device = self._devices.get(self._book.owner(heard.sender, heard.agent_address) or "")
        if device is None:
            self._statistics.rejected += 1
            log.warning("trap of no device: sender=%s oid=%s", heard.sender, heard.oid)
            self._keep(heard, "no device of this agent has the sender's address")
            done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            done.set_result(None)
            return done
        self._statistics.received += 1
        event = understood(heard, device.id, self._interfaces)
        if event is None:
            self._keep(heard, "not understood", device.id)
            # Its values stay here: there may be users and their devices among them.
            event = Event(OTHER, INFORMATIONAL, f"sent {self._names.name(heard.oid)}")
        calls.call(device.id)
        fields: dict[str, FieldValue | None] = {
            "severity": event.severity,
            "text": event.text,
            "interface": event.interface or None,
            "subject": event.subject or None,
            "oid": heard.oid,
            "sender": heard.sender,
        }
        tags = {**device_tags(device), "event": event.kind}
        return emit([_EVENT.reading(tags, fields, now_ns())])

    def _refuse(self, sender: str, size: int, reason: str) -> None:
        self._statistics.rejected += 1
        log.warning("trap refused: sender=%s reason=%r", sender, reason)
        # Not the datagram: a community in it may be another device's.
        self._journal.keep({"sender": sender, "reason": reason, "bytes": size})

    def _keep(self, heard: Notification, reason: str, device: str | None = None) -> None:
        self._journal.keep(
            {
                "sender": heard.sender,
                "device": device,
                "reason": reason,
                "oid": heard.oid,
                "name": self._names.name(heard.oid),
                "varbinds": {
                    f"{self._names.name(oid)} ({oid})": value_text(value)
                    for oid, value in heard.varbinds
                },
            }
        )


def trap_accesses(
    listener: TrapListener, devices: Iterable[Device], district: District
) -> list[Access]:
    """Return what senders may use: what their devices are polled by, and the listener's own.

    Raises:
        UserError: a credential's secret can't be had.
    """
    names = dict.fromkeys(device.snmp for device in devices if device.snmp is not None)
    names |= dict.fromkeys(listener.credentials)
    try:
        return [access(district.credentials[name]) for name in names]
    except UserError as error:
        raise UserError(f"traps: {error}") from None
