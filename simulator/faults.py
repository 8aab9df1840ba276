"""The fault script: which troubles befall the simulated district, and when."""

from __future__ import annotations

import asyncio
import datetime as dt
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from pydantic import Field

from campuswatch.inventory.documents import read_document
from campuswatch.inventory.models import DeviceKind, Duration, Inventory, Model, Slug
from campuswatch.inventory.phrasing import validate_document
from campuswatch.inventory.problems import InventoryError
from simulator.world import Trouble, World


class Fault(Model):
    """One trouble, once in each round of the script."""

    trouble: Trouble
    target: Slug = Field(description="A device; for wan-cut, a school.")
    at: Duration = Field(description="When it begins, from the start of the round.")
    lasts: Duration = Field(description="How long it lasts.")


class FaultScript(Model):
    """The content of a fault script; it is played round after round."""

    round: Duration = Field(description="Length of a round; the script then begins anew.")
    faults: list[Fault]


@dataclass(frozen=True)
class Event:
    """A fault that begins or ends."""

    fault: Fault
    begins: bool


def load_script(path: Path, inventory: Inventory) -> FaultScript:
    """Read a fault script and check it against the district.

    Raises:
        InventoryError: with every problem of the file.
    """
    document = read_document(path)
    script = validate_document(document, FaultScript)
    problems = [
        document.problem(["faults", number, *place], text)
        for number, fault in enumerate(script.faults)
        for place, text in _problems(fault, script.round, inventory)
    ]
    if problems:
        raise InventoryError(problems)
    return script


def _problems(
    fault: Fault, whole: dt.timedelta, inventory: Inventory
) -> Iterator[tuple[list[str], str]]:
    schools = {school.id for school in inventory.schools}
    devices = {device.id: device for school in inventory.schools for device in school.devices}
    if fault.trouble is Trouble.WAN_CUT:
        if fault.target not in schools:
            yield ["target"], f"no school {fault.target!r}; expected the id of one"
    elif fault.target not in devices:
        yield ["target"], f"no device {fault.target!r}; expected the id of one"
    elif fault.trouble is Trouble.WEAK_SIGNAL and devices[fault.target].kind is not DeviceKind.AP:
        yield ["target"], f"{fault.target!r} is no access point; expected one for weak-signal"
    if fault.at + fault.lasts > whole:
        yield ["lasts"], "the fault outlasts its round; expected at + lasts within it"


async def play(script: FaultScript, world: World, tell: Callable[[Event], None]) -> None:
    """Play a script until cancelled, and tell of each event as it happens."""
    events = sorted(_events(script), key=lambda event: event[0])
    loop = asyncio.get_running_loop()
    start = loop.time()
    while True:
        for at, event in events:
            await asyncio.sleep(start + at - loop.time())
            change = world.begin if event.begins else world.end
            change(event.fault.trouble, event.fault.target, time.time())
            tell(event)
        start += script.round.total_seconds()


def _events(script: FaultScript) -> Iterator[tuple[float, Event]]:
    for fault in script.faults:
        begin = fault.at.total_seconds()
        yield begin, Event(fault, begins=True)
        yield begin + fault.lasts.total_seconds(), Event(fault, begins=False)
