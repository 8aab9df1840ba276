"""Mosquitto's users and access control, made from the inventory.

Every agent gets a user of its own that may write its own topics and read its
own commands and status; the district's services may read the data of all.
Formats: mosquitto.conf(5), mosquitto_passwd(1).
"""

from __future__ import annotations

import base64
import hashlib
import os
import secrets
import shutil
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from campuswatch.inventory.models import Inventory
from campuswatch.wire import AgentAddress, Channel, subscription

ACL_FILE: Final = "acl"
PASSWORD_FILE: Final = "passwords"  # noqa: S105 - the file's name
SECRETS_DIRECTORY: Final = "secrets"
SECRET_FILE: Final = "password"  # noqa: S105 - the file's name

_ITERATIONS = 101
_SALT_BYTES = 12
_SECRET_BYTES = 32


@dataclass(frozen=True, slots=True)
class BrokerUser:
    """One user of the broker.

    Attributes:
        name: also the name of the directory that holds its secret.
        writes: topics it may publish to.
        reads: topic filters it may subscribe to.
    """

    name: str
    writes: tuple[str, ...]
    reads: tuple[str, ...]


def broker_users(inventory: Inventory) -> list[BrokerUser]:
    """Return the users that a district's broker needs."""
    district = inventory.district.id
    users = [
        BrokerUser(
            "collector",
            writes=(),
            reads=(subscription(district, Channel.DATA), subscription(district, Channel.STATUS)),
        ),
        BrokerUser("operator", writes=(subscription(district, Channel.COMMAND),), reads=()),
    ]
    for school in inventory.schools:
        for agent in school.agents:
            address = AgentAddress(district, school.id, agent.id)
            users.append(
                BrokerUser(
                    agent.id,
                    writes=(address.topic(Channel.DATA), address.topic(Channel.STATUS)),
                    # Its own status tells an agent what a restarted broker has forgotten.
                    reads=(address.topic(Channel.COMMAND), address.topic(Channel.STATUS)),
                )
            )
    return users


def write_broker_files(users: Iterable[BrokerUser], directory: Path, rotate: set[str]) -> list[str]:
    """Write the ACL, the password file, and each user's secret in a directory of its own.

    A user whose secret is there keeps it, unless it is in `rotate`. Secrets of
    users that are no more are removed.

    Args:
        users: who may connect.
        directory: made if it is missing.
        rotate: names of users that get a new secret.

    Returns:
        The names of users with a new secret.

    Raises:
        OSError: a file can't be written.
    """
    secret_files = {user: directory / SECRETS_DIRECTORY / user.name / SECRET_FILE for user in users}
    fresh = [
        user.name for user, file in secret_files.items() if user.name in rotate or not file.exists()
    ]
    (directory / SECRETS_DIRECTORY).mkdir(mode=0o700, parents=True, exist_ok=True)
    for user, file in secret_files.items():
        file.parent.mkdir(mode=0o700, exist_ok=True)
        if user.name in fresh:
            _write_private(file, secrets.token_urlsafe(_SECRET_BYTES) + "\n")
    for place in (directory / SECRETS_DIRECTORY).iterdir():
        if place.name not in {user.name for user in secret_files}:
            shutil.rmtree(place)
    hashed = [
        f"{user.name}:{_hash(file.read_text().strip())}" for user, file in secret_files.items()
    ]
    _write_private(directory / PASSWORD_FILE, "\n".join(hashed) + "\n")
    _write_private(directory / ACL_FILE, "\n".join(_acl(user) for user in secret_files))
    return fresh


def _acl(user: BrokerUser) -> str:
    lines = [f"user {user.name}"]
    lines += [f"topic write {topic}" for topic in user.writes]
    lines += [f"topic read {topic}" for topic in user.reads]
    return "\n".join(lines) + "\n"


def _hash(secret: str) -> str:
    """Return a secret as Mosquitto 2 keeps it: PBKDF2 with HMAC-SHA-512."""
    salt = secrets.token_bytes(_SALT_BYTES)
    digest = hashlib.pbkdf2_hmac("sha512", secret.encode(), salt, _ITERATIONS)
    encoded = (base64.b64encode(part).decode() for part in (salt, digest))
    return f"$7${_ITERATIONS}${'$'.join(encoded)}"


def _write_private(path: Path, text: str) -> None:
    """Replace a file in one step, readable by its owner only."""
    temporary = path.with_name(f".{path.name}.new")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)
