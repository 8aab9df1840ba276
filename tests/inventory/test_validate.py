"""`campuswatch validate`, as a user meets it."""

from __future__ import annotations

import json
from pathlib import Path

from tests.inventory.commands import campuswatch
from tests.inventory.districts import EXAMPLE, SCHOOL, write_district


def test_a_sound_district_is_summed_up() -> None:
    done = campuswatch("validate", "--config", EXAMPLE)
    assert done.returncode == 0
    assert done.stderr.count("\n") == 1
    assert done.stderr.startswith("warning: ")
    for words in ("江湾区", "jiangwan-no1", "云山村小学", "Total", "29 ap"):
        assert words in done.stdout


def test_the_summary_as_json() -> None:
    done = campuswatch("validate", "--config", EXAMPLE, "--json")
    report = json.loads(done.stdout)
    assert (done.returncode, report["district"], report["errors"]) == (0, "jiangwan", [])
    assert len(report["warnings"]) == 1
    rural = next(school for school in report["schools"] if school["area"] == "rural")
    assert (rural["rooms"], rural["devices"]["ap"]) == (6, 3)


def test_errors_and_warnings_are_told_apart(tmp_path: Path) -> None:
    write_district(tmp_path, SCHOOL.replace("uplink: hill-router", "uplink: hill-ap"))
    (tmp_path / "settings.yaml").write_text("console: {prot: 80}\n", encoding="utf-8")
    done = campuswatch("validate", "--config", tmp_path)
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr.splitlines() == [
        (
            f"error: {tmp_path}/schools/hill.yaml:26: uplinks run in a circle: hill-ap → hill-ap; "
            "expected every path to end at the internet"
        ),
        f"error: {tmp_path}/settings.yaml:1: unknown key 'prot'; did you mean 'port'?",
    ]


def test_errors_as_json(tmp_path: Path) -> None:
    write_district(tmp_path, SCHOOL.replace("area: rural\n", ""))
    done = campuswatch("validate", "--config", tmp_path, "--json")
    report = json.loads(done.stdout)
    assert done.returncode == 2
    assert report["district"] is None
    assert report["errors"] == [
        (
            f"{tmp_path}/schools/hill.yaml:1: key 'area' is missing; "
            'expected "urban", "town" or "rural"'
        )
    ]


def test_no_secret_is_ever_printed(tmp_path: Path) -> None:
    """Neither one that a reference names, nor one written where a reference belongs."""
    write_district(tmp_path)
    (tmp_path / "secret").write_text("swordfish", encoding="utf-8")
    (tmp_path / "district.yaml").write_text(
        "id: hills\n"
        "name: Hills\n"
        "timezone: Nowhere\n"
        "country: CN\n"
        "credentials:\n"
        '  campus: {version: "2c", community: env:HILLS_COMMUNITY}\n'
        f'  other: {{version: "2c", community: "file:{tmp_path}/secret"}}\n'
        '  plain: {version: "2c", community: opensesame}\n'
        '  number: {version: "3", user: me, auth: sha1, auth_key: 24681357}\n'
        "  bare: opensesame\n"
        '  misspelt: {version: "2c", comunity: opensesame}\n',
        encoding="utf-8",
    )
    (tmp_path / "settings.yaml").write_text(
        "broker: {url: 'mqtt://me:opensesame@broker', password: opensesame}\n", encoding="utf-8"
    )
    for flags in ([], ["--json"]):
        done = campuswatch(
            "validate", "--config", tmp_path, *flags, environment={"HILLS_COMMUNITY": "xyzzy-42"}
        )
        printed = done.stdout + done.stderr
        assert done.returncode == 2
        assert "community is no reference to a secret" in printed
        for secret in ("xyzzy-42", "swordfish", "opensesame", "24681357"):
            assert secret not in printed


def test_a_broken_line_that_holds_a_secret_is_not_quoted(tmp_path: Path) -> None:
    write_district(tmp_path)
    for line in (
        '  campus: {community: "opensesame}',
        "  campus: *opensesame",
        "  x: a: opensesame",
    ):
        (tmp_path / "district.yaml").write_text(f"id: hills\ncredentials:\n{line}\n")
        done = campuswatch("validate", "--config", tmp_path)
        assert done.returncode == 2
        assert "district.yaml:3: " in done.stderr
        assert "opensesame" not in done.stderr


def test_the_files_of_the_rooms_are_checked_too(tmp_path: Path) -> None:
    write_district(tmp_path, SCHOOL.replace("snmp: campus", "snmp: campus\n    profile: huawey"))
    (tmp_path / "alerts.yaml").write_text("interval: often\n", encoding="utf-8")
    (tmp_path / "profiles").mkdir()
    done = campuswatch("validate", "--config", tmp_path)
    assert done.returncode == 2
    faults = done.stderr.splitlines()
    assert any("alerts.yaml:1: interval" in fault for fault in faults)
    assert any(
        "hill.yaml:25: profile 'huawey' is not in the SNMP profiles; did you mean 'huawei'?"
        in fault
        for fault in faults
    )
