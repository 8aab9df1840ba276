"""The schemas that editors use."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from campuswatch.inventory.documents import read_document
from campuswatch.inventory.phrasing import validate_document
from campuswatch.inventory.schemas import models, schema_text
from campuswatch.settings import SettingsFile
from tests.inventory.commands import campuswatch
from tests.inventory.districts import EXAMPLE

FOLDERS = {"school": "schools", "register-map": "registers"}
"""Where there is one file for each."""


@pytest.mark.parametrize("name", sorted(models()))
def test_the_committed_schema_is_up_to_date(name: str) -> None:
    committed = (EXAMPLE / "schema" / f"{name}.json").read_text(encoding="utf-8")
    assert committed == schema_text(name), "run: campuswatch schema --out config/schema"


@pytest.mark.parametrize(
    "path",
    [
        *(EXAMPLE / f"{name}.yaml" for name in models() if name not in FOLDERS),
        *(path for name in FOLDERS.values() for path in sorted((EXAMPLE / name).iterdir())),
    ],
    ids=lambda path: path.name,
)
def test_each_example_file_names_a_schema_that_exists(path: Path) -> None:
    first = path.read_text(encoding="utf-8").splitlines()[0]
    mark, _, schema = first.partition("$schema=")
    assert mark == "# yaml-language-server: "
    assert (path.parent / schema).is_file()


def test_the_command_writes_them_all(tmp_path: Path) -> None:
    done = campuswatch("schema", "--out", tmp_path / "new")
    assert done.returncode == 0
    assert {path.stem for path in (tmp_path / "new").iterdir()} == set(models())


def test_durations_are_written_as_in_the_files() -> None:
    assert '"default": "28d"' in schema_text("district")
    assert '"default": "1m"' in schema_text("school")


def test_the_example_settings_are_the_defaults_and_name_every_key() -> None:
    path = EXAMPLE / "settings.yaml"
    given = validate_document(read_document(path), SettingsFile)
    standard = SettingsFile()
    assert given == standard.model_copy(
        update={"broker": standard.broker.model_copy(update={"embedded": True})}
    )
    text = path.read_text(encoding="utf-8")
    for group, values in standard.model_dump().items():
        for key in values if isinstance(values, dict) else [group]:
            assert re.search(rf"\b{key}:", text), f"{group}.{key} is not explained"
