"""Devices from CSV and NetBox, merged into a school's file that people edit by hand."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from campuswatch.inventory.imports.csv_file import read_csv
from campuswatch.inventory.imports.edits import ListEditor
from campuswatch.inventory.loader import load_inventory
from campuswatch.inventory.models import Device, DeviceKind
from campuswatch.inventory.problems import InventoryError
from tests.inventory.commands import campuswatch
from tests.inventory.districts import EXAMPLE, SCHOOL, copy_example, write_district

NETBOX = Path(__file__).parent / "netbox_devices.json"


def _import_csv(directory: Path, text: str, *more: str | Path) -> tuple[int, str, list[str]]:
    """Return the exit code, what was said of each device, and the faults without their file."""
    path = directory / "devices.csv"
    path.write_text(text, encoding="utf-8")
    done = campuswatch("import", "csv", path, "--school", "hill", "--config", directory, *more)
    faults = [line.removeprefix(f"error: {path}:") for line in done.stderr.splitlines()]
    return done.returncode, done.stdout, faults


def _devices(directory: Path) -> dict[str, Device]:
    return {device.id: device for device in load_inventory(directory).school("hill").devices}


def test_new_devices_are_added_and_the_rest_stays_to_the_letter(tmp_path: Path) -> None:
    school = write_district(tmp_path)
    code, said, faults = _import_csv(
        tmp_path,
        "id,name,kind,room,address,port,snmp,uplink,serves,interval\n"
        'hill-ap-2,"AP ""w"": 西",ap,hill-102,10.1.0.3,1161,campus,hill-sw,hill-101 hill-102,2m\n'
        "hill-sw,,switch,,10.1.0.4,,campus,hill-router,,\n",
    )
    assert (code, faults) == (0, [])
    assert "2 added, 0 changed, 0 unchanged, 0 skipped, 0 faulty" in said
    added = (
        "  - {id: hill-ap-2, name: 'AP \"w\": 西', kind: ap, room: hill-102, address: 10.1.0.3, "
        "port: 1161, snmp: campus, uplink: hill-sw, serves: [hill-101, hill-102], interval: 2m}\n"
        "  - {id: hill-sw, name: hill-sw, kind: switch, address: 10.1.0.4, snmp: campus, "
        "uplink: hill-router}\n"
    )
    before, end = SCHOOL.split("# The end.\n")
    assert school.read_text(encoding="utf-8") == before + added + "# The end.\n" + end
    assert _devices(tmp_path)["hill-ap-2"].serves == ["hill-101", "hill-102"]


def test_known_devices_change_where_a_cell_differs(tmp_path: Path) -> None:
    school = write_district(tmp_path)
    code, said, faults = _import_csv(
        tmp_path,
        "ID;Name;Address;Port;Retries;Ping;Snmp\n"
        "hill-router;Gate;10.1.0.9;;1;;campus\n"
        "hill-ap;;;162;0;false;campus\n",
    )
    assert (code, faults) == (0, [])
    assert "name: Router → Gate, address: 10.1.0.1 → 10.1.0.9, retries: 2 → 1" in said
    assert school.read_text(encoding="utf-8") == SCHOOL.replace(
        "name: Router", "name: Gate"
    ).replace(
        "10.1.0.1 # by the door\n    snmp: campus\n",
        "10.1.0.9 # by the door\n    snmp: campus\n    retries: 1\n",
    ).replace(
        "uplink: hill-router}",
        "uplink: hill-router, port: 162, retries: 0, ping: false, snmp: campus}",
    )


def test_a_second_import_changes_nothing(tmp_path: Path) -> None:
    school = write_district(tmp_path)
    text = "id,kind,address,interval\nhill-sw,switch,10.1.0.4,90s\nhill-router,,,60s\n"
    _import_csv(tmp_path, text)
    once, written = school.read_text(encoding="utf-8"), school.stat().st_mtime_ns
    code, said, faults = _import_csv(tmp_path, text)
    assert (code, faults) == (0, [])
    assert "0 added, 0 changed, 2 unchanged" in said
    assert (school.read_text(encoding="utf-8"), school.stat().st_mtime_ns) == (once, written)


def test_faulty_rows_are_named_and_the_good_ones_imported(tmp_path: Path) -> None:
    write_district(tmp_path)
    code, said, faults = _import_csv(
        tmp_path,
        "id,kind,room,address,snmp,uplink\n"
        "hill-good,switch,hill-101,10.1.0.4,campus,hill-router\n"
        "hill-kind,swich,,10.1.0.5,,\n"
        "hill-room,switch,hill-999,10.1.0.6,,\n"
        "hill-same,switch,,10.1.0.1,,\n"
        "hill-leaf,switch,,10.1.0.7,,hill-room\n"
        "hill-router,,,,,hill-ap\n"
        ",switch,,10.1.0.8,,\n"
        "hill-wide,switch,,10.1.0.8,,,surplus\n"
        "\n"
        "Hill 9,switch,,10.1.0.8,,\n"
        "hill-good,switch,,10.1.0.9,,\n"
        "hill-bare,,,10.1.0.10,,\n",
    )
    assert code == 2
    assert "1 added, 0 changed, 0 unchanged, 0 skipped, 10 faulty" in said
    assert [fault.split(";")[0] for fault in faults] == [
        "3: device 'hill-kind': kind is \"swich\"",
        "4: device 'hill-room': room 'hill-999' is not in this school",
        (
            "5: device 'hill-same': address 10.1.0.1 port 161 is already that of 'hill-router' at "
            f"{tmp_path}/devices.csv:7"
        ),
        "6: device 'hill-leaf': device 'hill-room' is not in this school",
        "7: device 'hill-router': uplinks run in a circle: hill-router → hill-ap → hill-router",
        "8: the row has no id",
        "9: the row has 7 cells",
        "11: device 'Hill 9': id is \"Hill 9\"",
        "12: device 'hill-good': is already on line 2",
        "13: device 'hill-bare': key 'kind' is missing",
    ]
    assert set(_devices(tmp_path)) == {"hill-router", "hill-ap", "hill-good"}


def test_an_id_of_another_school_is_refused(tmp_path: Path) -> None:
    config = copy_example(tmp_path)
    path = tmp_path / "devices.csv"
    path.write_text("id,kind,address\nys-router,router,10.9.9.9\n", encoding="utf-8")
    done = campuswatch("import", "csv", path, "--school", "binjiang-primary", "--config", config)
    assert done.returncode == 2
    assert f"error: {path}:2: device 'ys-router': device id 'ys-router' is already" in done.stderr


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "1: no column 'id'"),
        ("id,kind,adress\n", "1: unknown column 'adress'; did you mean 'address'?"),
        ("id,kind,id\n", "1: column 'id' is here twice; expected it once"),
        ("kind\nswitch\n", "1: no column 'id'"),
        ('id,"kind\n', "1: no valid CSV: unexpected end of data"),
    ],
)
def test_a_wrong_header_is_refused_as_a_whole(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "devices.csv"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(InventoryError) as caught:
        read_csv(path)
    assert f"{path}:{message}" in str(caught.value)


def test_what_a_spreadsheet_saves_is_read(tmp_path: Path) -> None:
    path = tmp_path / "devices.csv"
    path.write_bytes('\ufeffId\tName\r\na\t"two\r\nlines"\r\nb\t 西 \r\n'.encode())
    rows = read_csv(path).rows
    assert [(row.number, row.data) for row in rows] == [
        (2, {"id": "a", "name": "two\r\nlines"}),
        (4, {"id": "b", "name": "西"}),
    ]


def test_a_spreadsheet_that_is_not_utf_8_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "devices.csv"
    path.write_bytes("id,name\na,西\n".encode("gbk"))
    with pytest.raises(InventoryError, match=r"devices\.csv:2: byte 0xce is not UTF-8"):
        read_csv(path)


def test_out_leaves_the_schools_file_alone(tmp_path: Path) -> None:
    school = write_district(tmp_path)
    out = tmp_path / "new.yaml"
    _import_csv(tmp_path, "id,kind,address\nhill-sw,switch,10.1.0.4\n", "--out", out)
    assert school.read_text(encoding="utf-8") == SCHOOL
    assert "hill-sw" in out.read_text(encoding="utf-8")


def test_an_inventory_with_errors_is_not_imported_into(tmp_path: Path) -> None:
    school = write_district(tmp_path, SCHOOL.replace("students: 60", "students: many"))
    before = school.read_text(encoding="utf-8")
    code, _, faults = _import_csv(tmp_path, "id,kind,address\nhill-sw,switch,10.1.0.4\n")
    assert code == 2
    assert any('students is "many"' in fault for fault in faults)
    assert school.read_text(encoding="utf-8") == before


def _import_netbox(directory: Path, *more: str | Path) -> tuple[int, str, str]:
    done = campuswatch("import", "netbox", NETBOX, "--school", "hill", "--config", directory, *more)
    return done.returncode, done.stdout, done.stderr


def test_netbox_devices_are_imported_or_said_why_not(tmp_path: Path) -> None:
    school = write_district(tmp_path)
    code, said, faults = _import_netbox(tmp_path, "--snmp", "campus")
    assert code == 2
    for words in (
        "2 added, 0 changed, 1 unchanged, 3 skipped, 3 faulty",
        "line 213 hill-ups: status is 'planned', not 'active'",
        "line 272 vale-sw: site is 'vale', not 'hill'",
        "line 331 hill-patch: it has no primary IP",
    ):
        assert words in " ".join(said.split())
    assert faults.splitlines() == [
        f"error: {NETBOX}:381: hill-cam: role 'camera' says no kind; expected --role camera=KIND",
        (
            f"error: {NETBOX}:440: Unnamed: the device has no name; "
            "expected one, from which its id is made"
        ),
        (
            f"error: {NETBOX}:499: hill-sw-3: unknown custom field 'campuswatch_uplnk'; "
            "did you mean 'campuswatch_uplink'?"
        ),
    ]
    devices = _devices(tmp_path)
    switch, ap = devices["hill-sw-2"], devices["hill-ap-102"]
    assert (switch.name, switch.kind, switch.room) == ("HILL SW 2", DeviceKind.SWITCH, "hill-101")
    assert (switch.address, switch.snmp, switch.uplink) == ("10.1.0.12", "campus", "hill-router")
    assert (ap.kind, ap.room, ap.serves) == (DeviceKind.AP, "hill-102", ["hill-101", "hill-102"])
    assert devices["hill-router"].name == "Router"
    assert "# H3C S5130S-28P-EI\n" in school.read_text(encoding="utf-8")


def test_a_faulty_device_is_told_from_others_on_the_same_line(tmp_path: Path) -> None:
    """As curl saves what NetBox answers."""
    write_district(tmp_path)
    path = tmp_path / "devices.json"
    path.write_text(json.dumps(json.loads(NETBOX.read_text(encoding="utf-8"))), encoding="utf-8")
    done = campuswatch(
        "import", "netbox", path, "--school", "hill", "--config", tmp_path, "--snmp", "campas"
    )
    assert f"{path}:1: device 'hill-sw-2': credential 'campas' is not in" in done.stderr
    assert "0 added, 0 changed, 1 unchanged, 3 skipped, 5 faulty" in done.stdout
    done = campuswatch("import", "netbox", path, "--school", "hill", "--config", tmp_path)
    assert "2 added, 0 changed, 1 unchanged, 3 skipped, 3 faulty" in done.stdout


def test_roles_and_site_can_be_told(tmp_path: Path) -> None:
    write_district(tmp_path)
    _import_netbox(tmp_path, "--site", "vale")
    assert _devices(tmp_path)["vale-sw"].address == "10.2.0.12"
    _import_netbox(tmp_path, "--role", "camera=sensor")
    assert _devices(tmp_path)["hill-cam"].kind is DeviceKind.SENSOR
    code, _, faults = _import_netbox(tmp_path, "--role", "camera=sensr")
    assert code == 2
    assert faults.startswith("--role camera=sensr: kind 'sensr' is not in ROLE=KIND; did you mean")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", ":1: no valid JSON"),
        ('{"detail": "Invalid token"}', ":1: no list of devices"),
        ('{"count": 90, "next": "https://x/?offset=50", "results": []}', ":1: this is one page"),
    ],
)
def test_what_is_no_netbox_export_is_refused(tmp_path: Path, text: str, message: str) -> None:
    write_district(tmp_path)
    path = tmp_path / "devices.json"
    path.write_text(text, encoding="utf-8")
    done = campuswatch("import", "netbox", path, "--school", "hill", "--config", tmp_path)
    assert done.returncode == 2
    assert done.stderr.startswith(f"{path}{message}")


def test_an_unknown_school_is_said_so(tmp_path: Path) -> None:
    write_district(tmp_path)
    done = campuswatch("import", "netbox", NETBOX, "--school", "hil", "--config", tmp_path)
    assert done.returncode == 2
    assert done.stderr == "--school: school 'hil' is not in schools/; did you mean 'hill'?\n"


_DEVICE = "{id: d, name: D, kind: switch, address: 10.1.0.5}"


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("", f"devices:\n  - {_DEVICE}\n"),
        ("devices: []\n", f"devices:\n  - {_DEVICE}\n"),
        ("devices: [ ] # none", f"devices: # none\n  - {_DEVICE}"),
        ("devices: [{id: c}]\n", f"devices: [{{id: c}}, {_DEVICE}]\n"),
        ("devices:\n- id: c\n", f"devices:\n- id: c\n- {_DEVICE}\n"),
        ("devices:\n- id: c # note", f"devices:\n- id: c # note\n- {_DEVICE}"),
        (
            "devices:\r\n- id: c\r\nstaff: 1\r\n",
            f"devices:\r\n- id: c\r\n- {_DEVICE}\r\nstaff: 1\r\n",
        ),
        (
            "devices:\n  - id: c\n    name: |\n      C\n\n# end\n",
            f"devices:\n  - id: c\n    name: |\n      C\n  - {_DEVICE}\n\n# end\n",
        ),
    ],
)
def test_a_device_is_added_in_every_layout(before: str, after: str) -> None:
    editor = ListEditor(f"id: x\n{before}", ["devices"])
    editor.add({"id": "d", "name": "D", "kind": "switch", "address": "10.1.0.5"}, "")
    assert editor.text() == f"id: x\n{after}"


@settings(deadline=None, max_examples=60)
@given(
    name=st.text(
        st.characters(blacklist_categories=("Cs", "Cc", "Cn", "Co")), min_size=1, max_size=200
    ),
    known=st.booleans(),
)
def test_any_name_comes_back_from_the_file(
    name: str, known: bool, tmp_path_factory: pytest.TempPathFactory
) -> None:
    directory = tmp_path_factory.mktemp("district")
    editor = ListEditor(SCHOOL, ["devices"])
    if known:
        editor.set("hill-ap", "name", name)
    else:
        editor.add({"id": "d", "name": name, "kind": "ap", "address": "10.1.0.7"}, "")
    write_district(directory, editor.text())
    assert _devices(directory)["hill-ap" if known else "d"].name == name


def test_the_example_district_takes_an_import_without_other_changes(tmp_path: Path) -> None:
    config = copy_example(tmp_path)
    path = tmp_path / "devices.csv"
    path.write_text(
        "id,kind,room,address,snmp,uplink\nys-ap-202,ap,ys-202,10.24.2.14,legacy,ys-switch\n",
        encoding="utf-8",
    )
    done = campuswatch("import", "csv", path, "--school", "yunshan-village", "--config", config)
    assert done.returncode == 0
    school = Path("schools/yunshan-village.yaml")
    old = (EXAMPLE / school).read_text(encoding="utf-8").splitlines()
    new = (config / school).read_text(encoding="utf-8").splitlines()
    assert [line for line in new if line not in old] == [
        (
            "  - {id: ys-ap-202, name: ys-ap-202, kind: ap, room: ys-202, address: 10.24.2.14, "
            "snmp: legacy, uplink: ys-switch}"
        )
    ]
    assert len(new) == len(old) + 1
    assert campuswatch("validate", "--config", config).stderr == ""
