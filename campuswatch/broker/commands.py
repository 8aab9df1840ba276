"""`campuswatch broker-config`: users and access control for Mosquitto."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from campuswatch.broker.mosquitto import broker_users, write_broker_files
from campuswatch.errors import UserError
from campuswatch.inventory.loader import load_inventory
from campuswatch.options import ConfigOption


def broker_config(
    out: Annotated[
        Path, typer.Option("--out", metavar="DIR", help="Where the files go.", file_okay=False)
    ],
    config: ConfigOption = Path("config"),
    rotate: Annotated[
        list[str] | None,
        typer.Option(
            "--rotate", metavar="USER", help="Give this user a new secret; may be repeated."
        ),
    ] = None,
) -> None:
    """Write Mosquitto's ACL and password files, and each user's secret: secrets/USER/password.

    Secrets that exist are kept, so it can be run after every change of the
    inventory; then tell Mosquitto to read its files again (SIGHUP).

    Example: campuswatch broker-config --config config --out /etc/mosquitto/campuswatch
    """
    users = broker_users(load_inventory(config))
    wanted = set(rotate or ())
    if unknown := wanted - {user.name for user in users}:
        names = ", ".join(user.name for user in users)
        raise UserError(f"--rotate {min(unknown)}: no such user; expected one of {names}")
    try:
        fresh = write_broker_files(users, out, wanted)
    except OSError as error:
        raise UserError(f"{error.filename}: {error.strerror}") from None
    print(f"{out}: {len(users)} users, new secrets for {', '.join(fresh) or 'none'}")
