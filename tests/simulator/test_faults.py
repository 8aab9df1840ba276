"""The fault script: what it may say, and what it does."""

import asyncio
from pathlib import Path

import pytest

from campuswatch.inventory.problems import InventoryError
from simulator.faults import Event, load_script, play
from simulator.places import demo_script
from simulator.world import Trouble, World
from tests.simulator.districts import example, only

INVENTORY = example()
SWAP = "{{ trouble: swap-cables, target: {}, other: {}, at: 1s, lasts: 5s }}"


def script(directory: Path, fault: str, whole: str = "1m") -> Path:
    path = directory / "faults.yaml"
    path.write_text(f"round: {whole}\nfaults:\n  - {fault}\n")
    return path


def test_faults_of_what_is_not_simulated_are_left_out() -> None:
    whole = load_script(demo_script(), INVENTORY)
    village = whole.among(only(INVENTORY, "yunshan-village")).faults
    assert {fault.target for fault in village} == {"ys-104-dust", "ys-ap-102", "yunshan-village"}
    assert whole.among(INVENTORY) == whole


def test_the_demo_script_fits_the_example_district() -> None:
    assert len(load_script(demo_script(), INVENTORY).faults) >= 5


@pytest.mark.parametrize(
    ("fault", "message"),
    [
        ("{ trouble: down, target: no1-sw-a9, at: 1s, lasts: 5s }", "no device 'no1-sw-a9'"),
        ("{ trouble: wan-cut, target: no1-core, at: 1s, lasts: 5s }", "no school 'no1-core'"),
        ("{ trouble: weak-signal, target: no1-core, at: 1s, lasts: 5s }", "no access point"),
        ("{ trouble: unplugged, target: no1-core, at: 1s, lasts: 5s }", "on no serial line"),
        ("{ trouble: down, target: no1-core, at: 1s, lasts: 5m }", "outlasts its round"),
        ("{ trouble: broken, target: no1-core, at: 1s, lasts: 5s }", 'expected "down"'),
        ("{ trouble: down, target: no1-core, at: soon, lasts: 5s }", "expected a duration"),
        (SWAP.format("no1-ap-a101", "sq-ap-103"), "expected another device of that school"),
        (SWAP.format("no1-sw-a1", "no1-core"), "expected two devices that can change places"),
        (SWAP.format("no1-ap-a101", "no1-sw-a1"), "expected two devices that can change places"),
        (SWAP.format("no1-ap-a101", "no1-router"), "expected two devices that can change places"),
        ("{ trouble: down, target: no1-core, other: no1-ups-a, at: 1s, lasts: 5s }", "none here"),
    ],
)
def test_a_wrong_script_says_where_and_what(tmp_path: Path, fault: str, message: str) -> None:
    path = script(tmp_path, fault)
    with pytest.raises(InventoryError, match=message) as raised:
        load_script(path, INVENTORY)
    assert f"{path}:3: " in str(raised.value)


async def test_plays_round_after_round(tmp_path: Path) -> None:
    fault = "{ trouble: down, target: no1-core, at: 10ms, lasts: 20ms }"
    found = load_script(script(tmp_path, fault, whole="50ms"), INVENTORY)
    world = World(INVENTORY, seed=1, started=0.0)
    seen: asyncio.Queue[tuple[bool, bool]] = asyncio.Queue()

    def tell(event: Event) -> None:
        seen.put_nowait((event.begins, world.has(Trouble.DOWN, "no1-core")))

    playing = asyncio.create_task(play(found, world, tell))
    told = [await seen.get() for _ in range(4)]
    playing.cancel()
    assert told == [(True, True), (False, False)] * 2


async def test_swapped_cables_are_put_right_in_the_end(tmp_path: Path) -> None:
    fault = "{ trouble: swap-cables, target: no1-ap-a101, other: no1-ap-b201, at: 1ms, lasts: 9ms }"
    found = load_script(script(tmp_path, fault, whole="1h"), INVENTORY)
    world = World(INVENTORY, seed=1, started=0.0)
    seen: asyncio.Queue[str] = asyncio.Queue()

    def tell(event: Event) -> None:
        seen.put_nowait(world.socket("no1-ap-a101").id)

    playing = asyncio.create_task(play(found, world, tell))
    told = [await seen.get() for _ in range(2)]
    playing.cancel()
    assert told == ["no1-ap-b201", "no1-ap-a101"]
