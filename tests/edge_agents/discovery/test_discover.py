"""200 simulated devices, found by the command as a user runs it."""

from __future__ import annotations

import datetime as dt
import json
import socket
import subprocess
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from campuswatch.inventory.loader import SCHOOLS_DIRECTORY, load_inventory
from campuswatch.inventory.models import CommunityCredential, Device, Inventory
from campuswatch.settings import Settings
from simulator.district import write_district
from simulator.simulation import Simulation
from tests.programs import COMMAND
from tests.servers import free_port
from tests.simulator.campus import SCHOOL, campus, running_campus

RANGE = "127.10.0.0/24"
PORT = free_port(socket.SOCK_DGRAM)
# All 200 are one process in Python: as fast as it answers, and patient.
MANNERS = ("--rate=500", "--timeout=5", "--retries=2")
SWITCHES, ACCESS_POINTS = 10, 188
WRONG = CommunityCredential(version="2c", community="file:/dev/null")


@pytest.fixture(scope="module")
def secret(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("secrets") / "community"
    path.write_text("a community of the tests")
    return path


@pytest.fixture(scope="module")
def simulated(secret: Path) -> Iterator[Inventory]:
    inventory = campus(SWITCHES, ACCESS_POINTS, PORT, f"file:{secret}")
    with running_campus(inventory):
        yield inventory


@pytest.fixture
def config(simulated: Inventory, secret: Path, tmp_path: Path) -> Path:
    """Return a district that declares no device, and whose first credential is wrong."""
    return declaring([], simulated, tmp_path / "config")


def declaring(devices: list[Device], simulated: Inventory, directory: Path) -> Path:
    (school,) = simulated.schools
    credentials = {"old": WRONG, **simulated.district.credentials}
    inventory = simulated.model_copy(
        update={
            "district": simulated.district.model_copy(update={"credentials": credentials}),
            "schools": [school.model_copy(update={"devices": devices, "internet": None})],
        }
    )
    simulation = Simulation(publish_interval=dt.timedelta(seconds=9), broker="mqtt://127.0.0.1:1")
    write_district(directory, inventory, Settings(data_dir=directory / "data"), simulation)
    return directory


def discover(config: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [COMMAND, "discover", "--config", str(config), f"--port={PORT}", *MANNERS, *arguments],
        capture_output=True,
        text=True,
        check=False,
        timeout=280,
    )


def found(config: Path, *arguments: str) -> tuple[int, dict[str, Any]]:
    answer = discover(config, "--json", *arguments)
    assert answer.stdout, answer.stderr
    return answer.returncode, json.loads(answer.stdout)


@pytest.mark.timeout(300)
def test_200_devices_are_found_recognised_and_written(
    config: Path, simulated: Inventory, tmp_path: Path
) -> None:
    out = tmp_path / "found.yaml"
    code, report = found(config, RANGE, "--credentials=lan", f"--out={out}")
    assert code == 0
    assert report["faults"] == report["unknown_neighbours"] == []
    assert Counter(device["kind"] for device in report["new"]) == {
        "router": 1,
        "switch": SWITCHES + 1,
        "ap": ACCESS_POINTS,
    }
    assert {device["vendor"] for device in report["new"]} == {"Huawei"}

    school_file = config / SCHOOLS_DIRECTORY / f"{SCHOOL}.yaml"
    before = school_file.read_text("utf-8")
    assert "ap-1" not in before
    school_file.write_text(out.read_text("utf-8"), "utf-8")
    (school,) = load_inventory(config).schools
    (real,) = simulated.schools
    assert len(school.devices) == 200
    facts = ("id", "kind", "address", "port", "snmp", "uplink")
    assert {tuple(getattr(device, fact) for fact in facts) for device in school.devices} == {
        tuple(getattr(device, fact) for fact in facts) for device in real.devices
    }

    code, report = found(config, "127.10.0.0/28", "--credentials=lan", "--follow=0")
    assert code == 0
    assert report["new"] == report["changed"] == []
    assert len(report["unchanged"]) == 14
    assert report["notes"] == {}


def test_credentials_are_tried_in_order(config: Path) -> None:
    _, report = found(config, "127.10.0.1/32", "--follow=0", "--timeout=0.3", "--retries=0")
    (device,) = report["new"]
    assert (device["id"], device["kind"]) == ("router", "router")
    _, report = found(config, "127.10.0.1/32", "--credentials=old", "--timeout=0.3")
    assert report["new"] == []
    assert report["answer_icmp_only"] == ["127.10.0.1"]


def test_neighbours_are_followed_as_far_as_asked_and_never_where_excluded(config: Path) -> None:
    def names(*options: str) -> set[str]:
        _, report = found(config, "127.10.0.1/32", "--credentials=lan", *options)
        return {device["id"] for device in report["new"]}

    switches = {f"sw-{number}" for number in range(1, SWITCHES + 1)}
    assert names("--follow=1") == {"router", "core"}
    # sw-1 is at 127.10.0.3.
    without = names("--follow=2", "--exclude=127.10.0.3/32")
    assert without == {"router", "core", *switches} - {"sw-1"}


def test_what_is_declared_is_matched_kept_and_completed(
    simulated: Inventory, tmp_path: Path
) -> None:
    by_id = {device.id: device for device in simulated.schools[0].devices}
    declared = [
        by_id["router"],
        # Declared by hand, under another name and with less than is known.
        by_id["core"].model_copy(update={"id": "kern", "name": "Core / 核心", "uplink": None}),
        # Plugged elsewhere than declared.
        by_id["sw-1"].model_copy(update={"uplink": "router"}),
        # Known by its name though its address changed.
        by_id["sw-2"].model_copy(update={"address": "127.10.0.250", "uplink": "kern"}),
        # Not there any more.
        by_id["sw-3"].model_copy(
            update={"id": "gone", "name": "Gone", "address": "127.10.0.240", "uplink": "kern"}
        ),
    ]
    config = declaring(declared, simulated, tmp_path / "config")
    school_file = config / SCHOOLS_DIRECTORY / f"{SCHOOL}.yaml"
    school_file.write_text(
        school_file.read_text("utf-8").replace("- id: kern", "- id: kern # the oldest switch"),
        "utf-8",
    )
    out = tmp_path / "found.yaml"
    _, report = found(config, "127.10.0.0/29", "--credentials=lan", "--follow=0", f"--out={out}")
    assert [device["id"] for device in report["new"]] == ["sw-3", "sw-4"]
    changes = {device["id"]: device["changes"] for device in report["changed"]}
    assert changes["kern"]["uplink"] == "router"
    assert "name" not in changes["kern"]
    assert changes["sw-2"]["address"] == "127.10.0.4"
    assert "uplink" not in changes["sw-1"]
    assert report["notes"]["sw-1"] == "declared behind router, seen at kern GigabitEthernet0/0/1"
    assert "# the oldest switch" in out.read_text("utf-8")


def test_a_declared_device_that_is_silent_is_missing(simulated: Inventory, tmp_path: Path) -> None:
    gone = (
        simulated.schools[0]
        .devices[0]
        .model_copy(update={"id": "gone", "name": "Gone", "address": "203.0.113.7", "ping": True})
    )
    config = declaring([gone], simulated, tmp_path / "config")
    options = ("--credentials=lan", "--timeout=0.1", "--retries=0")
    code, report = found(config, "203.0.113.7/32", *options)
    assert (code, report["missing"], report["new"]) == (1, ["gone"], [])
    answer = discover(config, "203.0.113.7/32", *options)
    assert "missing" in answer.stdout
    assert "1 addresses asked" in answer.stdout


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["10.0.0.0/8"], "10.0.0.0/8 has 16777216 addresses; expected at most 4096"),
        (["10.0.0.1/24"], "CIDR: 10.0.0.1/24 has host bits set; expected a network such as"),
        ([RANGE, "--exclude=printer"], "--exclude: 'printer' does not appear to be"),
        ([RANGE, "--credentials=lam"], "--credentials: credential 'lam' is not in district.yaml"),
        ([RANGE, "--school=hill"], "--school: school 'hill' is not in schools/"),
    ],
)
def test_bad_input_says_what_was_expected(config: Path, arguments: list[str], message: str) -> None:
    answer = discover(config, *arguments)
    assert answer.returncode == 2
    assert message in answer.stderr
    assert "Traceback" not in answer.stderr
