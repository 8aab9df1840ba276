"""The demo as its user runs it: a process, a page, other commands beside it, Ctrl-C."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import psutil
import pytest

from tests.servers import program, wait_until

COMMAND = (sys.executable, "-c", "from campuswatch.cli import main; main()")
SCHOOL, SWITCH = "jiangwan-no1", "no1-sw-a2"
ROOMS = {"no1-a201", "no1-a202", "no1-a203", "no1-a204"}


def campuswatch(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*COMMAND, *arguments], capture_output=True, text=True, check=False, timeout=60
    )


class Demo:
    """A running demo, seen from outside."""

    def __init__(self, directory: Path) -> None:
        self.data_dir = directory / "data"
        self.output = directory / "output"
        with self.output.open("wb") as output:
            self.process = subprocess.Popen(
                [*COMMAND, "demo", "--data-dir", str(self.data_dir), "--history", "2"],
                stdout=output,
                stderr=subprocess.STDOUT,
                stdin=subprocess.DEVNULL,
            )

    def wait_until_ready(self) -> None:
        wait_until(lambda: "Ready after" in self.printed() or not self.is_running(), "the demo", 90)
        assert self.is_running(), self.printed()

    @property
    def config(self) -> str:
        return str(self.data_dir / "config")

    @property
    def address(self) -> str:
        words = self.printed().split()
        return next(word for word in words if word.startswith("http://"))

    def printed(self) -> str:
        return self.output.read_text(encoding="utf-8")

    def is_running(self) -> bool:
        return self.process.poll() is None

    def family(self) -> list[psutil.Process]:
        parent = psutil.Process(self.process.pid)
        return [parent, *parent.children(recursive=True)]


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    running = Demo(tmp_path_factory.mktemp("demo"))
    running.wait_until_ready()
    yield running
    if running.is_running():
        running.process.kill()
        running.process.wait()


def test_the_page_shows_every_school_and_that_it_is_simulated(demo: Demo) -> None:
    page = httpx.get(demo.address).text
    for name in ("滨江小学", "江湾第一中学", "石桥镇中心学校", "云山村小学"):
        assert name in page
    assert "Simulated district" in page


def test_the_configuration_it_writes_is_valid(demo: Demo) -> None:
    answer = campuswatch("validate", "--config", demo.config)
    assert answer.returncode == 0, answer.stderr


def test_the_check_names_the_broken_switch_and_its_rooms(demo: Demo) -> None:
    def causes() -> list[dict[str, object]]:
        answer = campuswatch("check", "--config", demo.config, "--json", "--school", SCHOOL)
        assert answer.returncode in (0, 1, 2), answer.stderr
        (school,) = json.loads(answer.stdout)["schools"]
        return [
            cause
            for target in school["targets"]
            if target["kind"] == "wifi-coverage" and target["verdict"] == "missed"
            for cause in target["causes"]
        ]

    wait_until(lambda: len(causes()) > 0, f"{SWITCH} to be missed", timeout=60)
    (cause,) = causes()
    assert cause["limit"] == "down"
    assert cause["device"]["id"] == SWITCH  # type: ignore[index]
    assert {room["id"] for room in cause["rooms"]} == ROOMS  # type: ignore[attr-defined]


def test_a_browser_shows_the_broken_switch(demo: Demo, tmp_path: Path) -> None:
    answer = subprocess.run(
        [
            program("chromium"),
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-quic",
            "--no-first-run",
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync",
            f"--user-data-dir={tmp_path}",
            "--dump-dom",
            f"{demo.address}schools/{SCHOOL}",
        ],
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    assert f"<code>{SWITCH}</code>" in answer.stdout
    assert "184 seats" in answer.stdout


def test_no_batch_is_missing(demo: Demo) -> None:
    answer = campuswatch("audit", "--config", demo.config, "--json")
    assert answer.returncode == 0, answer.stdout + answer.stderr
    streams = json.loads(answer.stdout)
    assert {stream["school"] for stream in streams} >= {SCHOOL, "yunshan-village"}
    assert all(stream["missing"] == 0 for stream in streams)


def test_an_interrupt_stops_everything_cleanly(demo: Demo) -> None:
    family = demo.family()
    assert len(family) > 1
    demo.process.send_signal(signal.SIGINT)
    assert demo.process.wait(30) == 0
    assert not psutil.wait_procs(family, timeout=5)[1]
    assert "Traceback" not in demo.printed()
    assert "Traceback" not in (demo.data_dir / "demo.log").read_text(encoding="utf-8")
    assert (demo.data_dir / "simulator.log").read_text(encoding="utf-8") == ""


def test_the_devices_do_not_outlive_a_killed_demo(tmp_path: Path) -> None:
    running = Demo(tmp_path)
    wait_until(lambda: len(running.family()) > 1, "the process of the devices", 90)
    children = running.family()[1:]
    running.process.kill()
    running.process.wait()
    wait_until(lambda: all(map(_has_ended, children)), "the devices to end")


def _has_ended(process: psutil.Process) -> bool:
    """Return whether a process has ended, also if nobody has asked for its exit code yet."""
    return not process.is_running() or process.status() == psutil.STATUS_ZOMBIE
