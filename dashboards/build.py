"""All dashboards as Grafana's JSON, and as the files that Grafana provisions from."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models.dashboard import Dashboard

from dashboards.boards import agents, classroom, district, school, switch
from dashboards.names import DASHBOARD_PREFIX

Json = dict[str, Any]


def build_all() -> list[Json]:
    """Return every dashboard, as Grafana stores it."""
    boards = (district, school, switch, classroom, agents)
    return [_plain(board.build().build()) for board in boards]


def _plain(dashboard: Dashboard) -> Json:
    plain: Json = json.loads(json.dumps(dashboard, cls=JSONEncoder))
    for number, panel in enumerate(plain["panels"], 1):
        panel["id"] = number  # otherwise Grafana numbers them anew at every save
    return plain


def write_all(directory: Path) -> list[Path]:
    """Write every dashboard to a file of its own, and remove those of dashboards we dropped.

    Returns:
        The files written.
    """
    directory.mkdir(parents=True, exist_ok=True)
    written = []
    for dashboard in build_all():
        path = directory / f"{dashboard['uid']}.json"
        path.write_text(
            json.dumps(dashboard, ensure_ascii=False, indent=2) + "\n", encoding="utf-8"
        )
        written.append(path)
    for path in _dropped(directory, written):
        path.unlink()
    return written


def _dropped(directory: Path, written: list[Path]) -> Iterator[Path]:
    return (path for path in directory.glob(f"{DASHBOARD_PREFIX}*.json") if path not in written)
