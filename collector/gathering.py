"""Deliveries on their way to the store, gathered into writes by size and time."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from time import monotonic

from campuswatch.wire import AgentAddress, Batch
from collector.quarantine import Refusal
from collector.subscriber import Receipt

Key = tuple[str | bytes | int, ...]


@dataclass(slots=True, eq=False)
class Delivery:
    """One message, read and stamped.

    Attributes:
        key: tells whether another message is this one, sent again.
        topic: where it arrived.
        address: who sent it; None if that is nobody we know.
        batch: what the ledger must know of it, without its lines; None if it
            could not be read.
        lines: what is to be stored, stamped, each line ended by a newline.
        count: how many lines that is.
        refusals: what is not to be stored.
        time: when it arrived, nanoseconds UTC; unique in this collector.
        receipts: what acknowledges it, one for each time it was sent.
    """

    key: Key
    topic: str
    address: AgentAddress | None
    batch: Batch | None
    lines: bytes
    count: int
    refusals: list[Refusal]
    time: int
    receipts: list[Receipt]
    arrived: float = field(default_factory=monotonic)


class Gathering:
    """A queue that hands out many deliveries at a time; safe from several threads.

    What was handed out stays known until it is settled. A message that the
    broker sends again meanwhile (as it does with every unacknowledged one
    after a reconnection) joins the delivery that is there, so that neither
    the store nor our memory sees it twice. Deliveries are never given up when
    the connection is lost: a broker that was killed may have forgotten them.
    """

    def __init__(self, lines: int, delay: float, deliveries: int) -> None:
        """Make an empty queue.

        Args:
            lines: as many make a full write.
            delay: longest wait for more, seconds.
            deliveries: as many are all that the broker sends without an
                acknowledgement, so that waiting for more is in vain.
        """
        self._full = lines
        self._delay = delay
        self._most = deliveries
        self._waiting: deque[Delivery] = deque()
        self._waiting_lines = 0
        self._held: dict[Key, Delivery] = {}
        self._closed = False
        self._last = monotonic()
        self._change = threading.Condition()

    def join(self, key: Key, receipt: Receipt) -> bool:
        """Let a message that is already here be acknowledged by this receipt too.

        Returns:
            Whether it was here.
        """
        with self._change:
            held = self._held.get(key)
            if held is None:
                return False
            current = [known for known in held.receipts if known.connection == receipt.connection]
            held.receipts = [*current, receipt]
            return True

    def put(self, delivery: Delivery) -> None:
        """Add a delivery whose key is not here."""
        with self._change:
            self._held[delivery.key] = delivery
            self._waiting.append(delivery)
            self._waiting_lines += delivery.count
            self._change.notify()

    def take(self) -> list[Delivery]:
        """Wait for a write's worth of deliveries, and return them; none once closed."""
        with self._change:
            while not self._closed:
                wait = self._remaining_wait()
                if wait is not None and wait <= 0:
                    return self._take_some()
                self._change.wait(wait)
            return []

    def settle(self, deliveries: Sequence[Delivery]) -> list[Receipt]:
        """Forget deliveries that are safe, and return all their receipts."""
        with self._change:
            for delivery in deliveries:
                del self._held[delivery.key]
            self._last = monotonic()
            return [receipt for delivery in deliveries for receipt in delivery.receipts]

    def idle_for(self) -> float:
        """Return for how many seconds nothing has come and nothing was here; 0 if something is."""
        with self._change:
            return 0.0 if self._held else monotonic() - self._last

    def close(self) -> None:
        """Let every `take` return; what still waits is left to be sent again."""
        with self._change:
            self._closed = True
            self._change.notify_all()

    def _remaining_wait(self) -> float | None:
        if not self._waiting:
            return None
        if self._waiting_lines >= self._full or len(self._held) >= self._most:
            return 0
        return self._waiting[0].arrived + self._delay - monotonic()

    def _take_some(self) -> list[Delivery]:
        taken: list[Delivery] = []
        lines = 0
        while self._waiting and (not taken or lines + self._waiting[0].count <= self._full):
            taken.append(self._waiting.popleft())
            lines += taken[-1].count
        self._waiting_lines -= lines
        return taken
