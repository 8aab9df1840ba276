"""`snmp lint`: what is wrong with profiles that load."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import pytest
from typer.testing import CliRunner

from edge_agents.sources.snmp.commands import snmp_app
from edge_agents.sources.snmp.linting import profile_schema
from edge_agents.sources.snmp.registry import SHIPPED
from tests.edge_agents.snmp.test_profiles import GOOD


def lint(*arguments: object) -> tuple[int, str]:
    result = CliRunner().invoke(snmp_app, ["lint", *map(str, arguments)])
    return result.exit_code, result.stdout


def test_the_shipped_profiles_have_no_fault() -> None:
    code, printed = lint()
    assert (code, printed.endswith("no faults\n")) == (0, True), printed


def test_a_good_profile_has_no_fault(tmp_path: Path) -> None:
    file = tmp_path / "sensor.yaml"
    file.write_text(GOOD, encoding="utf-8")
    assert lint(file) == (0, "1 profiles, no faults\n")


UNLOADABLE: Final = [
    ("scale: 0.1}", "scale: 0.1, unit: furlong}", 18, "does not convert"),
    ("measurement: hardware_sensor", "measurement: sensors", 9, "unknown measurement"),
]
LOADABLE: Final = [
    ("match:\n  - object_id: 1.3.6.1.4.1.99999.1\n", "", 1, "no device matches it"),
    ("object_id: 1.3.6.1.4.1.99999.1", "object_id: 1.3.6.1.4.1.9", 5, "same match"),
    ("99999.1.1.1,", "99999.1.1.2.7,", 11, "which is below it"),
    ("  - id: temperature", "  - instead_of: x\n    id: temperature", 8, "no table 'x'"),
]
NAMESAKES: Final = [("name: rack-sensor", "name: generic", 1, "two profiles are called")]


@pytest.mark.parametrize("faults", [UNLOADABLE, LOADABLE, NAMESAKES])
def test_faults_are_told_with_their_lines(
    faults: list[tuple[str, str, int, str]], tmp_path: Path
) -> None:
    text = GOOD.replace("quantity: kind", "quantity: {text: temperature}")
    files = [tmp_path / f"{number}.yaml" for number in range(len(faults))]
    for file, (old, new, _, _) in zip(files, faults, strict=True):
        assert text.count(old) == 1
        named = text.replace(old, new).replace("rack-sensor", f"sensor-{file.stem}")
        file.write_text(named, encoding="utf-8")
    code, printed = lint(*files)
    assert code == 2
    for file, (_, _, line, words) in zip(files, faults, strict=True):
        (told,) = [row for row in printed.splitlines() if row.startswith(f"{file}:{line}:")]
        assert words in told


def test_a_value_read_twice_is_a_fault(tmp_path: Path) -> None:
    table = GOOD.partition("tables:\n")[2]
    file = tmp_path / "sensor.yaml"
    file.write_text(GOOD + table.replace("id: temperature", "id: again"), encoding="utf-8")
    code, printed = lint(file)
    assert code == 2
    assert "reads value from the same OIDs" in printed


def test_the_schema_for_editors_is_that_of_the_models() -> None:
    shipped = (SHIPPED / "schema.json").read_text(encoding="utf-8")
    assert shipped == profile_schema(), "run: campuswatch snmp lint --schema " + str(
        SHIPPED / "schema.json"
    )
