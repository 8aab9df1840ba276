"""settings.yaml and the environment."""

from __future__ import annotations

from pathlib import Path

import pytest

from campuswatch.errors import UserError
from campuswatch.settings import load_settings


def test_without_a_file_the_defaults_hold(tmp_path: Path) -> None:
    assert load_settings(tmp_path).broker.url == "mqtt://127.0.0.1:1883"


def test_the_environment_wins_over_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "settings.yaml").write_text("console:\n  port: 81\n  host: 0.0.0.0\n")
    monkeypatch.setenv("CAMPUSWATCH_CONSOLE__PORT", "82")
    console = load_settings(tmp_path).console
    assert (console.host, console.port) == ("0.0.0.0", 82)


def test_a_fault_of_the_file_names_its_line(tmp_path: Path) -> None:
    (tmp_path / "settings.yaml").write_text("broker:\n  url: localhost\n")
    with pytest.raises(UserError, match=r"settings\.yaml:2: url"):
        load_settings(tmp_path)


def test_a_fault_of_the_environment_names_the_variable(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CAMPUSWATCH_CONSOLE__PORT", "many")
    with pytest.raises(UserError, match="CAMPUSWATCH_CONSOLE__PORT"):
        load_settings(tmp_path)


def test_variables_of_others_are_left_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CAMPUSWATCH_CONFIG", "elsewhere")
    assert load_settings(tmp_path).console.port == 8080
