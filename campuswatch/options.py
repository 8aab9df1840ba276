"""Options that several commands have in common."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer


class LogLevel(StrEnum):
    """From which severity on events are logged."""

    DEBUG = "debug"
    INFO = "info"
    WARNING = "warning"
    ERROR = "error"


ConfigOption = Annotated[
    Path,
    typer.Option(
        "--config",
        metavar="DIR",
        envvar="CAMPUSWATCH_CONFIG",
        help="Directory of the inventory and of settings.yaml.",
        file_okay=False,
        exists=True,
    ),
]

LogLevelOption = Annotated[
    LogLevel, typer.Option("--log-level", help="From which severity on events are logged.")
]

JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")]
