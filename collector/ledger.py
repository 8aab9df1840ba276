"""The collector's ledger: which batches are in the store, written with them."""

from __future__ import annotations

from collections.abc import Iterable

from campuswatch import lineprotocol
from campuswatch.measurements import CATALOGUE
from campuswatch.readings import Reading
from campuswatch.wire import Lane
from collector.gathering import Delivery

_LANES = {Lane.LIVE: 0, Lane.BACKFILL: 1}


def ledger_lines(deliveries: Iterable[Delivery], collector: str, time: int) -> bytes:
    """Return one line of `delivery` for each numbered batch.

    The same delivery gives the same point, so writing it again corrects it.
    Messages that nobody numbered have no place in a ledger of numbers.

    Args:
        deliveries: what is written to the store together.
        collector: who writes it.
        time: when, nanoseconds UTC.
    """
    return lineprotocol.encode(
        reading
        for delivery in deliveries
        if (reading := _entry(delivery, collector, time)) is not None
    )


def _entry(delivery: Delivery, collector: str, time: int) -> Reading | None:
    batch, address = delivery.batch, delivery.address
    if batch is None or address is None or not batch.stream or not batch.seq:
        return None
    reading = CATALOGUE["delivery"].reading(
        {"stream": batch.stream, "collector": collector},
        {
            "seq": batch.seq,
            "lines": delivery.count,
            "quarantined": len(delivery.refusals),
            "delay": (time - batch.created) / 1e9 if batch.created else None,
            "lane": _LANES[batch.lane],
            "created": batch.created / 1e9 if batch.created else None,
        },
        delivery.time,
    )
    stamped = {**reading.tags, "school": address.school, "agent": address.agent}
    return Reading(reading.measurement, stamped, reading.fields, reading.time)
