"""Profile files: what is refused and where, and which one is chosen."""

from __future__ import annotations

from pathlib import Path

import pytest

from campuswatch.errors import UserError
from edge_agents.sources.snmp.registry import SHIPPED, ProfileRegistry

GOOD = """\
name: rack-sensor
title: A rack sensor
vendor: Acme
match:
  - object_id: 1.3.6.1.4.1.99999.1
includes: [system]
tables:
  - id: temperature
    measurement: hardware_sensor
    columns:
      value: {oid: 1.3.6.1.4.1.99999.1.1.2, read: normal, scale: 0.1}
      name: {oid: 1.3.6.1.4.1.99999.1.1.1, read: slow}
      kind: {oid: 1.3.6.1.4.1.99999.1.1.3, read: slow, enum: {1: temperature}}
    tags:
      sensor: {from: name, unique: true}
      quantity: kind
    fields:
      value: value
"""


def loaded(directory: Path, **files: str) -> ProfileRegistry:
    for name, text in files.items():
        (directory / f"{name}.yaml").write_text(text, encoding="utf-8")
    return ProfileRegistry.load(directory)


def test_the_shipped_profiles_are_sound(profiles: ProfileRegistry) -> None:
    assert set(profiles.names) == {path.stem for path in SHIPPED.rglob("*.yaml")}
    tables = [table.id for table in profiles.get("huawei").tables]
    generic = [table.id for table in profiles.get("generic").tables]
    assert tables[: len(generic)] == generic
    assert "interfaces" in tables


def test_the_example_of_the_guide_is_sound(tmp_path: Path) -> None:
    guide = (SHIPPED / "README.md").read_text(encoding="utf-8")
    example = guide.partition("```yaml\n")[2].partition("```")[0]
    registry = loaded(tmp_path, example=example)
    assert registry.choose("1.3.6.1.4.1.1", "ACME Sensor 3").name == "rack-sensor"


def test_a_profile_of_the_district_is_added(tmp_path: Path) -> None:
    registry = loaded(tmp_path, sensor=GOOD)
    chosen = registry.choose("1.3.6.1.4.1.99999.1.7", "")
    assert chosen.name == "rack-sensor"
    assert [table.id for table in chosen.tables] == ["system", "chassis", "temperature"]


def test_the_longest_object_id_wins_and_then_the_description(tmp_path: Path) -> None:
    registry = loaded(
        tmp_path,
        vendor="name: acme\ntitle: Acme\nmatch: [{object_id: 1.3.6.1.4.1.99999}]\n",
        model="name: acme-9\ntitle: Acme 9\nmatch: [{object_id: 1.3.6.1.4.1.99999.9}]\n",
        variant="name: acme-9-x\ntitle: Acme 9 X\n"
        "match: [{object_id: 1.3.6.1.4.1.99999.9, description: 'Model X'}]\n",
        words="name: worded\ntitle: By its words\nmatch: [{description: '(?i)thermohub'}]\n",
    )
    assert registry.choose("1.3.6.1.4.1.99999.1", "").name == "acme"
    assert registry.choose("1.3.6.1.4.1.99999.9.1", "").name == "acme-9"
    assert registry.choose("1.3.6.1.4.1.99999.91", "").name == "acme"
    assert registry.choose("1.3.6.1.4.1.99999.9.1", "Model X").name == "acme-9-x"
    assert registry.choose("1.3.6.1.4.1.77777", "ThermoHub 2").name == "worded"
    assert registry.choose("1.3.6.1.4.1.77777", "?").name == "generic"
    assert registry.choose("", "").name == "generic"


def test_a_table_of_the_same_id_replaces_the_included_one(tmp_path: Path) -> None:
    registry = loaded(
        tmp_path,
        one=GOOD,
        two=GOOD.replace("name: rack-sensor", "name: rack-sensor-2", 1)
        .replace("includes: [system]", "includes: [rack-sensor]")
        .replace("scale: 0.1", "scale: 0.01"),
    )
    (table,) = [t for t in registry.get("rack-sensor-2").tables if t.id == "temperature"]
    assert table.columns["value"].scale == 0.01


@pytest.mark.parametrize(
    ("old", "new", "line", "words"),
    [
        ("measurement: hardware_sensor", "measurement: sensor", 9, "hardware_sensor"),
        ("includes: [system]", "includes: [systems]", 6, "unknown profile 'systems'"),
        ("includes: [system]", "includes: [rack-sensor]", 6, "includes itself"),
        ("1.3.6.1.4.1.99999.1.1.2", "enterprises.99999", 11, "an OID such as"),
        ("read: normal", "read: often", 11, "fast"),
        ("scale: 0.1", "scala: 0.1", 11, "did you mean 'scale'"),
        ("quantity: kind", "quantity: knd", 16, "unknown column 'knd'"),
        ("quantity: kind", "colour: kind", 16, "no tag 'colour'"),
        ("value: value", "reading: value", 18, "no field 'reading'"),
        ("value: value", "value: {share: status, of: value}", 18, "not declared above"),
        ("value: value", "value: {from: value, since: value}", 18, "expected one"),
        ("value: value", "value: {rate: value}", 18, "no counter"),
        ("- object_id: 1.3.6.1.4.1.99999.1", "- description: '('", 5, "regular expression"),
        ("- object_id: 1.3.6.1.4.1.99999.1", "- {}", 5, "the match is empty"),
        ("read: normal, scale: 0.1", "counter: 32", 11, "is a counter"),
        ("vendor: Acme", "vendor: Acme\nvendor: Acme", 4, "already"),
    ],
)
def test_a_fault_is_told_with_its_file_and_line(
    old: str, new: str, line: int, words: str, tmp_path: Path
) -> None:
    assert GOOD.count(old) == 1
    with pytest.raises(UserError) as caught:
        loaded(tmp_path, sensor=GOOD.replace(old, new))
    assert f"{tmp_path / 'sensor.yaml'}:{line}:" in str(caught.value)
    assert words in str(caught.value)


def test_an_unknown_profile_is_told_with_those_there_are(profiles: ProfileRegistry) -> None:
    with pytest.raises(UserError, match=r"'huawai'.*huawei"):
        profiles.get("huawai")


@pytest.mark.parametrize(
    ("object_id", "description", "name"),
    [
        ("1.3.6.1.4.1.11863.5.34", "JetStream 48-Port Gigabit L2 Managed Switch", "tp-link"),
        ("1.3.6.1.4.1.4413", "EdgeSwitch 24-Port 250W, 1.0.1.4720839", "edgeswitch"),
        ("1.3.6.1.4.1.4413", "Broadcom", "generic"),
        ("1.3.6.1.4.1.28557.1.118", "", "hillstone"),
    ],
)
def test_switches_and_firewalls_are_recognised(
    object_id: str, description: str, name: str, profiles: ProfileRegistry
) -> None:
    assert profiles.choose(object_id, description).name == name


def test_rows_that_an_including_profile_leaves_out(tmp_path: Path) -> None:
    text = GOOD.replace("includes: [system]", "includes: [host-resources]")
    text += 'without: {storages: {name: "^/proc"}}\n'
    tables = loaded(tmp_path, sensor=text).get("rack-sensor").tables
    (storages,) = [table for table in tables if table.id == "storages"]
    assert storages.without == {"name": "^/proc"}


def test_rows_of_no_included_table(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="expected an included table 'storages' with columns name"):
        loaded(tmp_path, sensor=GOOD + 'without: {storages: {name: "^/proc"}}\n')
