"""Takes batches from the spool to the district's broker.

The spool is the only queue: every connection starts with a new MQTT client,
and what has no PUBACK when a connection ends is sent again on the next. The
connection starts clean (`Clean Start` 1, session expiry 0), because a publisher
that keeps its own queue has no use for a session in the broker.

**What a broker forgets.** A PUBACK says the broker has taken a message over,
but not every broker has it on the disk by then: Mosquitto writes its database
every `autosave_interval`, so when it is killed it comes back as it was up to
that long before. Acknowledged batches therefore stay in the spool for a while
(`spool.KEPT_AFTER_ACKNOWLEDGEMENT`), and each connection begins by asking the
broker what it remembers. The question is our own retained status: the last
will carries the number of its connection, and the broker publishes it when the
connection ends, so a broker that holds the will of connection *n* has lost
nothing that it acknowledged on *n* or before. All that was acknowledged since
is sent again. The store overwrites a repeat with itself.

**When nobody listens.** Without a subscriber a broker throws a message away, and
says so in the PUBACK ("No matching subscribers"); such a batch is kept and tried
again. Mosquitto 2.0 does not restore shared subscriptions when it starts: until
the collectors are back, it answers like that. A further subscriber of the data
topics would hide it, so the broker's ACL lets nobody but the collectors read them.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from importlib.metadata import version
from typing import Final

from paho.mqtt.client import Client, MQTTMessage
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from campuswatch.configuration.document import MAX_CONFIGURATION
from campuswatch.mqtt import broker_address, new_client
from campuswatch.readings import now_ns
from campuswatch.settings import BrokerSettings
from campuswatch.wire import AgentAddress, Batch, Channel, Lane
from edge_agents.link import Link, LinkError
from edge_agents.pacing import Pace, Pauses, delays
from edge_agents.spool import Spool, SpoolState, SpoolUnavailableError

log = logging.getLogger(__name__)

LIVE_AGE: Final = 5.0
"""Seconds for which a batch is news; an older one is sent as backfill."""

BACKFILL_RATE: Final = 100.0
"""Batches a second of the backlog, at most: 72 h of it take under an hour."""

STATUS_PERIOD: Final = 60.0
"""Seconds between two publications of the status."""

_WINDOW: Final = 64  # batches in flight, unless the broker's Receive Maximum is less
_STATUS_ROOM: Final = 2  # of the Receive Maximum, kept for the status
_TICK: Final = 0.1  # seconds between looks at a backlog
_IDLE_TICK: Final = 1.0  # seconds between looks at an empty spool
_STATUS_CHECK: Final = 5.0  # seconds between looks whether something urgent changed
_URGENT: Final = ("stream", "dropped", "configuration")  # parts of a status that can't wait
_LONGEST_DELAY: Final = 30.0  # seconds between attempts to connect
_LONGEST_PAUSE: Final = 10.0  # seconds between attempts while batches are refused
_DISK_PAUSE: Final = 5.0  # seconds between attempts while the disk fails
_DROPPED_RANGES: Final = 1000  # told in a status: the latest
_MEMORY_ANSWER: Final = 10.0  # seconds in which a broker says what it remembers
_LAST_ACKNOWLEDGEMENTS: Final = 2.0  # seconds for them when the agent stops
_NO_MATCHING_SUBSCRIBERS: Final = 0x10  # MQTT 5, 3.4.2.1

_MAX_PACKET: Final = MAX_CONFIGURATION + 64 * 1024  # bytes; the rest for topic and properties

_Key = tuple[str, int]  # stream and number of a batch


@dataclass(frozen=True, slots=True)
class _Memory:
    """What the broker's retained status says about the connections before."""

    vouched: int

    @classmethod
    def of(cls, message: MQTTMessage) -> _Memory:
        """Read the first message of our status topic.

        Without the retain flag it is the status we have just published: there
        was none before. An "online" of connection n was published when n began,
        so it vouches for the ones before n.
        """
        if not message.retain:
            return cls(0)
        try:
            status = json.loads(message.payload)
            connection = int(status["connection"])
            return cls(connection if status["state"] == "offline" else connection - 1)
        except (ValueError, TypeError, KeyError):
            return cls(0)


class Uplink:
    """Publishes batches for as long as it runs; reconnects by itself.

    Args:
        spool: where the batches are.
        address: who we are.
        broker: the district's broker.
        backfill_rate: batches a second of the backlog, at most.
        on_command: takes the messages of our command topic; without it we
            do not subscribe to them.
        configuration: what the status tells of pushed configurations.
    """

    def __init__(
        self,
        spool: Spool,
        address: AgentAddress,
        broker: BrokerSettings,
        *,
        backfill_rate: float = BACKFILL_RATE,
        on_command: Callable[[bytes], None] | None = None,
        configuration: Callable[[], dict[str, object] | None] = lambda: None,
    ) -> None:
        self._spool = spool
        self._address = address
        self._broker = broker
        self._backfill_rate = backfill_rate
        self._on_command = on_command
        self._configuration = configuration
        self._news = asyncio.Event()

    def wake(self) -> None:
        """Say that the spool has a new batch."""
        self._news.set()

    async def run(self) -> None:
        """Send until cancelled; then wait a moment for what is in flight."""
        waits = delays(_LONGEST_DELAY)
        while True:
            try:
                async with self._connected() as connection:
                    waits = delays(_LONGEST_DELAY)
                    await connection.send_until_lost()
            except OSError as error:
                log.warning("uplink down: broker=%s reason=%r", self._broker.url, str(error))
            await asyncio.sleep(next(waits))

    @contextlib.asynccontextmanager
    async def _connected(self) -> AsyncIterator[_Connection]:
        number = await asyncio.to_thread(self._spool.next_connection)
        connection = _Connection(
            self._spool,
            self._address,
            self._broker,
            number=number,
            news=self._news,
            backfill_rate=self._backfill_rate,
            on_command=self._on_command,
            configuration=self._configuration,
        )
        try:
            await connection.open()
            log.info("uplink up: broker=%s connection=%d", self._broker.url, number)
            try:
                yield connection
            except asyncio.CancelledError:
                await connection.finish()
                raise
        finally:
            await connection.close()


class _Connection:
    """One connection's share of the uplink."""

    def __init__(
        self,
        spool: Spool,
        address: AgentAddress,
        broker: BrokerSettings,
        *,
        number: int,
        news: asyncio.Event,
        backfill_rate: float,
        on_command: Callable[[bytes], None] | None,
        configuration: Callable[[], dict[str, object] | None],
    ) -> None:
        self._spool = spool
        self._on_command = on_command
        self._configuration = configuration
        self._command_topic = address.topic(Channel.COMMAND)
        self._command_subscription: int | None = None
        self._data_topic = address.topic(Channel.DATA)
        self._status_topic = address.topic(Channel.STATUS)
        self._broker = broker
        self._number = number
        self._news = news
        self._since = now_ns()
        self._window = _WINDOW
        self._pace = Pace(backfill_rate)
        self._refusals = Pauses(_LONGEST_PAUSE)
        self._by_packet: dict[int, _Key] = {}
        self._in_flight: set[_Key] = set()
        self._backfill: set[_Key] = set()
        self._acknowledged: list[_Key] = []
        self._memory: asyncio.Future[_Memory] = asyncio.get_running_loop().create_future()
        self._published_status: dict[str, object] = {}
        self._link = Link(
            self._new_client(address),
            on_published=self._on_published,
            on_message=self._on_message,
            on_subscribed=self._on_subscribed,
        )

    def _new_client(self, address: AgentAddress) -> Client:
        # The id is the same each time: should the broker still hold the
        # connection before, it ends that one, and publishes its will, first.
        client = new_client(self._broker, f"agent-{address.agent}", reconnect=False)
        client.max_inflight_messages_set(0)  # unbounded: the window is ours to keep
        will = {"state": "offline", "version": _version(), "connection": self._number}
        client.will_set(self._status_topic, json.dumps(will), qos=1, retain=True)
        return client

    async def open(self) -> None:
        """Connect, ask what the broker remembers, and publish the status.

        Raises:
            LinkError: there is no connection.
        """
        properties = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]
        properties.MaximumPacketSize = _MAX_PACKET
        found = await self._link.open(
            broker_address(self._broker.url), clean_start=True, properties=properties
        )
        maximum = getattr(found, "ReceiveMaximum", None) or 65535
        self._window = max(1, min(_WINDOW, maximum - _STATUS_ROOM))
        self._link.client.subscribe(self._status_topic, qos=1)
        if self._on_command is not None:
            subscribed = self._link.client.subscribe(self._command_topic, qos=1)
            self._command_subscription = subscribed[1]
        await self._publish_status()

    async def send_until_lost(self) -> None:
        """Send what the spool has and will have.

        Raises:
            LinkError: the connection is lost.
            SpoolUnavailableError: the disk can't be read.
        """
        tasks = [
            asyncio.create_task(self._keep_sending()),
            asyncio.create_task(self._keep_status()),
            asyncio.create_task(self._raise_when_lost()),
        ]
        try:
            ended, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            for task in ended:
                task.result()
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _raise_when_lost(self) -> None:
        reason = await asyncio.shield(self._link.closed)
        raise LinkError(f"connection lost: {reason}")

    async def finish(self) -> None:
        """Send what is new, and wait a moment for the acknowledgements."""
        with contextlib.suppress(TimeoutError, OSError):
            async with asyncio.timeout(_LAST_ACKNOWLEDGEMENTS):
                await self._send_live()
                while self._in_flight and not self._link.closed.done():
                    await self._wait(_TICK)
                    await self._store_acknowledgements()
                await self._publish_status()

    async def close(self) -> None:
        """Disconnect; what has no acknowledgement waits for the next connection."""
        await self._link.close()
        with contextlib.suppress(SpoolUnavailableError):
            await self._store_acknowledgements()

    # Sending

    async def _keep_sending(self) -> None:
        while True:
            try:
                await self._store_acknowledgements()
                busy = await self._fill_window()
            except SpoolUnavailableError as error:
                log.error("nothing sent: reason=%r retry_in=%gs", str(error), _DISK_PAUSE)
                await asyncio.sleep(_DISK_PAUSE)
            else:
                await self._wait(_TICK if busy else _IDLE_TICK)

    async def _wait(self, longest: float) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(longest):
                await self._news.wait()
        self._news.clear()

    async def _fill_window(self) -> bool:
        """Send as much as there is room for; return whether a backlog waits."""
        if self._refusals.pausing():
            return True
        await self._send_live()
        return await self._send_backlog()

    async def _send_live(self) -> None:
        room = self._window - len(self._in_flight)
        since = now_ns() - int(LIVE_AGE * 1e9)
        keys = await self._waiting(self._spool.newest_unsent, since, room)
        # The newest are chosen, and go in order.
        for batch in await self._read(keys[::-1], Lane.LIVE):
            self._publish(batch)

    async def _send_backlog(self) -> bool:
        # Half of the window stays free for live batches.
        room = min(self._window - len(self._in_flight), self._window // 2 - len(self._backfill))
        before = now_ns() - int(LIVE_AGE * 1e9)
        keys = await self._waiting(self._spool.oldest_unsent, before, max(1, room))
        batches = await self._read(keys[: max(0, min(room, self._pace.allowed()))], Lane.BACKFILL)
        for batch in batches:
            self._publish(batch)
            self._backfill.add((batch.stream, batch.seq))
        self._pace.spend(len(batches))
        return bool(keys)

    async def _waiting(
        self, select: Callable[[int, int], list[_Key]], bound: int, room: int
    ) -> list[_Key]:
        """Return up to `room` waiting batches that are not in flight."""
        if room <= 0:
            return []
        keys = await asyncio.to_thread(select, bound, room + len(self._in_flight))
        return [key for key in keys if key not in self._in_flight][:room]

    async def _read(self, keys: list[_Key], lane: Lane) -> list[Batch]:
        def read() -> list[Batch]:
            found = (self._spool.read(stream, seq, lane) for stream, seq in keys)
            return [batch for batch in found if batch is not None]

        return await asyncio.to_thread(read) if keys else []

    def _publish(self, batch: Batch) -> None:
        sent = self._link.client.publish(
            self._data_topic, batch.payload(), qos=1, properties=batch.properties()
        )
        key = (batch.stream, batch.seq)
        self._by_packet[sent.mid] = key
        self._in_flight.add(key)

    # Acknowledgements

    def _on_published(self, packet: int, code: ReasonCode) -> None:
        key = self._by_packet.pop(packet, None)
        if key is None:
            return  # a status
        if code.is_failure or code.value == _NO_MATCHING_SUBSCRIBERS:
            # Without a subscriber the broker throws the message away.
            self._in_flight.discard(key)
            self._backfill.discard(key)
            if not self._refusals.pausing():
                pause = self._refusals.begin()
                log.warning(
                    "batch refused: topic=%s reason=%r retry_in=%.0fs",
                    self._data_topic,
                    str(code),
                    pause,
                )
        else:
            self._acknowledged.append(key)
            self._refusals.end()
        self._news.set()

    async def _store_acknowledgements(self) -> None:
        # Until they are stored the batches count as in flight: not sent again.
        taken = self._acknowledged[:]
        if not taken:
            return
        await asyncio.to_thread(self._spool.acknowledge, taken, self._number)
        del self._acknowledged[: len(taken)]
        self._in_flight.difference_update(taken)
        self._backfill.difference_update(taken)

    # What the broker remembers

    def _on_message(self, message: MQTTMessage) -> None:
        if message.topic == self._status_topic:
            self._remember(_Memory.of(message))
        elif self._on_command is not None:
            self._on_command(bytes(message.payload))

    def _on_subscribed(self, packet: int, codes: list[ReasonCode]) -> None:
        if not any(code.is_failure for code in codes):
            return
        if packet == self._command_subscription:
            log.warning(
                "the broker does not let the agent read its commands: topic=%s reason=%r",
                self._command_topic,
                str(codes[0]),
            )
        else:
            log.warning(
                "the broker does not let the agent read its own status: topic=%s reason=%r",
                self._status_topic,
                str(codes[0]),
            )
            self._remember(_Memory(0))

    def _remember(self, memory: _Memory) -> None:
        if not self._memory.done():
            self._memory.set_result(memory)

    async def _send_forgotten(self) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_MEMORY_ANSWER):
                await asyncio.shield(self._memory)
        memory = self._memory.result() if self._memory.done() else _Memory(0)
        self._link.client.unsubscribe(self._status_topic)
        again = await asyncio.to_thread(self._spool.send_again, memory.vouched, self._number)
        if again:
            log.warning(
                "the broker may have forgotten acknowledged batches, sending them again: count=%d",
                again,
            )
            self._news.set()

    # Status

    async def _keep_status(self) -> None:
        await self._send_forgotten()
        while True:
            for _ in range(int(STATUS_PERIOD / _STATUS_CHECK)):
                await asyncio.sleep(_STATUS_CHECK)
                status = self._status(await asyncio.to_thread(self._spool.state))
                if any(status[key] != self._published_status.get(key) for key in _URGENT):
                    break
            await self._publish_status()

    async def _publish_status(self) -> None:
        status = self._status(await asyncio.to_thread(self._spool.state))
        self._link.client.publish(self._status_topic, json.dumps(status), qos=1, retain=True)
        self._published_status = status

    def _status(self, state: SpoolState) -> dict[str, object]:
        return {
            "state": "online",
            "version": _version(),
            "since": self._since,
            "connection": self._number,
            "stream": state.stream,
            "first_unsent": state.first_unsent,
            "last_seq": state.last_seq,
            "dropped": [list(each) for each in state.dropped[-_DROPPED_RANGES:]],
            "configuration": self._configuration(),
        }


def _version() -> str:
    return version("campuswatch")
