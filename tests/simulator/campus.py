"""A simulated school of any size, each of its devices at an address of its own."""

from __future__ import annotations

import asyncio
import contextlib
import threading
import time
from collections.abc import Iterator

from campuswatch.inventory.models import (
    CommunityCredential,
    Device,
    DeviceKind,
    Internet,
    Inventory,
)
from simulator.estate import Estate
from simulator.world import World
from tests.simulator.districts import example, only

SCHOOL = "yunshan-village"


def campus(switches: int, access_points: int, port: int, community: str) -> Inventory:
    """Return a district with one school: a router, a core, switches, and APs behind these in turn.

    The devices stand at 127.10.0.1 and the addresses after it, all on one port.

    Args:
        switches: how many, besides the core.
        access_points: how many.
        port: UDP port of every agent.
        community: a reference to the secret.
    """
    router = _device("router", DeviceKind.ROUTER, None)
    core = _device("core", DeviceKind.SWITCH, router.id)
    floors = [_device(f"sw-{n}", DeviceKind.SWITCH, core.id) for n in range(1, switches + 1)]
    aps = [
        _device(f"ap-{n}", DeviceKind.AP, floors[(n - 1) % switches].id)
        for n in range(1, access_points + 1)
    ]
    devices = [
        device.model_copy(update={"address": f"127.10.{n >> 8}.{n & 255}", "port": port})
        for n, device in enumerate([router, core, *floors, *aps], start=1)
    ]
    district = only(example(), SCHOOL)
    credential = CommunityCredential(version="2c", community=community)
    school = district.schools[0].model_copy(
        update={"devices": devices, "internet": Internet(device="router", down=100, up=100)}
    )
    return district.model_copy(
        update={
            "district": district.district.model_copy(update={"credentials": {"lan": credential}}),
            "schools": [school],
        }
    )


def _device(device_id: str, kind: DeviceKind, uplink: str | None) -> Device:
    return Device(
        id=device_id,
        name=device_id,
        kind=kind,
        address="127.10.0.1",
        snmp="lan",
        uplink=uplink,
        ping=False,
    )


class Campus:
    """The devices of a district, played in a thread."""

    def __init__(self, inventory: Inventory) -> None:
        self.world = World(inventory, seed=1, started=time.time())
        self._loop = asyncio.new_event_loop()
        self._estate = Estate(self.world)
        self._thread = threading.Thread(target=self._loop.run_forever)

    def start(self) -> None:
        self._thread.start()
        asyncio.run_coroutine_threadsafe(self._estate.start(), self._loop).result(30)

    def swap_cables(self, one: str, other: str) -> None:
        """Plug the uplinks of two devices into each other's port."""

        async def swap() -> None:
            self.world.swap_cables(one, other, time.time())
            self._estate.notice_cables()

        asyncio.run_coroutine_threadsafe(swap(), self._loop).result(30)

    def stop(self) -> None:
        async def close() -> None:
            self._estate.close()

        asyncio.run_coroutine_threadsafe(close(), self._loop).result(30)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()


@contextlib.contextmanager
def running_campus(inventory: Inventory) -> Iterator[Campus]:
    """Play a district's devices until the block ends."""
    playing = Campus(inventory)
    playing.start()
    try:
        yield playing
    finally:
        playing.stop()
