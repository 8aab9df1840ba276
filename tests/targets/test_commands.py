"""The command as a user runs it, beside the process that holds the store."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from rich.cells import cell_len

from campuswatch.inventory.loader import load_inventory
from campuswatch.settings import StoreSettings
from campuswatch.stores import open_store
from tests.targets.synthetic import HOUR, MINUTE, Outage, fill, ns

CONFIG = Path(__file__).parents[2] / "config"
COMMAND = Path(sys.executable).with_name("campuswatch")
NOW = ns("2026-10-16T10:30+08:00")
DOWN = Outage("sq-sw-2", NOW - 25 * MINUTE, NOW)
HEALTHY, BROKEN, SILENT = "jiangwan-no1", "shiqiao-central", "binjiang-primary"


@pytest.fixture(scope="module")
def config(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Copy the example district with windows that the readings fill."""
    directory = tmp_path_factory.mktemp("config")
    shutil.copytree(CONFIG, directory, dirs_exist_ok=True)
    district = directory / "district.yaml"
    text, windows = re.subn(r"window: \S+", "window: 1d", district.read_text("utf-8"))
    assert windows > 0
    district.write_text(text, "utf-8")
    return directory


@pytest.fixture(scope="module")
def data_dir(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Hold the store open, as `campuswatch up` does, with half a day of two schools in it."""
    directory = tmp_path_factory.mktemp("data")
    inventory = load_inventory(CONFIG)
    store = open_store(StoreSettings(), directory)
    fill(store, inventory.school(HEALTHY), NOW - 12 * HOUR, NOW, [])
    fill(store, inventory.school(BROKEN), NOW - 12 * HOUR, NOW, [DOWN])
    yield directory
    store.close()


def run(data_dir: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [COMMAND, "check", "--config", CONFIG, *arguments],
        env=os.environ | {"CAMPUSWATCH_DATA_DIR": str(data_dir), "COLUMNS": "100"},
        capture_output=True,
        text=True,
        check=False,
    )


def wifi(report: dict[str, Any], school: str) -> dict[str, Any]:
    [targets] = [s["targets"] for s in report["schools"] if s["id"] == school]
    [target] = [t for t in targets if t["kind"] == "wifi-coverage"]
    found: dict[str, Any] = target
    return found


def test_json_names_the_device_the_rooms_and_the_time(data_dir: Path) -> None:
    done = run(data_dir, "--json", "--at", "2026-10-16T10:30")
    assert done.returncode == 1, done.stderr
    report = json.loads(done.stdout)
    assert report["generated"] == "2026-10-16T02:30:00Z"
    assert wifi(report, HEALTHY)["verdict"] == "met"
    assert wifi(report, SILENT)["verdict"] == "cannot-tell"
    missed = wifi(report, BROKEN)
    assert missed["verdict"] == "missed"
    [cause] = missed["causes"]
    assert cause["device"]["id"] == "sq-sw-2"
    assert cause["limit"] == "down"
    assert cause["since"].startswith("2026-10-16T02:0")
    assert cause["until"] is None
    failing = [room for room in missed["rooms"] if room["state"] == "fail"]
    assert [room["id"] for room in cause["rooms"]] == [room["id"] for room in failing]
    assert cause["seats"] == sum(room["seats"] for room in failing) > 0
    assert all(0 <= room["evidence_age_seconds"] <= 300 for room in failing)


def test_the_table_says_it_in_words_within_its_width(data_dir: Path) -> None:
    done = run(data_dir, "--school", BROKEN, "--at", "2026-10-16T10:30+08:00")
    assert done.returncode == 1, done.stderr
    assert "missed" in done.stdout
    assert "sq-sw-2" in done.stdout
    assert "down since Fri 16 Oct 10:0" in done.stdout
    assert max(cell_len(line) for line in done.stdout.splitlines()) <= 100


@pytest.mark.parametrize(
    ("schools", "code"),
    [([HEALTHY], 0), ([HEALTHY, SILENT], 2), ([HEALTHY, SILENT, BROKEN], 1)],
)
def test_missed_goes_before_cannot_tell_and_that_before_met(
    config: Path, data_dir: Path, schools: list[str], code: int
) -> None:
    chosen = [word for school in schools for word in ("--school", school)]
    done = run(data_dir, "--config", str(config), "--at", "2026-10-16T10:30", *chosen)
    assert done.returncode == code, done.stdout + done.stderr


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--at", "half past ten"], "'half past ten' is no time; expected ISO 8601"),
        (["--school", "jiangwan-no2"], "no school 'jiangwan-no2' in the inventory; expected"),
    ],
)
def test_bad_input_gets_one_line(data_dir: Path, arguments: list[str], message: str) -> None:
    done = run(data_dir, *arguments)
    assert done.returncode == 2
    assert message in done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert done.stdout == ""
