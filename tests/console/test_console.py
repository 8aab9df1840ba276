"""The console over a real store: pages, API, health, and what a hostile name can't do."""

import contextlib
from collections.abc import Iterator
from pathlib import Path

import pytest
from httpx import ASGITransport, AsyncClient

from campuswatch.inventory.loader import load_inventory
from campuswatch.inventory.models import Inventory
from campuswatch.lineprotocol import encode
from campuswatch.measurements import CATALOGUE
from campuswatch.readings import now_ns
from campuswatch.settings import ConsoleSettings, Settings, StoreSettings
from campuswatch.stores import open_store
from campuswatch.stores.base import Store
from campuswatch.stores.duckdb import DuckDBStore
from console import views
from console.app import create_app
from console.devices import Value
from targets.verdicts import CheckReport
from tests.servers import free_port

EXAMPLE = Path(__file__).parents[2] / "config"
SCHOOL = "jiangwan-no1"
DEAD = {"no1-sw-a2", "no1-ap-a201", "no1-ap-a203"}
ROOMS = {"no1-a201", "no1-a202", "no1-a203", "no1-a204"}
HOSTILE = "<script>alert('x')</script>\"&{{ 7*7 }}"
MINUTE = 60 * 1_000_000_000


@pytest.fixture(scope="module")
def inventory() -> Inventory:
    return load_inventory(EXAMPLE)


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory, inventory: Inventory) -> Iterator[DuckDBStore]:
    """Ten minutes of readings in which a switch and all behind it is down for five."""
    store = DuckDBStore(tmp_path_factory.mktemp("store") / "console.duckdb")
    now = now_ns()
    for school in inventory.schools:
        lines = encode(
            CATALOGUE["availability"].reading(
                {"device": device.id, "room": device.room or ""},
                {"up": int(up), "interval": 60.0, "reason": None if up else HOSTILE},
                now - ago * MINUTE,
            )
            for device in school.devices
            for ago in range(10, -1, -1)
            for up in [device.id not in DEAD or ago > 5]
        )
        write(store, lines, school.id)
    climate = CATALOGUE["environment"].reading(
        {"device": "no1-a101-climate", "room": "no1-a101"}, {"co2": 1234.0}, now - MINUTE
    )
    write(store, encode([climate]), SCHOOL)
    projector = CATALOGUE["projector"].reading(
        {"device": "ys-201-projector", "room": "ys-201"},
        {"power": 0, "lamp_hours": 1074.0, "fan_error": 0},
        now - MINUTE,
    )
    write(store, encode([projector]), "yunshan-village")
    yield store
    store.close()


def write(store: Store, lines: bytes, school: str) -> None:
    stamp = f",school={school},agent=a,".encode()
    stamped = b"".join(line.replace(b",", stamp, 1) for line in lines.splitlines(keepends=True))
    assert store.write(stamped) == []


def client(inventory: Inventory, store: Store, notice: str | None = None) -> AsyncClient:
    settings = Settings.model_construct(console=ConsoleSettings(notice=notice))
    transport = ASGITransport(create_app(inventory, settings, store))
    return AsyncClient(transport=transport, base_url="http://console")


@pytest.fixture
def web(inventory: Inventory, store: DuckDBStore) -> AsyncClient:
    return client(inventory, store)


async def test_the_district_names_the_cause_the_rooms_and_the_seats(web: AsyncClient) -> None:
    page = (await web.get("/")).text
    assert "no1-sw-a2" in page
    assert "184 seats" in page
    assert "Class 8-1 / 八年级1班" in page
    for victim in DEAD - {"no1-sw-a2"}:
        assert victim not in page  # a consequence is no problem of its own


async def test_a_school_shows_its_devices_and_because_of_what_they_are_down(
    web: AsyncClient,
) -> None:
    page = (await web.get(f"/schools/{SCHOOL}")).text
    assert page.count("because Switch A-2 / A栋2层交换机 is down") == 2
    assert "2 devices behind it are down too" in page
    assert "<b>1234 ppm</b>" in page


async def test_speaks_chinese_when_asked(web: AsyncClient) -> None:
    answer = await web.get("/", headers={"Accept-Language": "zh-CN"})
    assert answer.headers["content-language"] == "zh"
    assert '<html lang="zh">' in answer.text
    assert "当前问题" in answer.text
    assert "当前问题" in (await web.get(f"/schools/{SCHOOL}?lang=zh")).text
    assert f'href="/schools/{SCHOOL}?lang=zh"' in (await web.get("/?lang=zh")).text


async def test_names_and_reasons_can_do_no_harm(inventory: Inventory, store: DuckDBStore) -> None:
    school = inventory.school(SCHOOL)
    devices = [device.model_copy(update={"name": HOSTILE}) for device in school.devices]
    hostile = school.model_copy(update={"name": HOSTILE, "devices": devices})
    changed = inventory.model_copy(update={"schools": [hostile]})
    web = client(changed, store, notice=HOSTILE)
    for address in ("/", f"/schools/{SCHOOL}", "/schools/<script>alert(1)</script>"):
        answer = await web.get(address)
        assert "<script>alert" not in answer.text
        assert "script-src" not in answer.headers["content-security-policy"]
        assert "default-src 'self'" in answer.headers["content-security-policy"]


async def test_what_is_not_there_is_not_found(web: AsyncClient) -> None:
    for address in ("/schools/nowhere", "/nothing"):
        answer = await web.get(address)
        assert answer.status_code == 404
        assert "There is no such page." in answer.text
    for address in ("/api/v1/schools/nowhere", "/api/v1/devices/nothing", "/api/v1/nothing"):
        answer = await web.get(address)
        assert answer.status_code == 404
        assert answer.json()["detail"]


async def test_the_api_agrees_with_the_check(web: AsyncClient) -> None:
    answer = (await web.get("/api/v1/check")).json()
    assert set(answer) == set(CheckReport.model_fields)
    school = next(found for found in answer["schools"] if found["id"] == SCHOOL)
    causes = [
        cause
        for target in school["targets"]
        if target["kind"] == "wifi-coverage"
        for cause in target["causes"]
    ]
    assert [cause["device"]["id"] for cause in causes] == ["no1-sw-a2"]
    assert {room["id"] for room in causes[0]["rooms"]} == ROOMS
    listed = {found["id"]: found["verdict"] for found in (await web.get("/api/v1/schools")).json()}
    assert listed[SCHOOL] == "missed"
    one = (await web.get(f"/api/v1/schools/{SCHOOL}")).json()
    assert one["verdict"] == school
    assert {d["id"] for d in one["devices"]["devices"] if d["state"] == "down"} == DEAD


async def test_a_device_says_what_is_known_of_it(web: AsyncClient) -> None:
    victim = (await web.get("/api/v1/devices/no1-ap-a201")).json()
    assert victim["school"] == SCHOOL
    assert victim["device"]["state"] == "down"
    assert victim["device"]["cause"] == "no1-sw-a2"
    assert victim["device"]["reason"] == HOSTILE
    climate = (await web.get("/api/v1/devices/no1-a101-climate")).json()["device"]
    (co2,) = climate["values"]
    assert co2 == {
        "measurement": "environment",
        "field": "co2",
        "value": 1234.0,
        "unit": "ppm",
        "meaning": None,
    }


async def test_a_projector_says_whether_it_is_on_and_how_old_its_lamp_is(web: AsyncClient) -> None:
    projector = (await web.get("/api/v1/devices/ys-201-projector")).json()["device"]
    said = {value["field"]: (value["value"], value["meaning"]) for value in projector["values"]}
    assert said == {"power": (0, "standby"), "lamp_hours": (1074, None)}
    page = (await web.get("/schools/yunshan-village")).text
    assert "<b>standby</b>" in page
    assert "<b>1074 h</b>" in page


async def test_metrics_are_prometheus_text(web: AsyncClient) -> None:
    answer = await web.get("/metrics")
    assert answer.headers["content-type"].startswith("text/plain")
    assert f'campuswatch_school_verdict{{school="{SCHOOL}",verdict="missed"}} 1.0' in answer.text
    assert (
        f'campuswatch_wifi_seats{{school="{SCHOOL}",state="failing",target="classroom-wifi"}} 184.0'
        in answer.text
    )


async def test_a_store_that_is_away_is_said_and_not_thrown(
    inventory: Inventory, tmp_path: Path
) -> None:
    nobody = StoreSettings(url=f"influxdb://127.0.0.1:{free_port()}/campuswatch")
    with contextlib.closing(open_store(nobody, tmp_path)) as store:
        web = client(inventory, store)
        assert (await web.get("/healthz")).status_code == 200
        assert (await web.get("/readyz")).status_code == 503
        page = await web.get("/?lang=zh")
        assert page.status_code == 503
        assert "数据存储无应答" in page.text
        assert (await web.get("/api/v1/check")).status_code == 503


async def test_ready_with_a_store(web: AsyncClient) -> None:
    assert (await web.get("/readyz")).json() == {"status": "ok"}


def test_energy_is_told_as_meters_show_it() -> None:
    value = Value(measurement="power", field="energy", value=1.2816e9, unit="J")
    assert views.told(value) == "356.0 kWh"
