"""`snmp try` and `snmp walk`, as a user runs them."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from campuswatch.errors import UserError
from edge_agents.sources.snmp.commands import snmp_app
from tests.servers import Server, free_port

SYSTEM = "1.3.6.1.2.1.1"


def run(*arguments: object) -> Result:
    return CliRunner().invoke(snmp_app, [str(argument) for argument in arguments])


def test_try_shows_the_profile_and_every_reading(net_snmp: Server) -> None:
    result = run("try", "127.0.0.1", "--port", net_snmp.port, "--interval", 0)
    assert result.exit_code == 0
    assert "profile net-snmp" in result.stdout
    assert "interface (" in result.stdout
    assert "snmpd-under-test" in result.stdout


def test_try_polls_twice_so_that_there_are_rates(net_snmp: Server) -> None:
    result = run("try", "127.0.0.1", "--port", net_snmp.port, "--interval", 0.2, "--json")
    found = json.loads(result.stdout)
    assert found["profile"] == "net-snmp"
    ports = [row for row in found["readings"] if row["measurement"] == "interface"]
    (loopback,) = [port for port in ports if port["tags"]["interface"] == "lo"]
    assert loopback["fields"].keys() >= {"index", "oper_state", "in_rate"}


def test_try_says_why_a_device_is_not_read() -> None:
    result = run("try", "127.0.0.1", "--port", free_port(), "--json")
    assert result.exit_code == 1
    found = json.loads(result.stdout)
    assert found["profile"] is None
    (available,) = found["readings"]
    assert "nothing listens on the UDP port" in available["fields"]["reason"]


def test_try_takes_a_credential_of_the_inventory(
    net_snmp: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    district = tmp_path / "config"
    shutil.copytree("config", district)
    text = (district / "district.yaml").read_text(encoding="utf-8")
    credential = (
        "credentials:\n  tested: {version: '3', user: sha1aes, auth: sha1, auth_key: 'env:A',"
        " priv: aes128, priv_key: 'env:P'}\n"
    )
    (district / "district.yaml").write_text(
        text.replace("credentials:\n", credential, 1), encoding="utf-8"
    )
    monkeypatch.setenv("A", "auth secret")
    monkeypatch.setenv("P", "priv secret")
    options = ["--port", net_snmp.port, "--interval", 0, "--config", district]
    assert run("try", "127.0.0.1", *options, "--credential", "tested").exit_code == 0
    unknown = run("try", "127.0.0.1", *options, "--credential", "other")
    assert isinstance(unknown.exception, UserError)
    assert "expected one of" in str(unknown.exception)


def test_walk_prints_text_and_octets(net_snmp: Server) -> None:
    result = run("walk", "127.0.0.1", SYSTEM, "--port", net_snmp.port)
    assert result.exit_code == 0
    assert f"{SYSTEM}.6.0 = 三楼机房" in result.stdout.splitlines()
    addresses = run("walk", "127.0.0.1", "1.3.6.1.2.1.2.2.1.6", "--port", net_snmp.port)
    assert "1.3.6.1.2.1.2.2.1.6.1 = " in addresses.stdout.splitlines()


def test_walk_prints_json_line_by_line(net_snmp: Server) -> None:
    result = run("walk", "127.0.0.1", SYSTEM, "--port", net_snmp.port, "--json")
    rows = [json.loads(line) for line in result.stdout.splitlines()]
    assert {"oid": f"{SYSTEM}.5.0", "value": "snmpd-under-test"} in rows


def test_walk_says_why_there_is_no_answer() -> None:
    result = run("walk", "127.0.0.1", SYSTEM, "--port", free_port())
    assert result.exit_code == 1
    assert "nothing listens" in result.stderr


def test_a_walk_is_recorded_and_replayed(net_snmp: Server, tmp_path: Path) -> None:
    file = tmp_path / "host.snmprec"
    recorded = run("walk", "127.0.0.1", "1.3.6.1.2.1", "--port", net_snmp.port, "--out", file)
    assert recorded.exit_code == 0, recorded.output
    asked = run("try", "127.0.0.1", "--port", net_snmp.port, "--interval", 0, "--json")
    replayed = run("try", "--replay", file, "--interval", 0, "--json", "--unread")
    assert replayed.exit_code == 0, replayed.output
    live, again = json.loads(asked.stdout), json.loads(replayed.stdout)
    assert _ports(again) == _ports(live)
    assert "IP-MIB" in {subtree["mib"] for subtree in again["unread"]}


def _ports(tried: dict[str, Any]) -> dict[str, int]:
    rows = [row for row in tried["readings"] if row["measurement"] == "interface"]
    return {row["tags"]["interface"]: row["fields"]["index"] for row in rows}


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["walk", "127.0.0.1", "ifTable"], "expected numbers and dots"),
        (["walk", "127.0.0.1", "--community-env", "UNSET_HERE"], "UNSET_HERE is not set"),
        (["try", "127.0.0.1", "--profile", "nokia"], "unknown SNMP profile"),
        (["try"], "expected a HOST"),
        (["try", "--replay", "nothing.snmprec"], "nothing.snmprec"),
    ],
)
def test_bad_input_is_the_users_to_mend(arguments: list[str], words: str) -> None:
    result = run(*arguments)
    assert isinstance(result.exception, UserError)
    assert words in str(result.exception)
