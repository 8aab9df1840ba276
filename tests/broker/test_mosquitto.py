"""The files for Mosquitto, held against a real one."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from campuswatch.broker.mosquitto import BrokerUser, broker_users, write_broker_files
from campuswatch.inventory.models import Agent, Area, District, Inventory, School
from tests.servers import Server, mosquitto, program, running


def _school(number: int) -> School:
    return School(
        id=f"school-{number}",
        name="School",
        area=Area.RURAL,
        students=10,
        agents=[Agent(id=f"agent-{number}")],
    )


USERS = broker_users(
    Inventory(
        district=District(id="district", name="D", timezone="Asia/Shanghai", country="CN"),
        calendars=[],
        mappings=[],
        schools=[_school(1), _school(2)],
    )
)


@pytest.fixture
def files(tmp_path: Path) -> Path:
    write_broker_files(USERS, tmp_path / "files", set())
    return tmp_path / "files"


@pytest.fixture
def broker(tmp_path: Path, files: Path) -> Iterator[Server]:
    config = f"allow_anonymous false\npassword_file {files}/passwords\nacl_file {files}/acl\n"
    with running(mosquitto(tmp_path, config)) as server:
        yield server


def _publish(broker: Server, files: Path, user: str, topic: str) -> str:
    """Publish as a user, and return what the broker said if it refused."""
    return _run(broker, files, user, "mosquitto_pub", "-t", topic, "-m", "x", "-q", "1")


def _subscribe(broker: Server, files: Path, user: str, topic: str) -> str:
    return _run(broker, files, user, "mosquitto_sub", "-t", topic, "-q", "1", "-E")


def _run(broker: Server, files: Path, user: str, name: str, *arguments: str) -> str:
    secret = (files / "secrets" / user / "password").read_text().strip()
    login = ["-p", str(broker.port), "-u", user, "-P", secret, "-V", "mqttv5"]
    done = subprocess.run(
        [program(name), *login, *arguments], capture_output=True, text=True, check=False, timeout=20
    )
    return done.stderr + done.stdout


@pytest.mark.parametrize("channel", ["data", "status"])
def test_an_agent_publishes_to_its_own_topics(broker: Server, files: Path, channel: str) -> None:
    assert "Not authorized" not in _publish(
        broker, files, "agent-1", f"campus/v1/district/school-1/agent-1/{channel}"
    )


@pytest.mark.parametrize(
    "topic",
    [
        "campus/v1/district/school-2/agent-2/data",
        "campus/v1/district/school-2/agent-1/data",
        "campus/v1/district/school-1/agent-2/status",
        "campus/v1/other/school-1/agent-1/data",
        "campus/v1/district/school-1/agent-1/command",
    ],
)
def test_an_agent_publishes_to_no_other(broker: Server, files: Path, topic: str) -> None:
    assert "Not authorized" in _publish(broker, files, "agent-1", topic)


def test_an_agent_reads_its_own_topics_only(broker: Server, files: Path) -> None:
    for channel in ("command", "status"):
        own = f"campus/v1/district/school-1/agent-1/{channel}"
        assert _subscribe(broker, files, "agent-1", own) == ""
    for topic in ("campus/v1/district/school-2/agent-2/command", "#"):
        assert "Not authorized" in _subscribe(broker, files, "agent-1", topic) or _hears_nothing(
            broker, files, topic
        )


def _hears_nothing(broker: Server, files: Path, topic: str) -> bool:
    """Return whether a foreign message passes by a subscription that was let through.

    Mosquitto 2.0 grants a subscription to `#` and checks each message instead.
    """
    secret = (files / "secrets" / "agent-1" / "password").read_text().strip()
    login = ["-p", str(broker.port), "-u", "agent-1", "-P", secret, "-V", "mqttv5"]
    with subprocess.Popen(
        [program("mosquitto_sub"), *login, "-t", topic, "-W", "2"], stdout=subprocess.PIPE
    ) as listener:
        for _ in range(5):
            _publish(broker, files, "agent-2", "campus/v1/district/school-2/agent-2/data")
        heard, _errors = listener.communicate(timeout=20)
    return heard == b""


def test_the_collector_shares_the_data_of_all(broker: Server, files: Path) -> None:
    said = _subscribe(broker, files, "collector", "$share/collectors/campus/v1/district/+/+/data")
    assert said == ""
    assert "Not authorized" in _publish(
        broker, files, "collector", "campus/v1/district/school-1/agent-1/data"
    )


def test_secrets_are_kept_rotated_and_removed(tmp_path: Path) -> None:
    assert write_broker_files(USERS, tmp_path, set()) == [user.name for user in USERS]
    kept = (tmp_path / "secrets" / "agent-1" / "password").read_text()
    hashes = (tmp_path / "passwords").read_text()
    assert write_broker_files(USERS, tmp_path, {"agent-2"}) == ["agent-2"]
    assert (tmp_path / "secrets" / "agent-1" / "password").read_text() == kept
    assert (tmp_path / "passwords").read_text() != hashes
    write_broker_files([BrokerUser("collector", (), ())], tmp_path, set())
    assert [path.name for path in (tmp_path / "secrets").iterdir()] == ["collector"]


def test_only_the_owner_reads_the_files(files: Path) -> None:
    for path in files.rglob("*"):
        assert path.stat().st_mode & 0o077 == 0, path
