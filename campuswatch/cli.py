"""The `campuswatch` command: finds the rooms' commands and runs one.

Rooms announce their commands as entry points of the group
`campuswatch.commands`, so that this kernel imports no room, a command starts
without loading the others, and third parties can add their own.
"""

from __future__ import annotations

import sys
from importlib.metadata import EntryPoint, entry_points
from typing import Final

import typer

from campuswatch.errors import UserError

COMMANDS: Final = "campuswatch.commands"
EXIT_BAD_INPUT: Final = 2


def _application(points: list[EntryPoint]) -> typer.Typer:
    app = typer.Typer(
        name="campuswatch",
        help="Monitor the networks and classrooms of a school district.",
        no_args_is_help=True,
        add_completion=True,
        pretty_exceptions_enable=False,
        rich_markup_mode="rich",
    )

    @app.callback()
    def root() -> None:
        """Monitor the networks and classrooms of a school district."""

    for point in points:
        command = point.load()
        if isinstance(command, typer.Typer):
            app.add_typer(command, name=point.name)
        else:
            app.command(point.name)(command)
    return app


def main() -> None:
    """Run the command that `sys.argv` names."""
    points = sorted(entry_points(group=COMMANDS), key=lambda point: point.name)
    wanted = next((word for word in sys.argv[1:] if not word.startswith("-")), None)
    chosen = [point for point in points if point.name == wanted]
    try:
        _application(chosen or points)()
    except UserError as error:
        print(error, file=sys.stderr)
        sys.exit(EXIT_BAD_INPUT)
