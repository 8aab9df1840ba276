"""Getting notifications from the journal to their receivers, and trying again."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping, Sequence
from itertools import groupby
from operator import attrgetter
from typing import Final, Protocol

from alerts.journal import Journal, Outgoing
from alerts.models import Delivery, nanoseconds
from alerts.notify import DeliveryError

log = logging.getLogger(__name__)


class Sender(Protocol):
    """What takes a notification, such as `alerts.notify.Notifier`."""

    def send(self, outgoing: Outgoing) -> None:
        """Return once the receiver has it.

        Raises:
            DeliveryError: the receiver did not take it.
        """
        ...


class Courier:
    """Delivers what is due; a receiver that is slow or dead delays no other."""

    def __init__(
        self,
        journal: Journal,
        senders: Mapping[str, Sender],
        delivery: Delivery,
        clock: Callable[[], int],
    ) -> None:
        """Prepare.

        Args:
            journal: where notifications wait.
            senders: by receiver id.
            delivery: how to try again.
            clock: tells the present, nanoseconds since 1970-01-01 UTC.
        """
        self._journal: Final = journal
        self._senders: Final = senders
        self._first_retry: Final = nanoseconds(delivery.first_retry)
        self._longest_retry: Final = nanoseconds(delivery.longest_retry)
        self._give_up_after: Final = nanoseconds(delivery.give_up_after)
        self._clock: Final = clock

    async def deliver(self) -> None:
        """Try everything that is due once."""
        due = await asyncio.to_thread(self._journal.due, self._clock())
        by_receiver = attrgetter("receiver")
        queues = [
            list(queue) for _, queue in groupby(sorted(due, key=by_receiver), key=by_receiver)
        ]
        await asyncio.gather(*(asyncio.to_thread(self._work_off, queue) for queue in queues))

    def _work_off(self, queue: Sequence[Outgoing]) -> None:
        for outgoing in queue:
            sender = self._senders.get(outgoing.receiver)
            if sender is None:
                self._give_up(outgoing, "the receiver is no longer configured")
            else:
                self._try(outgoing, sender)

    def _try(self, outgoing: Outgoing, sender: Sender) -> None:
        self._journal.started(outgoing.id)
        try:
            sender.send(outgoing)
        except DeliveryError as error:
            self._put_off(outgoing, str(error))
        else:
            self._journal.delivered(outgoing.id, self._clock())
            log.info("notification %s delivered to %s", outgoing.reference, outgoing.receiver)

    def _put_off(self, outgoing: Outgoing, reason: str) -> None:
        now = self._clock()
        if now - outgoing.created >= self._give_up_after:
            self._give_up(outgoing, reason)
            return
        # The cap keeps 2 ** attempts small; it is long past the longest wait.
        wait = min(self._first_retry * 2 ** min(outgoing.attempts, 32), self._longest_retry)
        self._journal.failed(outgoing.id, reason, now + wait)
        log.warning(
            "notification %s not taken by %s, next try in %d s: %s",
            outgoing.reference,
            outgoing.receiver,
            wait // 10**9,
            reason,
        )

    def _give_up(self, outgoing: Outgoing, reason: str) -> None:
        self._journal.given_up(outgoing.id, reason)
        log.error(
            "notification %s is undeliverable to %s after %d tries: %s",
            outgoing.reference,
            outgoing.receiver,
            outgoing.attempts + 1,
            reason,
        )
