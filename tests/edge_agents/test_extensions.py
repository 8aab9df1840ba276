"""Sources from other packages: the worked example of the documentation, installed and run."""

from __future__ import annotations

import json
import re
import subprocess
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from campuswatch.lineprotocol import parse
from campuswatch.readings import Reading
from tests.edge_agents.district import District, district
from tests.programs import COMMAND, Program
from tests.servers import mosquitto, running, wait_until

PAGE = Path(__file__).parents[2] / "docs" / "adding-a-source.md"
SCHOOL = """id: north
name: North School
area: rural
students: 60
agents: [{{id: north-1}}]
devices:
{devices}"""


class Meter(BaseHTTPRequestHandler):
    """What the example's meter answers."""

    def do_GET(self) -> None:
        body = json.dumps({"watts": 230.5}).encode()
        self.send_response(200 if self.path == "/status" else 404)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Keep the test's output quiet."""


@pytest.fixture
def meter() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Meter)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()


def block(language: str) -> str:
    found = re.search(rf"```{language}\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    assert found is not None
    return found[1]


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Install the page's package the way an installer would: module, metadata, entry point."""
    site = tmp_path / "site"
    metadata = site / "campuswatch_acme-1.0.dist-info"
    metadata.mkdir(parents=True)
    (site / "campuswatch_acme.py").write_text(block("python"))
    (metadata / "METADATA").write_text(
        "Metadata-Version: 2.1\nName: campuswatch-acme\nVersion: 1.0\n"
    )
    announced = re.search(r'(?m)^acme-meter = "(.*)"$', block("toml"))
    assert announced is not None
    (metadata / "entry_points.txt").write_text(
        f"[campuswatch.sources]\nacme-meter = {announced[1]}\n"
    )
    monkeypatch.setenv("PYTHONPATH", str(site))


def write_district(directory: Path, devices: str) -> Path:
    config = directory / "config"
    (config / "schools").mkdir(parents=True)
    (config / "district.yaml").write_text(
        "id: demo\nname: Demo district\ntimezone: Asia/Shanghai\ncountry: CN\n"
    )
    (config / "calendar.yaml").write_text("calendars: [{id: default}]\n")
    (config / "schools" / "north.yaml").write_text(SCHOOL.format(devices=devices))
    return config


def example(url: str) -> str:
    devices = block("yaml").removeprefix("devices:\n")
    return devices.replace("http://10.21.3.7", url).replace("30s", "500ms")


def powers(collector: District) -> list[Reading]:
    return [
        reading
        for line in collector.lines()
        for reading in parse(line)
        if isinstance(reading, Reading) and reading.measurement in {"power", "availability"}
    ]


@pytest.mark.usefixtures("package")
def test_the_example_of_the_page_is_polled_by_an_agent(tmp_path: Path, meter: str) -> None:
    config = write_district(tmp_path, example(meter))
    (tmp_path / "broker").mkdir()
    with running(mosquitto(tmp_path / "broker")) as broker, district(broker.port) as collector:
        (config / "settings.yaml").write_text(
            f"data_dir: {tmp_path / 'data'}\nbroker: {{url: 'mqtt://127.0.0.1:{broker.port}'}}\n"
        )
        agent = Program(
            *("agent", "--config", str(config), "--agent", "north-1"),
            log=tmp_path / "agent.log",
            ready="uplink up",
        )
        with running(agent):
            wait_until(lambda: len(powers(collector)) >= 4, "the meter to be polled")
    found = {reading.measurement: reading for reading in powers(collector)}
    assert found["power"].fields == {"power": 230.5}
    assert found["power"].tags == {"device": "meter-1", "sensor": "lab"}
    assert found["availability"].fields["up"] == 1
    assert "Traceback" not in agent.log.read_text()


def validate(config: Path) -> str:
    done = subprocess.run(
        [COMMAND, "validate", "--config", str(config)], capture_output=True, text=True, check=False
    )
    assert done.returncode != 0
    return done.stdout + done.stderr


@pytest.mark.usefixtures("package")
def test_wrong_options_are_named_by_file_and_line(tmp_path: Path) -> None:
    config = write_district(tmp_path, example("ftp://meter").replace("sensor: lab", "senser: lab"))
    said = validate(config)
    assert "north.yaml:13: unknown key 'senser'; did you mean 'sensor'?" in said
    assert re.search(r"north\.yaml:13: url is \"ftp://meter\"", said)


@pytest.mark.usefixtures("package")
def test_a_source_that_is_not_installed_is_named_by_file_and_line(tmp_path: Path) -> None:
    config = write_district(tmp_path, example("http://m").replace("acme-meter", "acme-metre"))
    said = validate(config)
    assert "north.yaml:12: source 'acme-metre' is not in this installation" in said
    assert "did you mean 'acme-meter'?" in said


@pytest.mark.usefixtures("package")
def test_a_package_that_fails_to_import_is_named(tmp_path: Path) -> None:
    (tmp_path / "site" / "campuswatch_acme.py").write_text("raise RuntimeError('no licence')\n")
    config = write_district(tmp_path, example("http://m"))
    assert "source 'acme-meter' can't be imported: no licence" in validate(config)
