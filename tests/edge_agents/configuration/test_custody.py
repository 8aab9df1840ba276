"""What an agent keeps of the configurations that were pushed."""

from __future__ import annotations

from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from campuswatch.configuration.document import Configuration, ConfigurationError, sign
from campuswatch.errors import UserError
from campuswatch.wire import AgentAddress
from edge_agents.configuration.custody import Custody, State, Version

KEY = Ed25519PrivateKey.generate()
ADDRESS = AgentAddress("demo", "north", "north-1")
FILES = {
    "district.yaml": "{id: demo, name: Demo, timezone: Asia/Shanghai, country: CN}\n",
    "calendar.yaml": "calendars: [{id: default}]\n",
    "schools/north.yaml": (
        "{id: north, name: North, area: rural, students: 1, agents: [{id: north-1}]}\n"
    ),
}


def payload(version: int, *, agent: str = "north-1", files: dict[str, str] | None = None) -> bytes:
    return sign(
        Configuration(
            district="demo",
            school="north",
            agent=agent,
            version=version,
            files=FILES if files is None else files,
        ),
        KEY,
    )


def open_custody(directory: Path) -> Custody:
    return Custody(directory, ADDRESS, KEY.public_key())


def accepted(custody: Custody, version: int) -> Version:
    taken = custody.take(payload(version))
    assert taken is not None
    custody.begin_trial(taken, set())
    custody.accept(taken)
    return taken


def test_current_and_previous_are_kept_over_restarts(tmp_path: Path) -> None:
    custody = open_custody(tmp_path)
    _, second, third = (accepted(custody, number) for number in (1, 2, 3))
    again = open_custody(tmp_path)
    assert (again.state.current, again.state.previous) == (third, second)
    assert {path.stem for path in tmp_path.glob("*.signed")} == {"2", "3"}
    assert again.load(third).agent.id == "north-1"


def test_no_older_version_and_none_of_another_content_is_taken(tmp_path: Path) -> None:
    custody = open_custody(tmp_path)
    accepted(custody, 5)
    assert custody.take(payload(5)) is None
    for old in (payload(4), payload(5, files={})):
        with pytest.raises(ConfigurationError, match="is not newer than 5"):
            open_custody(tmp_path).take(old)


def test_what_was_rolled_back_is_not_taken_again(tmp_path: Path) -> None:
    custody = open_custody(tmp_path)
    good = accepted(custody, 1)
    bad = custody.take(payload(2))
    assert bad is not None
    custody.begin_trial(bad, {"sw-1"})
    custody.refuse(bad, "silent", rolled_back=True)
    again = open_custody(tmp_path)
    assert again.take(payload(2)) is None
    assert again.state.current == good
    assert again.state.refused is not None
    assert again.state.refused.rolled_back


def test_the_configuration_of_another_agent_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="it is for agent 'north-2'"):
        open_custody(tmp_path).take(payload(1, agent="north-2"))


def test_what_is_signed_and_wrong_is_named_by_file_and_line(tmp_path: Path) -> None:
    custody = open_custody(tmp_path)
    wrong = {**FILES, "schools/north.yaml": FILES["schools/north.yaml"].replace("rural", "lunar")}
    version = custody.take(payload(1, files=wrong))
    assert version is not None
    with pytest.raises(UserError, match=r"north\.yaml:1: area is \"lunar\""):
        custody.load(version)


def test_files_that_were_changed_on_the_disk_do_not_count(tmp_path: Path) -> None:
    custody = open_custody(tmp_path)
    version = accepted(custody, 1)
    custody.load(version)
    (tmp_path / "1" / "schools" / "north.yaml").write_text("changed")
    assert custody.load(version).school.name == "North"
    signed = tmp_path / "1.signed"
    signed.write_bytes(signed.read_bytes().replace(b"North", b"South"))
    with pytest.raises(ConfigurationError, match="not the district's"):
        custody.load(version)


def test_starts_of_one_trial_are_counted(tmp_path: Path) -> None:
    custody = open_custody(tmp_path)
    version = custody.take(payload(1))
    assert version is not None
    for starts in (1, 2, 3):
        custody = open_custody(tmp_path)
        custody.begin_trial(version, {"sw-1"})
        assert custody.state.trial is not None
        assert custody.state.trial.starts == starts


def test_an_unreadable_state_is_begun_anew(tmp_path: Path) -> None:
    (tmp_path / "state.json").write_text("{")
    assert open_custody(tmp_path).state == State()
