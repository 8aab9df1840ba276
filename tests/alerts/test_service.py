"""`campuswatch alerts` as a process: killed in the middle of sending, and started again."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import httpx
import pytest

from campuswatch.lineprotocol import encode
from campuswatch.measurements import CATALOGUE
from campuswatch.readings import Reading, now_ns
from campuswatch.settings import StoreSettings
from campuswatch.stores import open_store
from campuswatch.stores.base import Store
from tests.alerts.district import SECOND
from tests.alerts.receivers import Webhook, webhook
from tests.servers import influxdb1, running, wait_until

APS = [f"ap-{number}" for number in range(4)]
KILLED_AT = (1, 3)
"""Requests during which the process is killed: after them nobody knows whether they arrived."""
PATIENCE = 90.0
"""Time for the process to start and send, s, on a machine that is busy with other tests."""
REPEATED = "may have reached you before"

DEVICE = (
    "  - {{id: {ap}, name: {ap}, kind: ap, room: h-101, address: {ap}.example, interval: 5s}}\n"
)
SCHOOL = """\
id: heping
name: Heping School
area: urban
students: 120
agents: [{id: h-agent}]
buildings:
  - id: h-main
    name: Main
    floors: [{id: h-1, name: 1F, level: 0, rooms: [{id: h-101, name: Room 101, seats: 40}]}]
devices:
""" + "".join(DEVICE.format(ap=ap) for ap in APS)

FILES = {
    "district.yaml": "id: demo\nname: Demo\ntimezone: Asia/Shanghai\ncountry: CN\n",
    "calendar.yaml": "calendars: [{id: default}]\n",
    "schools/heping.yaml": SCHOOL,
    "alerts.yaml": (
        "interval: 200ms\n"
        "opening: {samples: 2, recovery_samples: 2, settle: 1s, silent_after: 1h}\n"
        "receivers: [{id: hook, url: 'env:HOOK'}]\n"
    ),
}


class Service:
    """The process, with its configuration, its store and what it sends to."""

    def __init__(self, directory: Path, store_url: str, hook: Webhook) -> None:
        self.directory = directory
        self.hook = hook
        self.process: subprocess.Popen[bytes] | None = None
        settings = f"data_dir: {directory / 'data'}\nstore: {{url: '{store_url}'}}\n"
        for name, content in {**FILES, "settings.yaml": settings}.items():
            path = directory / name
            path.parent.mkdir(exist_ok=True)
            path.write_text(content)

    def start(self) -> None:
        program = str(Path(sys.executable).parent / "campuswatch")
        with (self.directory / "log").open("ab") as log:
            self.process = subprocess.Popen(
                [program, "alerts", "--config", str(self.directory)],
                stdout=log,
                stderr=log,
                env={**os.environ, "HOOK": self.hook.url},
            )

    def end(self, how: signal.Signals) -> int:
        assert self.process is not None
        self.process.send_signal(how)
        return self.process.wait(20)

    def log(self) -> str:
        return (self.directory / "log").read_text()


@pytest.fixture
def store(tmp_path: Path) -> Iterator[tuple[str, Store]]:
    with running(influxdb1(tmp_path)) as server:
        httpx.post(f"http://127.0.0.1:{server.port}/query", data={"q": "CREATE DATABASE demo"})
        url = f"influxdb://127.0.0.1:{server.port}/demo"
        opened = open_store(StoreSettings(url=url), tmp_path)
        yield url, opened
        opened.close()


def poll(store: Store, up: bool) -> None:
    """Store two polls of every device, as of the last seconds."""
    now = now_ns()
    row = CATALOGUE["availability"]
    store.write(
        encode(
            Reading(reading.measurement, {**reading.tags, **stamp}, reading.fields, reading.time)
            for age in (2, 1)
            for ap in APS
            for reading in [row.reading({"device": ap}, {"up": int(up)}, now - age * SECOND)]
            for stamp in [{"school": "heping", "agent": "h-agent"}]
        )
    )


def has_received(hook: Webhook, requests: int) -> bool:
    return len(hook.received) >= requests


def references(hook: Webhook) -> list[str]:
    return [
        reference
        for body in hook.received
        for reference in re.findall(r"Reference: (\S+)", body["message"])
    ]


@pytest.mark.timeout(300)
def test_no_notification_is_lost_or_doubled_when_the_process_is_killed(
    tmp_path: Path, store: tuple[str, Store]
) -> None:
    url, readings = store
    with webhook() as hook:
        service = Service(tmp_path, url, hook)
        poll(readings, up=False)
        for request in KILLED_AT:
            hook.hold_from = request
            service.start()
            wait_until(partial(has_received, hook, request), f"request {request}", PATIENCE)
            service.end(signal.SIGKILL)
        hook.hold_from = sys.maxsize
        service.start()
        wait_until(lambda: set(references(hook)) == problems(), "all problems", PATIENCE)
        poll(readings, up=True)
        everything = problems() | recoveries()
        wait_until(lambda: set(references(hook)) == everything, "all recoveries", PATIENCE)
        assert service.end(signal.SIGTERM) == 0, service.log()
    first_time = [body for body in hook.received if REPEATED not in body["message"]]
    assert len(first_time) == 2 * len(APS)
    assert len(hook.received) - len(first_time) == len(KILLED_AT)


def problems() -> set[str]:
    return {f"{number}/problem" for number in range(1, len(APS) + 1)}


def recoveries() -> set[str]:
    return {f"{number}/recovery" for number in range(1, len(APS) + 1)}


def test_a_faulty_configuration_ends_it_with_one_line(tmp_path: Path) -> None:
    with webhook() as hook:
        service = Service(tmp_path, "duckdb:store.duckdb", hook)
        (tmp_path / "alerts.yaml").write_text("receivers: [{id: r, url: 'env:NOT_SET_ANYWHERE'}]\n")
        service.start()
        assert service.process is not None
        assert service.process.wait(60) == 2
    assert service.log() == "receiver 'r': environment variable NOT_SET_ANYWHERE is not set\n"
