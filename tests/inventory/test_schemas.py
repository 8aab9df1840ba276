"""The schemas that editors use."""

from __future__ import annotations

from pathlib import Path

import pytest

from campuswatch.inventory.schemas import SCHEMAS, schema_text
from tests.inventory.commands import campuswatch
from tests.inventory.districts import EXAMPLE


@pytest.mark.parametrize("name", SCHEMAS)
def test_the_committed_schema_is_up_to_date(name: str) -> None:
    committed = (EXAMPLE / "schema" / f"{name}.json").read_text(encoding="utf-8")
    assert committed == schema_text(name), "run: campuswatch schema --out config/schema"


@pytest.mark.parametrize(
    "path",
    [
        *(EXAMPLE / f"{name}.yaml" for name in SCHEMAS if name != "school"),
        *sorted((EXAMPLE / "schools").iterdir()),
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
    assert {path.stem for path in (tmp_path / "new").iterdir()} == set(SCHEMAS)


def test_durations_are_written_as_in_the_files() -> None:
    assert '"default": "28d"' in schema_text("district")
    assert '"default": "1m"' in schema_text("school")
