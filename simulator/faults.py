"""The fault script: which troubles befall the simulated district, and when."""

from __future__ import annotations

import asyncio
import datetime as dt
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from pydantic import Field

from campuswatch.inventory.documents import read_document
from campuswatch.inventory.models import DeviceKind, Duration, Inventory, Model, School, Slug
from campuswatch.inventory.phrasing import validate_document
from campuswatch.inventory.problems import InventoryError
from simulator.world import Trouble, World


class Fault(Model):
    """One trouble, once in each round of the script."""

    trouble: Trouble
    target: Slug = Field(description="A device; for wan-cut, a school.")
    other: Slug | None = Field(
        default=None, description="For swap-cables: the device that it changes places with."
    )
    at: Duration = Field(description="When it begins, from the start of the round.")
    lasts: Duration = Field(description="How long it lasts.")


class FaultScript(Model):
    """The content of a fault script; it is played round after round."""

    round: Duration = Field(description="Length of a round; the script then begins anew.")
    faults: list[Fault]

    def among(self, inventory: Inventory) -> Self:
        """Return the script without the faults of what is not in a district."""
        known = {school.id for school in inventory.schools}
        known |= {device.id for school in inventory.schools for device in school.devices}
        faults = [fault for fault in self.faults if fault.target in known]
        return self.model_copy(update={"faults": faults})


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
    elif fault.trouble is Trouble.UNPLUGGED and devices[fault.target].serial is None:
        yield ["target"], f"{fault.target!r} is on no serial line; expected one that is"
    if fault.trouble is Trouble.SWAP_CABLES:
        yield from _swap_problems(fault, inventory)
    elif fault.other is not None:
        yield ["other"], "other is for swap-cables; expected none here"
    if fault.at + fault.lasts > whole:
        yield ["lasts"], "the fault outlasts its round; expected at + lasts within it"


def _swap_problems(fault: Fault, inventory: Inventory) -> Iterator[tuple[list[str], str]]:
    school = next((school for school in inventory.schools if fault.target in _ids(school)), None)
    if school is None:
        return  # told of the target already
    if fault.other not in _ids(school):
        text = f"no device {fault.other!r} in {school.id}; expected another device of that school"
        yield ["other"], text
        return
    uplinks = {device.id: device.uplink for device in school.devices}
    ways = [list(_way(fault.target, uplinks)), list(_way(fault.other, uplinks))]
    if fault.target in ways[1] or fault.other in ways[0] or min(map(len, ways)) < 2:
        text = "one of the two is the other's way to the internet, or has no uplink"
        yield ["other"], f"{text}; expected two devices that can change places"


def _way(device_id: str, uplinks: Mapping[str, str | None]) -> Iterator[str]:
    following: str | None = device_id
    while following is not None:
        yield following
        following = uplinks.get(following)


def _ids(school: School) -> set[str]:
    return {device.id for device in school.devices}


async def play(script: FaultScript, world: World, tell: Callable[[Event], None]) -> None:
    """Play a script until cancelled, and tell of each event as it happens."""
    events = sorted(_events(script), key=lambda event: event[0])
    loop = asyncio.get_running_loop()
    start = loop.time()
    while True:
        for at, event in events:
            await asyncio.sleep(start + at - loop.time())
            _happen(event, world)
            tell(event)
        start += script.round.total_seconds()


def _happen(event: Event, world: World) -> None:
    fault, now = event.fault, time.time()
    if fault.trouble is Trouble.SWAP_CABLES and fault.other is not None:
        world.swap_cables(fault.target, fault.other, now)  # the second time puts it right
        return
    change = world.begin if event.begins else world.end
    change(fault.trouble, fault.target, now)


def _events(script: FaultScript) -> Iterator[tuple[float, Event]]:
    for fault in script.faults:
        begin = fault.at.total_seconds()
        yield begin, Event(fault, begins=True)
        yield begin + fault.lasts.total_seconds(), Event(fault, begins=False)
