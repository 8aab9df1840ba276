"""docker-compose.yml, checked without Docker: read, and its commands run by hand."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

import httpx
import pytest
from ruamel.yaml import YAML

from campuswatch.settings import Settings
from tests.servers import Server, influxdb1, mosquitto, running, wait_until

ROOT = Path(__file__).parent.parent
OURS = ("broker-files", "collector", "agent", "targets", "alerts", "console")


@pytest.fixture(scope="module")
def stack() -> dict[str, Any]:
    content: dict[str, Any] = YAML(typ="safe").load((ROOT / "docker-compose.yml").read_text())
    return content


def test_every_lasting_service_has_a_health_check(stack: dict[str, Any]) -> None:
    lasting = {name: it for name, it in stack["services"].items() if it.get("restart") != "no"}
    assert [name for name, service in lasting.items() if "healthcheck" not in service] == []


def test_no_secret_has_a_default(stack: dict[str, Any]) -> None:
    text = (ROOT / "docker-compose.yml").read_text()
    assert re.findall(r"\$\{[A-Z_]*(?:PASSWORD|TOKEN|USERNAME)(?!:\?)[^}]*\}", text) == []
    for service in stack["services"].values():
        for name, value in service.get("environment", {}).items():
            if re.search("PASSWORD|TOKEN", name):
                assert re.match(r"\$\{\w+:\?|env:|file:", value), (name, value)


def test_every_variable_is_in_the_example(stack: dict[str, Any]) -> None:
    text = (ROOT / "docker-compose.yml").read_text()
    required = set(re.findall(r"\$\{([A-Z_]+):\?", text))
    example = set(re.findall(r"^([A-Z_]+)=$", (ROOT / ".env.example").read_text(), re.MULTILINE))
    assert required == example


def test_every_command_and_setting_exists(stack: dict[str, Any]) -> None:
    commands = {point.name for point in entry_points(group="campuswatch.commands")}
    for name in OURS:
        service = stack["services"][name]
        assert service["command"][0] in commands
        check = service.get("healthcheck", {}).get("test", ["CMD", "campuswatch", "alive"])
        assert check[1] == "campuswatch"
        assert check[2] in commands
        for variable in service["environment"]:
            if match := re.fullmatch(r"CAMPUSWATCH_([A-Z_]+?)(?:__([A-Z_]+))?", variable):
                _assert_setting(match[1].lower(), match[2])


def _assert_setting(name: str, nested: str | None) -> None:
    if name == "config":
        return  # the --config option's own variable
    field = Settings.model_fields[name]
    if nested:
        assert field.annotation is not None
        assert nested.lower() in field.annotation.model_fields


def test_what_is_mounted_exists(stack: dict[str, Any]) -> None:
    for service in stack["services"].values():
        for volume in service.get("volumes", []):
            source = volume["source"] if isinstance(volume, dict) else volume.split(":")[0]
            if source.startswith("."):
                assert (ROOT / source).exists(), source
            else:
                assert source in stack["volumes"], source


def test_the_image_holds_every_room() -> None:
    copied = set(re.findall(r"^COPY (\w+) \1$", (ROOT / "Dockerfile").read_text(), re.MULTILINE))
    packages = {path.parent.name for path in ROOT.glob("*/__init__.py")} - {"tests", "benchmarks"}
    assert copied == packages | {"config"}


def test_its_commands_bring_readings_into_the_store(
    stack: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The users, the access control and the broker's configuration are the shipped ones."""
    secrets = tmp_path / "broker"
    monkeypatch.setenv("CAMPUSWATCH_CONFIG", str(_one_school(tmp_path / "config")))
    _campuswatch(stack, "broker-files", {"/run/broker": str(secrets)}, tmp_path).wait(60)
    with (
        running(_shipped_mosquitto(tmp_path, secrets)) as broker,
        running(influxdb1(tmp_path)) as store,
    ):
        places = {
            "mqtt://mosquitto:1883": f"mqtt://127.0.0.1:{broker.port}",
            "influxdb://influxdb:8086/campuswatch?org=campuswatch": (
                f"influxdb://127.0.0.1:{store.port}/campuswatch"
            ),
            "${AGENT:?set it in .env}": "v-agent",
            "${INFLUXDB_TOKEN:?set it in .env}": "user:unused",
        }
        parts = [
            _campuswatch(
                stack,
                "collector",
                places | {"/run/broker": f"{secrets}/secrets/collector"},
                tmp_path,
            ),
            _campuswatch(
                stack, "agent", places | {"/run/broker": f"{secrets}/secrets/v-agent"}, tmp_path
            ),
        ]
        try:
            wait_until(lambda: _readings(store) > 0, f"readings (logs in {tmp_path})", 60)
            assert _campuswatch(stack, "collector", places, tmp_path, health=True).wait(30) == 0
        finally:
            for part in parts:
                part.terminate()
            assert [part.wait(20) for part in parts] == [0, 0]
        assert _campuswatch(stack, "collector", places, tmp_path, health=True).wait(30) == 1


def _one_school(directory: Path) -> Path:
    """Write a district of one school, whose agent has only itself to report on."""
    (directory / "schools").mkdir(parents=True)
    (directory / "district.yaml").write_text(
        "id: district\nname: D\ntimezone: Asia/Shanghai\ncountry: CN\n"
    )
    (directory / "calendar.yaml").write_text("calendars:\n  - id: default\n")
    (directory / "schools" / "village.yaml").write_text(
        "id: village\nname: Village\narea: rural\nstudents: 40\nagents:\n  - id: v-agent\n"
    )
    return directory


def _shipped_mosquitto(directory: Path, secrets: Path) -> Server:
    """Start Mosquitto with config/mosquitto/mosquitto.conf, its paths and port changed."""
    shipped = (ROOT / "config/mosquitto/mosquitto.conf").read_text()
    config = shipped.replace("/mosquitto/campuswatch", str(secrets))
    ours = re.compile(
        r"^(listener|persistence|persistence_location|autosave_interval|max_queued_messages) .*$",
        re.MULTILINE,
    )
    return mosquitto(directory, ours.sub("", config))


def _campuswatch(
    stack: dict[str, Any],
    name: str,
    places: dict[str, str],
    directory: Path,
    *,
    health: bool = False,
) -> subprocess.Popen[bytes]:
    """Start what a service of the stack runs, with its environment, but for some places."""
    service = stack["services"][name]

    def placed(text: str) -> str:
        for there, here in places.items():
            text = text.replace(there, here)
        return text

    environment = {key: placed(value) for key, value in service["environment"].items()}
    environment["CAMPUSWATCH_DATA_DIR"] = str(directory / f"data-{name}")
    del environment["CAMPUSWATCH_CONFIG"]
    words = service["healthcheck"]["test"][2:] if health else service["command"]
    command = [str(Path(sys.executable).with_name("campuswatch")), *map(placed, words)]
    with (directory / f"{name}.log").open("ab") as log:
        return subprocess.Popen(
            ["env", *(f"{key}={value}" for key, value in environment.items()), *command],
            stdout=log,
            stderr=log,
        )


def _readings(store: Server) -> int:
    """Return how many readings of the agent InfluxDB has."""
    answer = httpx.get(
        f"http://127.0.0.1:{store.port}/query",
        params={
            "db": "campuswatch",
            "q": "SELECT count(version) FROM agent WHERE school='village'",
        },
    )
    results = json.loads(answer.text)["results"][0]
    return int(results["series"][0]["values"][0][1]) if "series" in results else 0
