"""The agents that are asked: net-snmp's, and recordings of real devices."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path
from typing import Final

import pytest

from edge_agents.sources.snmp import ProfileRegistry
from tests.edge_agents.snmp.devices import RECORDINGS
from tests.servers import Server, running, snmpd, snmpsim

READ: Final = [f"1.3.6.1.2.1.{group}" for group in (1, 2, 25, 31, 47, 99)]
"""The groups of MIB-2 that the generic profile reads."""

SNMPD: Final = """
rocommunity public
createUser md5des MD5 "auth secret" DES "priv secret"
createUser sha1aes SHA "auth secret" AES "priv secret"
createUser sha256aes SHA-256 "auth secret" AES "priv secret"
createUser sha512 SHA-512 "auth secret"
createUser open
rouser md5des priv
rouser sha1aes priv
rouser sha256aes priv
rouser sha512 auth
rouser open noauth
sysName snmpd-under-test
sysLocation 三楼机房
"""


@pytest.fixture(scope="session")
def profiles() -> ProfileRegistry:
    return ProfileRegistry.load()


@pytest.fixture(scope="session")
def net_snmp(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with running(snmpd(tmp_path_factory.mktemp("snmpd"), SNMPD)) as server:
        yield server


@pytest.fixture(scope="session")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    data = Path(str(files("snmpsim_data"))) / "data" / "network"
    recordings = {name: data / f"{path}.snmprec.bz2" for name, path in RECORDINGS.items()}
    with running(snmpsim(tmp_path_factory.mktemp("snmpsim"), recordings, READ)) as server:
        yield server
