"""Projectors left on, over a real store."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from campuswatch.inventory.models import Inventory
from campuswatch.settings import StoreSettings
from campuswatch.stores import open_store
from campuswatch.stores.base import Store
from targets.check import check
from targets.left_on import left_on
from tests.simulator.districts import example

SCHOOL = "jiangwan-no1"
HALL, MUSIC = "no1-proj-b301", "no1-proj-b302"
SECOND = 10**9


def at(clock: str) -> int:
    moment = dt.datetime.fromisoformat(clock).replace(tzinfo=ZoneInfo("Asia/Shanghai"))
    return round(moment.timestamp()) * SECOND


EVENING, MORNING = at("2026-10-14T22:30"), at("2026-10-14T10:30")


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with closing(open_store(StoreSettings(), tmp_path)) as opened:
        yield opened


def say(store: Store, device: str, power: int, time: int) -> None:
    tags = f"agent=no1-agent,device={device},school={SCHOOL}"
    assert not store.write(f"projector,{tags} power={power}i {time}\n".encode())


def found(store: Store, now: int) -> list[str]:
    inventory: Inventory = example()
    by_school = left_on(inventory, store, now, inventory.schools)
    return [device.id for device in by_school.get(SCHOOL, [])]


@pytest.mark.parametrize(("power", "lit"), [(0, False), (1, True), (2, False), (3, True)])
def test_on_in_the_evening(store: Store, power: int, lit: bool) -> None:
    say(store, HALL, power, EVENING - 60 * SECOND)
    assert found(store, EVENING) == ([HALL] if lit else [])


def test_on_in_the_service_hours_is_as_it_should_be(store: Store) -> None:
    say(store, HALL, 1, MORNING - 60 * SECOND)
    assert found(store, MORNING) == []


def test_the_last_word_counts_unless_it_is_old(store: Store) -> None:
    say(store, HALL, 1, EVENING - 120 * SECOND)
    say(store, HALL, 0, EVENING - 60 * SECOND)
    say(store, MUSIC, 1, EVENING - 3600 * SECOND)
    assert found(store, EVENING) == []


def test_the_check_names_them(store: Store) -> None:
    say(store, HALL, 1, EVENING - 60 * SECOND)
    (evening,) = check(example(), store, EVENING, [SCHOOL])
    assert [device.id for device in evening.left_on] == [HALL]
    (morning,) = check(example(), store, MORNING, [SCHOOL])
    assert morning.left_on == ()
