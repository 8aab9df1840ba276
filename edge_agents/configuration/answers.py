"""Which devices answer: what tells a good configuration from a bad one."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import Final

from campuswatch.readings import Reading
from edge_agents.sources.base import Emit

LOST_SHARE: Final = 0.25
"""Share of the devices that answered before and may be silent under a new
configuration; with more it is given back."""


class Answers:
    """Listens to the `availability` of devices.

    Attributes:
        up: devices whose latest reading says that they answer.
        seen: devices that have answered at all.
        news: set at each reading of a device that answers.
    """

    def __init__(self) -> None:
        self.up: set[str] = set()
        self.seen: set[str] = set()
        self.news = asyncio.Event()

    def listening(self, emit: Emit) -> Emit:
        """Return `emit`, listened to."""

        def heard(readings: Iterable[Reading]) -> asyncio.Future[None]:
            gathered = list(readings)
            for reading in gathered:
                if reading.measurement == "availability":
                    self._note(reading)
            return emit(gathered)

        return heard

    def _note(self, reading: Reading) -> None:
        device = reading.tags["device"]
        if reading.fields.get("up"):
            self.up.add(device)
            self.seen.add(device)
            self.news.set()
        else:
            self.up.discard(device)


def fault(before: set[str], asked: set[str], seen: set[str]) -> str | None:
    """Return why a configuration is to be given back; None if it is not.

    Devices that it does not ask are no fault of it, unless nothing at all
    answers where something did.

    Args:
        before: devices that answered under the configuration before.
        asked: devices that are asked under the new one.
        seen: devices that have answered under it.
    """
    if before and not seen:
        return f"no device answers; {len(before)} did before"
    kept = before & asked
    lost = sorted(kept - seen)
    if len(lost) > LOST_SHARE * len(kept):
        named = ", ".join(lost[:5]) + (", …" if len(lost) > 5 else "")
        return f"{len(lost)} of {len(kept)} devices that answered before are silent: {named}"
    return None
