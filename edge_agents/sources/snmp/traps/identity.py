"""The SNMP engine that this agent is to whoever sends it informs."""

from __future__ import annotations

import json
import os
import secrets
from dataclasses import dataclass
from pathlib import Path
from typing import Final

_PREFIX: Final = bytes.fromhex("80004fb805")
"""RFC 3411 (5, SnmpEngineID): the enterprise number of pysnmp, and octets of its own choice."""


@dataclass(frozen=True)
class EngineIdentity:
    """Id and restarts of an engine (RFC 3411, 5).

    Attributes:
        engine_id: snmpEngineID.
        boots: snmpEngineBoots.
    """

    engine_id: bytes
    boots: int


def next_identity(path: Path) -> EngineIdentity:
    """Return the identity for this run of the engine, and keep it for the next.

    A file that is missing or damaged makes a new engine, which senders discover.

    Raises:
        OSError: it can't be kept.
    """
    try:
        kept = json.loads(path.read_text())
        identity = EngineIdentity(bytes.fromhex(kept["engine_id"]), int(kept["boots"]) + 1)
    except (OSError, ValueError, KeyError, TypeError):
        identity = EngineIdentity(_PREFIX + secrets.token_bytes(8), 1)
    path.parent.mkdir(parents=True, exist_ok=True)
    new = path.with_suffix(".new")
    with new.open("w") as file:
        json.dump({"engine_id": identity.engine_id.hex(), "boots": identity.boots}, file)
        file.flush()
        os.fsync(file.fileno())
    new.replace(path)
    return identity
