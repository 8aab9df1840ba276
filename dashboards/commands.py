"""`campuswatch dashboards`: the dashboards as files, and in a Grafana."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Final

import typer
from grafana_client.api import GrafanaApi
from grafana_client.client import GrafanaException
from niquests.exceptions import RequestException
from rich.console import Console
from rich.markup import escape
from rich.progress import Progress
from rich.syntax import Syntax

from campuswatch.errors import UserError
from campuswatch.options import ConfigOption, JsonOption
from campuswatch.secrets import resolve
from campuswatch.settings import load_settings
from dashboards.build import build_all, write_all
from dashboards.datasource import data_source
from dashboards.sync import Action, Change, plan

_DONE: Final = {
    Action.CREATE: "created",
    Action.UPDATE: "updated",
    Action.DELETE: "removed",
    Action.LEAVE: "left alone, because Grafana provisions it from a file:",
}
_MEANT: Final = {
    Action.CREATE: "would create",
    Action.UPDATE: "would update",
    Action.DELETE: "would remove",
    Action.LEAVE: "would leave alone, because Grafana provisions it from a file:",
}

dashboards_app = typer.Typer(
    help="Make the Grafana dashboards, as files or in a Grafana.", no_args_is_help=True
)


@dashboards_app.command()
def build(
    out: Annotated[
        Path, typer.Option(metavar="DIR", help="Where to write one JSON file per dashboard.")
    ],
) -> None:
    """Write the dashboards as JSON files, for Grafana to provision from.

    Files of dashboards that no longer exist are removed from DIR; other files stay.

    Example: campuswatch dashboards build --out config/grafana/dashboards
    """
    for path in write_all(out):
        typer.echo(path)


@dashboards_app.command()
def sync(
    *,
    url: Annotated[str, typer.Option(help="Address of Grafana, such as https://grafana.example.")],
    token: Annotated[
        str,
        typer.Option(
            metavar="REFERENCE",
            help="Where the token of a Grafana service account is: env:NAME or file:PATH.",
        ),
    ],
    config: ConfigOption = Path("config"),
    store_url: Annotated[
        str | None,
        typer.Option(
            metavar="URL",
            help="Where Grafana reaches InfluxDB, if not where settings.yaml says.",
        ),
    ] = None,
    renew_token: Annotated[
        bool,
        typer.Option(
            "--renew-token", help="Send InfluxDB's token again: Grafana doesn't tell which it has."
        ),
    ] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Show the differences and change nothing.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Bring the folder, the data source and the dashboards in a Grafana up to date.

    What Campuswatch did not make is left alone. The service account needs the
    role Admin, because it manages a data source.

    Example: campuswatch dashboards sync --url http://localhost:3000 --token env:TOKEN --dry-run
    """
    source = data_source(load_settings(config).store, store_url)
    with _explained(url):
        grafana = GrafanaApi.from_url(url.rstrip("/"), resolve(token))
        changes = plan(grafana, source, build_all(), renew_token=renew_token)
        if not dry_run:
            _apply(changes, quiet=as_json)
    if as_json:
        typer.echo(_as_json(changes))
    else:
        _show(changes, dry_run)


def _apply(changes: list[Change], *, quiet: bool) -> None:
    with Progress(console=Console(stderr=True), transient=True, disable=quiet) as progress:
        for change in progress.track(changes, description="Synchronising"):
            change.apply()


def _show(changes: list[Change], dry_run: bool) -> None:
    console = Console(soft_wrap=True, highlight=False)
    for change in changes:
        verb = (_MEANT if dry_run else _DONE)[change.action]
        console.print(f"{verb} {change.thing} [bold]{escape(change.title)}[/bold] ({change.uid})")
        if dry_run and change.diff:
            console.print(Syntax(change.diff, "diff", background_color="default"))
    if not changes:
        console.print("Grafana is up to date.")


def _as_json(changes: list[Change]) -> str:
    return json.dumps(
        [
            {
                "action": change.action,
                "thing": change.thing,
                "uid": change.uid,
                "title": change.title,
                "diff": change.diff,
            }
            for change in changes
        ],
        ensure_ascii=False,
        indent=2,
    )


@contextlib.contextmanager
def _explained(url: str) -> Iterator[None]:
    """Turn what Grafana or the network says into an error for people."""
    try:
        yield
    except GrafanaException as error:
        raise UserError(f"Grafana at {url}: {error.message}") from None
    except RequestException as error:
        raise UserError(f"Grafana at {url} can't be reached: {error}") from None
