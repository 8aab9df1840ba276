"""From polls in a real store to incidents and messages in the journal."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import httpx
import pytest

from alerts.engine import Engine
from alerts.incidents import Scope
from alerts.journal import Incident, Outgoing
from alerts.models import AlertsFile
from campuswatch.inventory.models import Inventory, School
from campuswatch.settings import StoreSettings
from campuswatch.stores import open_store
from campuswatch.stores.base import Store
from tests.alerts.district import MINUTE, SECOND, START, heping, inventory, journal, poll, qiushi
from tests.servers import influxdb1, running

ALERTS = AlertsFile.model_validate(
    {
        "receivers": [
            {"id": "operations", "url": "env:OPERATIONS"},
            {"id": "rural", "url": "env:RURAL", "language": "zh", "schools": {"areas": ["rural"]}},
        ]
    }
)


class World:
    """A store, a journal and an engine, and the clock they go by."""

    def __init__(self, directory: Path, store: Store) -> None:
        self.store = store
        self.journal = journal(directory)
        self.now = START
        self.schools: Sequence[School] = [heping(), qiushi()]
        self.engine = self.restarted()

    def restarted(self, districts: Inventory | None = None) -> Engine:
        self.engine = Engine(districts or inventory(), ALERTS, self.store, self.journal)
        return self.engine

    def minutes(
        self, count: int, down: Sequence[str] = (), schools: Sequence[School] | None = None
    ) -> None:
        """Let minutes pass, in each of which devices are polled and the engine looks."""
        for _ in range(count):
            poll(self.store, self.schools if schools is None else schools, self.now, down)
            self.now += MINUTE
            self.engine.evaluate(self.now)

    def open(self) -> list[Incident]:
        return self.journal.open_incidents()

    def subjects(self) -> list[tuple[Scope, str]]:
        return [(each.finding.subject.scope, each.finding.subject.id) for each in self.open()]

    def sent(self) -> list[Outgoing]:
        """Return what is to be sent, and note it as sent."""
        due = []
        while batch := self.journal.due(self.now):
            for outgoing in batch:
                self.journal.delivered(outgoing.id, self.now)
            due += batch
        return due


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    store = open_store(StoreSettings(url="duckdb:store.duckdb"), tmp_path)
    yield World(tmp_path, store)
    store.close()


def texts(sent: list[Outgoing]) -> list[tuple[str, str, str]]:
    return [(each.receiver, each.reference, each.message.title) for each in sent]


def test_a_healthy_district_has_no_incidents(world: World) -> None:
    world.minutes(10)
    assert world.open() == []
    assert world.sent() == []


def test_a_dead_core_switch_is_one_incident_with_all_its_impact(world: World) -> None:
    world.minutes(5)
    world.minutes(5, down=[device.id for device in heping().devices])
    (incident,) = world.open()
    finding = incident.finding
    assert (finding.subject.scope, finding.subject.id) == (Scope.DEVICE, "h-core")
    assert finding.since == START + 5 * MINUTE
    assert finding.reason == "no answer to ICMP echo"
    assert set(finding.impact.devices) == {device.id for device in heping().devices}
    assert set(finding.impact.rooms) == {"h-101", "h-102", "h-201"}
    assert finding.impact.seats == 120
    assert texts(world.sent()) == [("operations", "1/problem", "Down: H Core (Heping School)")]


def test_an_incident_ends_when_the_device_answers_again(world: World) -> None:
    world.minutes(5)
    world.minutes(5, down=["h-ap-3"])
    world.minutes(10)
    assert world.open() == []
    incident = world.journal.incident(1)
    assert incident.resolved == START + 10 * MINUTE
    problem, recovery = world.sent()
    assert problem.message.body == (
        "What: H Ap 3 (access point, 192.0.2.1) does not answer.\n"
        "Where: Heping School, Main, 1F, Room h-201\n"
        "Since: 2026-09-21 22:18:20 (CST)\n"
        "Impact: 1 device, 1 room with 40 seats: Room h-201\n"
        "Likely cause: nothing above it explains this: look at the device, its power and its "
        "cable to H Access 2.\n"
        "Observed: no answer to ICMP echo"
    )
    assert recovery.message.title == "Up again: H Ap 3 (Heping School)"
    assert recovery.message.body == (
        "What: H Ap 3 (access point, 192.0.2.1) answers again.\n"
        "Where: Heping School, Main, 1F, Room h-201\n"
        "Since: 2026-09-21 22:18:20 (CST)\n"
        "Until: 2026-09-21 22:23:20 (CST), after 5 min"
    )


def test_each_receiver_is_told_of_its_schools_in_its_language(world: World) -> None:
    world.minutes(5)
    world.minutes(5, down=["q-router", "q-ap-1"])
    world.minutes(9)
    assert texts(world.sent()) == [
        ("operations", "1/problem", "Down: Q Router (求是小学)"),
        ("rural", "1/problem", "故障：Q Router（求是小学）"),
        ("operations", "1/recovery", "Up again: Q Router (求是小学)"),
        ("rural", "1/recovery", "恢复：Q Router（求是小学）"),
    ]


def test_rooms_and_devices_belong_to_one_incident_only(world: World) -> None:
    world.minutes(5)
    world.minutes(5, down=["h-ap-1"])
    world.minutes(5, down=["h-ap-1", "h-core", "h-access-1", "h-access-2", "h-ap-2", "h-ap-3"])
    first, second = (incident.finding for incident in world.open())
    assert (first.subject.id, second.subject.id) == ("h-ap-1", "h-core")
    assert set(first.impact.rooms) == {"h-101", "h-102"}
    assert not set(first.impact.devices) & set(second.impact.devices)
    assert second.impact.rooms == ("h-201",)


def test_a_child_that_was_an_incident_before_outlasts_its_parent(world: World) -> None:
    world.minutes(5)
    world.minutes(5, down=["h-ap-1"])
    world.minutes(5, down=[device.id for device in heping().devices])
    world.minutes(10, down=["h-ap-1"])
    assert world.subjects() == [(Scope.DEVICE, "h-ap-1")]
    assert len(world.sent()) == 3


def test_a_silent_agent_is_one_incident_and_its_devices_are_none(world: World) -> None:
    world.minutes(5)
    world.minutes(5, schools=[qiushi()])
    assert world.subjects() == [(Scope.AGENT, "h-agent")]
    (incident,) = world.open()
    assert incident.finding.since == START + 4 * MINUTE
    assert len(incident.finding.impact.devices) == 6
    world.minutes(1)
    assert world.open() == []
    titles = [outgoing.message.title for outgoing in world.sent()]
    assert titles == [
        "Silent: agent h-agent (Heping School)",
        "Heard again: agent h-agent (Heping School)",
    ]


def test_devices_that_were_down_before_their_agent_fell_silent_stay_so(world: World) -> None:
    world.minutes(5)
    world.minutes(5, down=["h-ap-1"])
    world.minutes(5, schools=[qiushi()])
    assert world.subjects() == [(Scope.DEVICE, "h-ap-1"), (Scope.AGENT, "h-agent")]


def test_all_agents_silent_is_one_incident(world: World) -> None:
    world.minutes(5)
    world.minutes(5, schools=[])
    assert world.subjects() == [(Scope.PIPELINE, "demo")]
    world.minutes(2, schools=[qiushi()])
    assert world.subjects() == []
    world.minutes(3, schools=[qiushi()])
    assert world.subjects() == [(Scope.AGENT, "h-agent")]


def test_an_agent_that_was_never_heard_is_an_incident_after_its_time(world: World) -> None:
    world.minutes(2, schools=[heping()])
    assert world.open() == []
    world.minutes(3, schools=[heping()])
    (incident,) = world.open()
    assert (incident.finding.subject.id, incident.finding.since) == ("q-agent", 0)
    assert "Since: unknown" in world.sent()[0].message.body


def test_an_agent_is_believed_about_its_own_school_only(world: World) -> None:
    world.minutes(5)
    impostor = heping().model_copy(update={"id": "qiushi"})
    for _ in range(5):
        poll(world.store, [impostor], world.now + SECOND, [d.id for d in heping().devices])
        world.minutes(1)
    assert world.open() == []


def test_what_the_inventory_drops_is_closed(world: World) -> None:
    world.minutes(5)
    world.minutes(5, down=["h-ap-3"])
    kept = [device for device in heping().devices if device.id != "h-ap-3"]
    world.restarted(inventory([heping().model_copy(update={"devices": kept}), qiushi()]))
    world.minutes(1)
    assert world.open() == []
    assert "no longer in the inventory" in world.sent()[-1].message.body


def test_a_restarted_engine_neither_repeats_nor_forgets(world: World) -> None:
    world.minutes(5)
    for minute in range(6):
        world.restarted()
        world.minutes(1, down=["h-core", "h-access-1", "h-ap-1", "h-ap-2"] if minute < 5 else [])
    for _ in range(3):
        world.restarted()
        world.minutes(1)
    references = [outgoing.reference for outgoing in world.sent()]
    assert references == ["1/problem", "1/recovery"]


def test_a_store_that_is_away_opens_and_ends_nothing_but_is_said(tmp_path: Path) -> None:
    server = influxdb1(tmp_path)
    with running(server):
        httpx.post(f"http://127.0.0.1:{server.port}/query", data={"q": "CREATE DATABASE demo"})
        url = f"influxdb://127.0.0.1:{server.port}/demo"
        world = World(tmp_path, open_store(StoreSettings(url=url), tmp_path))
        world.minutes(5)
        world.minutes(5, down=["h-ap-3"])
        server.kill()
        for _ in range(5):
            world.now += MINUTE
            world.engine.evaluate(world.now)
        assert world.subjects() == [(Scope.DEVICE, "h-ap-3"), (Scope.STORE, "demo")]
        server.start()
        world.minutes(1, down=["h-ap-3"])
        assert world.subjects() == [(Scope.DEVICE, "h-ap-3")]
        told = [each.message.title for each in world.sent() if each.receiver == "operations"]
        assert told[1:] == [
            "Blind: the store of Demo District does not answer",
            "Seeing again: the store of Demo District answers",
        ]
        world.store.close()
