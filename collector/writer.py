"""Writes deliveries to the store, and acknowledges them once they are safe there."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from campuswatch.readings import now_ns
from campuswatch.stores.base import RejectedLine
from collector.gathering import Delivery, Gathering
from collector.ledger import ledger_lines
from collector.patience import PatientStore, StoppedError
from collector.quarantine import Quarantine, Refusal
from collector.subscriber import Receipt

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Tally:
    """What a writer has done.

    Attributes:
        messages: acknowledged.
        lines: stored.
        quarantined: refused, lines and whole messages.
    """

    messages: int = 0
    lines: int = 0
    quarantined: int = 0


class Writer:
    """Takes from the gathering until that is closed; `run` it in several threads at will.

    The order is what keeps readings from being lost: first the store, then the
    quarantine, then the acknowledgement.
    """

    def __init__(
        self,
        name: str,
        store: PatientStore,
        gathering: Gathering,
        quarantine: Quarantine,
        acknowledge: Callable[[Sequence[Receipt]], None],
    ) -> None:
        """Prepare to write.

        Args:
            name: the collector's id, for the ledger.
            store: where readings go.
            gathering: where deliveries come from.
            quarantine: where refused lines go.
            acknowledge: tells the broker that messages are safe.
        """
        self._name = name
        self._store = store
        self._gathering = gathering
        self._quarantine = quarantine
        self._acknowledge = acknowledge
        self._tally = Tally()
        self._tally_lock = threading.Lock()

    def run(self) -> None:
        """Write until the gathering is closed, or the store was down when we stop."""
        while deliveries := self._gathering.take():
            try:
                self._write(deliveries)
            except StoppedError:
                return

    def tally(self) -> Tally:
        """Return what was done since the last call."""
        with self._tally_lock:
            tally, self._tally = self._tally, Tally()
            return tally

    def _write(self, deliveries: Sequence[Delivery]) -> None:
        time = now_ns()
        lines = b"".join([delivery.lines for delivery in deliveries])
        if rejected := self._store.write(lines + ledger_lines(deliveries, self._name, time)):
            touched = _attribute(rejected, deliveries, time)
            self._store.write(ledger_lines(touched, self._name, time))
        self._quarantine.keep([refusal for each in deliveries for refusal in each.refusals])
        self._acknowledge(self._gathering.settle(deliveries))
        self._count(deliveries)

    def _count(self, deliveries: Sequence[Delivery]) -> None:
        with self._tally_lock:
            self._tally = Tally(
                self._tally.messages + len(deliveries),
                self._tally.lines + sum(each.count for each in deliveries),
                self._tally.quarantined + sum(len(each.refusals) for each in deliveries),
            )


def _attribute(
    rejected: Sequence[RejectedLine], deliveries: Sequence[Delivery], time: int
) -> list[Delivery]:
    """Move the store's rejected lines to their deliveries' refusals; return those deliveries."""
    owners = {
        line: delivery for delivery in deliveries for line in delivery.lines.split(b"\n") if line
    }
    touched: dict[int, Delivery] = {}
    for refused in rejected:
        # A line with a line break in a string is not among the split ones.
        owner = owners.get(refused.line) or next(
            (delivery for delivery in deliveries if refused.line in delivery.lines), None
        )
        if owner is None:
            log.error("the store rejects a line that no message held: %r", refused)
            continue
        owner.refusals.append(Refusal(owner.topic, time, refused.reason, refused.line))
        owner.count -= 1
        touched[id(owner)] = owner
    return list(touched.values())
