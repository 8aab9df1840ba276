"""Reading an inventory: what is right, and everything that is wrong at once."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from campuswatch.inventory.loader import check_inventory, load_inventory
from campuswatch.inventory.problems import InventoryError
from tests.inventory.districts import EXAMPLE, SCHOOL, write_district


def _problems(directory: Path) -> list[str]:
    with pytest.raises(InventoryError) as caught:
        load_inventory(directory)
    return [
        f"{problem.file.relative_to(directory)}:{problem.line}: {problem.text}"
        for problem in caught.value.problems
    ]


def _warnings(directory: Path) -> list[str]:
    return [
        f"{problem.file.relative_to(directory)}:{problem.line}: {problem.text}"
        for problem in check_inventory(directory).warnings
    ]


def test_the_example_district_is_right() -> None:
    inventory = load_inventory(EXAMPLE)
    assert {school.area.value for school in inventory.schools} == {"urban", "town", "rural"}
    devices = [device for school in inventory.schools for device in school.devices]
    assert 45 <= sum(device.snmp is not None for device in devices) <= 60
    assert 35 <= sum(bool(device.mqtt) for device in devices) <= 50
    assert all(school.internet is not None for school in inventory.schools)


def test_the_example_warns_of_the_one_room_without_an_ap() -> None:
    (warning,) = check_inventory(EXAMPLE).warnings
    assert warning.file == EXAMPLE / "schools" / "yunshan-village.yaml"
    assert "room 'ys-202' is promised Wi-Fi, and no AP serves it" in warning.text


def test_values_arrive_as_the_models_have_them(tmp_path: Path) -> None:
    write_district(tmp_path, SCHOOL.replace("snmp: campus", "snmp: campus\n    interval: 1h30m"))
    school = load_inventory(tmp_path).school("hill")
    assert school.devices[0].interval == dt.timedelta(minutes=90)
    assert [room.seats for room in school.rooms()] == [24, 24]
    assert school.agent_of(school.devices[1]) == "hill-agent"


def test_every_problem_of_every_file_comes_at_once_and_in_order(tmp_path: Path) -> None:
    school = write_district(
        tmp_path,
        SCHOOL.replace("area: rural", "area: remote").replace("students: 60", "students: some"),
    )
    (school.parent / "vale.yaml").write_text(SCHOOL.replace("hill", "vale"), encoding="utf-8")
    (school.parent / "peak.yaml").write_text(
        SCHOOL.replace("hill", "peak")
        .replace("uplink: peak-router", "uplink: peak-gate")
        .replace("room: peak-101", "room: vale-101"),
        encoding="utf-8",
    )
    (tmp_path / "mappings.yaml").write_text("mappings: [\n", encoding="utf-8")
    (tmp_path / "calendar.yaml").write_text(
        "calendars:\n  - id: default\n    weekday: [mon]\n    closed_days: [2026-02-30]\n",
        encoding="utf-8",
    )
    assert _problems(tmp_path) == [
        "calendar.yaml:3: unknown key 'weekday'; did you mean 'weekdays'?",
        'calendar.yaml:4: closed_days is "2026-02-30"; expected a date such as 2026-09-01',
        "mappings.yaml:2: a value or a bracket is missing; expected it before here",
        'schools/hill.yaml:3: area is "remote"; expected "urban", "town" or "rural"',
        'schools/hill.yaml:4: students is "some"; expected a whole number, at least 0',
        (
            "schools/peak.yaml:26: device 'peak-gate' is not in this school; "
            "expected one of peak-router, peak-ap"
        ),
        (
            "schools/peak.yaml:26: room 'vale-101' belongs to school 'vale'; "
            "expected one of this school"
        ),
    ]


def test_a_broken_file_does_not_make_references_into_it_wrong(tmp_path: Path) -> None:
    write_district(tmp_path)
    (tmp_path / "district.yaml").write_text("id: hills\n", encoding="utf-8")
    assert all(problem.startswith("district.yaml:1: key ") for problem in _problems(tmp_path))


def test_a_misspelt_key_is_not_reported_as_missing_too(tmp_path: Path) -> None:
    write_district(tmp_path, SCHOOL.replace("students:", "student:"))
    assert _problems(tmp_path) == [
        "schools/hill.yaml:4: unknown key 'student'; did you mean 'students'?"
    ]


def test_a_fault_inside_a_union_has_its_own_line(tmp_path: Path) -> None:
    write_district(tmp_path)
    with (tmp_path / "district.yaml").open("a", encoding="utf-8") as file:
        file.write(
            "  2c:\n"
            '    version: "2c"\n'
            "    community: public\n"
            "targets:\n"
            "  - id: up\n"
            "    uptime: 3\n"
            "    kind: uptime\n"
            "    device_kinds: [ups, uups]\n"
            "    objective: high\n"
        )
    assert [problem.split(";")[0] for problem in _problems(tmp_path)] == [
        "district.yaml:9: community is no reference to a secret",
        "district.yaml:12: unknown key 'uptime'",
        'district.yaml:14: device_kinds is "uups"',
        'district.yaml:15: objective is "high"',
    ]


def test_values_may_be_shared_by_anchors(tmp_path: Path) -> None:
    write_district(tmp_path)
    (tmp_path / "calendar.yaml").write_text(
        "calendars:\n"
        "  - id: default\n"
        "    terms: &terms\n"
        "      - {id: autumn, name: Autumn, start: 2026-09-01, end: 2027-01-22}\n"
        "  - {id: late, terms: *terms, public_holidays: false}\n",
        encoding="utf-8",
    )
    first, second = load_inventory(tmp_path).calendars
    assert first.terms == second.terms


def test_what_is_probably_not_meant_is_a_warning(tmp_path: Path) -> None:
    write_district(
        tmp_path,
        SCHOOL.replace(", wifi: false", "")
        .replace(", uplink: hill-router", "")
        .replace("students: 60", "students: 60\ninternet: {device: hill-router, down: 50, up: 20}")
        .replace("    snmp: campus", "    ping: false")
        .replace("# The end.", "  - {id: hill-ap2, name: AP 2, kind: ap, address: 10.1.0.3}"),
    )
    (tmp_path / "calendar.yaml").write_text(
        "calendars:\n"
        "  - id: default\n"
        "    terms: [{id: autumn, name: Autumn, start: 2026-09-01, end: 2027-01-22}]\n"
        "    closed_days: [2027-02-01]\n",
        encoding="utf-8",
    )
    assert [warning.split(";")[0] for warning in _warnings(tmp_path)] == [
        "calendar.yaml:4: 2027-02-01 is in no term, so it changes nothing",
        "schools/hill.yaml:17: room 'hill-102' is promised Wi-Fi, and no AP serves it",
        "schools/hill.yaml:21: nothing asks device 'hill-router'",
        "schools/hill.yaml:27: ap 'hill-ap' has no uplink, so its path to the internet is unknown",
        "schools/hill.yaml:28: ap 'hill-ap2' has no uplink, so its path to the internet is unknown",
        "schools/hill.yaml:28: ap 'hill-ap2' serves no room",
    ]


def test_addresses_are_compared_by_what_they_mean(tmp_path: Path) -> None:
    write_district(
        tmp_path, SCHOOL.replace("10.1.0.1", '"2001:db8::1"').replace("10.1.0.2", '"2001:DB8:0::1"')
    )
    (problem,) = _problems(tmp_path)
    assert "address 2001:DB8:0::1 port 161 is already that of 'hill-router'" in problem


def test_one_address_with_two_ports_is_two_devices(tmp_path: Path) -> None:
    write_district(tmp_path, SCHOOL.replace("10.1.0.2", "10.1.0.1, port: 1161"))
    assert len(load_inventory(tmp_path).school("hill").devices) == 2


_FRAGMENTS = (
    *"[]{}:-,#&*!|>'\"%@`?\t\n\r \0\x85\ufeffé~",
    *("\n  ", "<<: *a", "&a ", "*a", "---\n", "...\n", "- - ", "%YAML 1.1\n---\n", "9" * 5000),
    *("!!binary ", "!!set ", "!!timestamp ", "!!int ", "!!float ", "!!omap ", "!own "),
    *("1e999", ".inf", ".nan", "0x", "null", "true", "2026-13-45", "{a: b}", "[a]", "[" * 2000),
)


@settings(deadline=None, max_examples=200)
@given(
    edits=st.lists(
        st.tuples(
            st.integers(0, len(SCHOOL)), st.sampled_from(_FRAGMENTS), st.sampled_from((0, 1, 5))
        ),
        min_size=1,
        max_size=3,
    )
)
@example(edits=[(33, "9" * 5000, 5)])
def test_no_text_is_worse_than_an_error_with_its_file(
    edits: list[tuple[int, str, int]], tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Whatever a slip of the keyboard makes of a file, the loader says what is wrong."""
    text = SCHOOL
    for position, fragment, dropped in edits:
        text = text[:position] + fragment + text[position + dropped :]
    directory = tmp_path_factory.mktemp("district")
    path = write_district(directory)
    path.write_bytes(text.encode())
    try:
        load_inventory(directory)
    except InventoryError as error:
        assert {problem.file for problem in error.problems} == {path}  # noqa: PT017
