"""Two cables are swapped: from the devices through agent and store to the drift report."""

from __future__ import annotations

import datetime as dt
import json
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest

from campuswatch.inventory.loader import load_inventory
from campuswatch.settings import BrokerSettings, ConsoleSettings, Settings
from simulator.district import write_district
from simulator.simulation import Simulation
from tests.programs import COMMAND, Program
from tests.servers import free_port, running, wait_until
from tests.simulator.campus import SCHOOL, Campus, campus, running_campus

ROOM = "ys-102"


def topology(config: Path, *options: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [COMMAND, "topology", "--config", str(config), *options],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def report(config: Path, *options: str) -> tuple[int, dict[str, Any]]:
    answer = topology(config, "--json", *options)
    assert answer.stdout, answer.stderr
    (school,) = json.loads(answer.stdout)["schools"]
    return answer.returncode, school


def standings(school: dict[str, Any]) -> dict[str, tuple[str, str | None]]:
    return {uplink["device"]: (uplink["standing"], uplink["sight"]) for uplink in school["uplinks"]}


@pytest.fixture(scope="module")
def config(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("district")
    secret = directory / "community"
    secret.write_text("a community of the tests")
    inventory = campus(2, 4, free_port(socket.SOCK_DGRAM), f"file:{secret}")
    (school,) = inventory.schools
    fast = {"interval": dt.timedelta(seconds=5), "timeout": dt.timedelta(seconds=2)}
    devices = [device.model_copy(update=fast) for device in school.devices]
    devices[4] = devices[4].model_copy(update={"serves": [ROOM]})
    inventory = inventory.model_copy(
        update={"schools": [school.model_copy(update={"devices": devices})]}
    )
    settings = Settings(
        data_dir=directory / "data",
        broker=BrokerSettings(url=f"mqtt://127.0.0.1:{free_port()}", embedded=True),
        console=ConsoleSettings(port=free_port()),
    )
    simulation = Simulation(publish_interval=fast["interval"], broker=settings.broker.url)
    write_district(directory / "config", inventory, settings, simulation)
    return directory / "config"


@pytest.fixture(scope="module")
def devices(config: Path) -> Iterator[Campus]:
    log = config.parent / "up.log"
    with (
        running_campus(load_inventory(config)) as playing,
        running(Program("up", "--config", str(config), log=log, ready="profile")),
    ):
        yield playing


def test_two_swapped_cables_are_reported_and_forgotten(config: Path, devices: Campus) -> None:
    linked = ("core", "sw-1", "sw-2", "ap-1", "ap-2", "ap-3", "ap-4")
    as_declared = dict.fromkeys(linked, ("as-declared", "confirmed"))
    wait_until(lambda: standings(report(config)[1]) == as_declared, "neighbours in the store")
    assert topology(config, "--diff").returncode == 0

    devices.swap_cables("ap-1", "ap-2")
    swapped = ("other-uplink", "confirmed")
    wait_until(
        lambda: standings(report(config)[1]) == {**as_declared, "ap-1": swapped, "ap-2": swapped},
        "the drift",
    )
    code, school = report(config, "--diff")
    assert code == 1
    seen = {uplink["device"]: uplink["seen"]["device"] for uplink in school["uplinks"]}
    assert (seen["ap-1"], seen["ap-2"]) == ("sw-2", "sw-1")
    assert school["undeclared"] == school["unknown_devices"] == []
    table = topology(config, "--diff").stdout
    assert "ap-1" in table
    assert "another uplink" in table
    assert "ap-3" not in table

    _, school = report(config, "--path", ROOM)
    assert [hop["device"] for hop in school["ways"][0]] == ["ap-1", "sw-2", "core", "router"]

    devices.swap_cables("ap-1", "ap-2")
    wait_until(lambda: standings(report(config)[1]) == as_declared, "the cables put right")


def test_the_graph_is_written_to_a_file(config: Path, devices: Campus, tmp_path: Path) -> None:
    out = tmp_path / "cables.svg"
    answer = topology(config, "--format", "svg", "--out", str(out))
    assert answer.returncode == 0, answer.stderr
    words = "".join(ET.parse(out).getroot().itertext())
    assert "sw-1" in words
    assert "ap-4" in words


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--path", "ys-1O2"], "--path: room 'ys-1O2' is not in the inventory"),
        (
            ["--school", "nowhere"],
            f"no school 'nowhere' in the inventory; expected one of {SCHOOL}",
        ),
        (["--out", "table.txt"], "--out: expected --format json, dot or svg"),
        (["--format", "dot", "--out", "/nowhere/x.dot"], "--out /nowhere/x.dot: No such file"),
    ],
)
def test_bad_input_says_what_was_expected(
    config: Path, devices: Campus, options: list[str], message: str
) -> None:
    answer = topology(config, *options)
    assert answer.returncode == 2
    assert message in answer.stderr
    assert "Traceback" not in answer.stderr
