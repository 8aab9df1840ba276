"""Bringing a Grafana to what we want of it, and touching nothing else.

Ours is the folder, the data source and the dashboards with our uids; a
dashboard is only ever removed if it has our uid prefix and our tag. Nothing is
overwritten blindly: an update names the version it was made from, so Grafana
refuses it when somebody saved in between.
"""

from __future__ import annotations

import difflib
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import partial
from typing import Any, Final

from grafana_client.api import GrafanaApi
from grafana_client.client import GrafanaClientError

from dashboards.names import DASHBOARD_PREFIX, FOLDER_TITLE, FOLDER_UID, TAG

Json = dict[str, Any]

_PAGE: Final = 1000
_SERVER_KEYS: Final = ("id", "version")
"""What Grafana adds to a dashboard by itself."""


class Action(StrEnum):
    """What is done to a thing."""

    CREATE = "create"
    UPDATE = "update"
    DELETE = "delete"
    LEAVE = "leave"
    """It differs, but Grafana provisions it from a file, which the API can't change."""


@dataclass(frozen=True)
class Change:
    """One difference between Grafana and what we want.

    Attributes:
        action: what is to be done.
        thing: "folder", "data source" or "dashboard".
        uid: its uid.
        title: its title.
        diff: for an update, a unified diff of its JSON, without secrets.
        apply: does it; nothing to do when left.
    """

    action: Action
    thing: str
    uid: str
    title: str
    diff: str = ""
    apply: Callable[[], object] = lambda: None


def plan(
    grafana: GrafanaApi, source: Json, dashboards: Sequence[Json], *, renew_token: bool = False
) -> list[Change]:
    """Return what has to change, in the order in which it can be applied.

    Args:
        grafana: the server.
        source: the data source wanted.
        dashboards: the dashboards wanted.
        renew_token: whether to send the data source's token although nothing
            else differs; Grafana never tells which one it has.

    Raises:
        GrafanaException: the server refuses to answer.
    """
    wanted = {dashboard["uid"] for dashboard in dashboards}
    return [
        *_folder_change(grafana),
        *_source_change(grafana, source, renew_token),
        *(change for wish in dashboards for change in _dashboard_change(grafana, wish)),
        *_stale_dashboards(grafana, wanted),
    ]


def _folder_change(grafana: GrafanaApi) -> Iterator[Change]:
    found = _found(lambda: grafana.folder.get_folder(FOLDER_UID))
    change = partial(Change, thing="folder", uid=FOLDER_UID, title=FOLDER_TITLE)
    if found is None:
        create = partial(grafana.folder.create_folder, FOLDER_TITLE, uid=FOLDER_UID)
        yield change(Action.CREATE, apply=create)
    elif diff := _diff({"title": found["title"]}, {"title": FOLDER_TITLE}):
        update = partial(
            grafana.folder.update_folder, FOLDER_UID, FOLDER_TITLE, version=found["version"]
        )
        yield change(Action.UPDATE, diff=diff, apply=update)


def _source_change(grafana: GrafanaApi, source: Json, renew_token: bool) -> Iterator[Change]:
    uid = source["uid"]
    found = _found(lambda: grafana.datasource.get_datasource_by_uid(uid))
    change = partial(Change, thing="data source", uid=uid, title=source["name"])
    if found is None:
        create = partial(grafana.datasource.create_datasource, source)
        yield change(Action.CREATE, apply=create)
        return
    diff = _diff(_comparable(found, source), _public(source))
    if found.get("readOnly"):
        if diff:
            yield change(Action.LEAVE, diff=diff)
    elif diff or renew_token:
        update = partial(grafana.datasource.update_datasource_by_uid, uid, source)
        yield change(Action.UPDATE, diff=diff, apply=update)


def _dashboard_change(grafana: GrafanaApi, wish: Json) -> Iterator[Change]:
    found = _found(lambda: grafana.dashboard.get_dashboard(wish["uid"]))
    change = partial(Change, thing="dashboard", uid=wish["uid"], title=wish["title"])
    if found is None:
        yield change(Action.CREATE, apply=partial(_save, grafana, wish, {"id": None}))
        return
    held, meta = found["dashboard"], found["meta"]
    content = {key: value for key, value in held.items() if key not in _SERVER_KEYS}
    diff = _diff(
        content | {"folder": meta.get("folderUid", "")},
        wish | {"folder": FOLDER_UID},
    )
    if diff and meta.get("provisioned"):
        yield change(Action.LEAVE, diff=diff)
    elif diff:
        identity = {key: held[key] for key in _SERVER_KEYS}
        yield change(Action.UPDATE, diff=diff, apply=partial(_save, grafana, wish, identity))


def _save(grafana: GrafanaApi, wish: Json, identity: Json) -> None:
    grafana.dashboard.update_dashboard(
        {
            "dashboard": wish | identity,
            "folderUid": FOLDER_UID,
            "message": "campuswatch dashboards sync",
            "overwrite": False,
        }
    )


def _stale_dashboards(grafana: GrafanaApi, wanted: set[str]) -> Iterator[Change]:
    for found in _tagged(grafana):
        uid = found["uid"]
        if uid.startswith(DASHBOARD_PREFIX) and uid not in wanted:
            yield Change(
                Action.DELETE,
                "dashboard",
                uid,
                found["title"],
                apply=partial(grafana.dashboard.delete_dashboard, uid),
            )


def _tagged(grafana: GrafanaApi) -> Iterator[Json]:
    page = 1
    while found := grafana.search.search_dashboards(
        tag=TAG, type_="dash-db", limit=_PAGE, page=page
    ):
        yield from found
        page += 1


def _found(ask: Callable[[], Json]) -> Json | None:
    try:
        return ask()
    except GrafanaClientError as error:
        if error.status_code == 404:
            return None
        raise


def _public(source: Json) -> Json:
    """Return a data source with the names of its secrets in place of the secrets."""
    secrets = source.get("secureJsonData", {})
    public = {key: value for key, value in source.items() if key != "secureJsonData"}
    return public | {"secureJsonFields": sorted(secrets)}


def _comparable(found: Json, wish: Json) -> Json:
    """Return of what Grafana holds that which a wish speaks of."""
    kept = {key: found.get(key) for key in _public(wish)}
    fields = found.get("secureJsonFields", {})
    return kept | {"secureJsonFields": sorted(key for key, is_set in fields.items() if is_set)}


def _diff(before: Json, after: Json) -> str:
    return "\n".join(
        difflib.unified_diff(_lines(before), _lines(after), "Grafana", "wanted", lineterm="")
    )


def _lines(content: Json) -> list[str]:
    return json.dumps(content, ensure_ascii=False, indent=1, sort_keys=True).splitlines()
