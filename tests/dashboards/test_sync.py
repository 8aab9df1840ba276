"""`campuswatch dashboards sync`: does what it says, once, and only to its own."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from campuswatch.errors import UserError
from dashboards.build import build_all
from dashboards.commands import dashboards_app
from dashboards.names import DASHBOARD_PREFIX, DATASOURCE_UID, FOLDER_UID, TAG
from tests.dashboards.grafana import TOKEN, FakeGrafana, serving

Json = dict[str, Any]
STORE_TOKEN = "the-token-of-the-store"


@pytest.fixture
def grafana() -> FakeGrafana:
    return FakeGrafana()


@pytest.fixture
def url(grafana: FakeGrafana) -> Iterator[str]:
    with serving(grafana) as address:
        yield address


@pytest.fixture
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("GRAFANA_TOKEN", TOKEN)
    monkeypatch.setenv("STORE_TOKEN", STORE_TOKEN)
    settings = "store:\n  url: influxdb://store:8086/campuswatch?org=o\n  token: env:STORE_TOKEN\n"
    (tmp_path / "settings.yaml").write_text(settings)
    return tmp_path


def sync(url: str, config: Path, *options: str, token: str = "env:GRAFANA_TOKEN") -> Result:
    arguments = ["sync", "--url", url, "--token", token, "--config", str(config), *options]
    return CliRunner().invoke(dashboards_app, arguments)


def synced(url: str, config: Path, *options: str) -> list[Json]:
    result = sync(url, config, "--json", *options)
    assert result.exit_code == 0, result.output
    changes: list[Json] = json.loads(result.output)
    return changes


def foreign(uid: str, *tags: str, title: str = "Mine") -> Json:
    return {"uid": uid, "title": title, "tags": list(tags), "panels": []}


def test_an_empty_grafana_gets_everything(grafana: FakeGrafana, url: str, config: Path) -> None:
    changes = synced(url, config)
    assert {change["action"] for change in changes} == {"create"}
    assert set(grafana.folders) == {FOLDER_UID}
    assert set(grafana.dashboards) == {dashboard["uid"] for dashboard in build_all()}
    assert {held["folderUid"] for held in grafana.dashboards.values()} == {FOLDER_UID}
    source = grafana.sources[DATASOURCE_UID]
    assert source["url"] == "http://store:8086"
    assert source["jsonData"]["dbName"] == "campuswatch"
    assert source["secureJsonData"] == {"httpHeaderValue1": f"Token {STORE_TOKEN}"}


def test_a_second_run_changes_nothing(grafana: FakeGrafana, url: str, config: Path) -> None:
    synced(url, config)
    grafana.writes.clear()
    assert synced(url, config) == []
    assert grafana.writes == []
    assert "Grafana is up to date." in sync(url, config).output


def test_a_dry_run_shows_what_would_change_and_changes_nothing(
    grafana: FakeGrafana, url: str, config: Path
) -> None:
    result = sync(url, config, "--dry-run")
    assert result.exit_code == 0
    assert "would create dashboard District overview (campuswatch-district)" in result.output
    assert grafana.writes == []
    synced(url, config)
    grafana.dashboards["campuswatch-school"]["dashboard"]["title"] = "Our school"
    grafana.writes.clear()
    result = sync(url, config, "--dry-run")
    assert "would update dashboard School (campuswatch-school)" in result.output
    assert '- "title": "Our school"' in result.output
    assert grafana.writes == []


def test_secrets_are_never_shown(grafana: FakeGrafana, url: str, config: Path) -> None:
    created = sync(url, config, "--json").output
    del grafana.sources[DATASOURCE_UID]["secureJsonData"]
    changed = sync(url, config, "--dry-run").output
    assert '+  "httpHeaderValue1"' in changed
    shown = created + changed
    assert STORE_TOKEN not in shown
    assert TOKEN not in shown


def test_what_somebody_edited_is_put_right_and_nothing_else(
    grafana: FakeGrafana, url: str, config: Path
) -> None:
    synced(url, config)
    grafana.dashboards["campuswatch-school"]["dashboard"]["title"] = "Our school"
    grafana.writes.clear()
    (change,) = synced(url, config)
    assert (change["action"], change["uid"]) == ("update", "campuswatch-school")
    assert '- "title": "Our school"' in change["diff"]
    assert '+ "title": "School"' in change["diff"]
    assert grafana.writes == [("POST", "/dashboards/db")]
    assert grafana.dashboards["campuswatch-school"]["dashboard"]["title"] == "School"
    assert synced(url, config) == []


def test_a_dashboard_moved_elsewhere_is_moved_back(
    grafana: FakeGrafana, url: str, config: Path
) -> None:
    synced(url, config)
    grafana.dashboards["campuswatch-school"]["folderUid"] = "elsewhere"
    (change,) = synced(url, config)
    assert '- "folder": "elsewhere"' in change["diff"]
    assert grafana.dashboards["campuswatch-school"]["folderUid"] == FOLDER_UID


def test_dashboards_we_no_longer_make_are_removed_and_foreign_ones_never(
    grafana: FakeGrafana, url: str, config: Path
) -> None:
    synced(url, config)
    grafana.put(foreign(f"{DASHBOARD_PREFIX}gone", TAG, title="Gone"), FOLDER_UID)
    others = [
        foreign("mine-in-your-folder", title="Mine 1"),
        foreign("mine-with-your-tag", TAG, title="Mine 2"),
        foreign(f"{DASHBOARD_PREFIX}by-name-only", title="Mine 3"),
    ]
    for other in others:
        grafana.put(other, FOLDER_UID)
    before = copy.deepcopy(grafana.dashboards)
    (change,) = synced(url, config)
    assert (change["action"], change["uid"]) == ("delete", f"{DASHBOARD_PREFIX}gone")
    del before[f"{DASHBOARD_PREFIX}gone"]
    assert grafana.dashboards == before


def test_a_foreign_dashboard_of_the_same_title_is_not_overwritten(
    grafana: FakeGrafana, url: str, config: Path
) -> None:
    grafana.answer("POST", "/folders", {}, {"uid": FOLDER_UID, "title": "Campuswatch"})
    grafana.put(foreign("mine", title="School"), FOLDER_UID)
    result = sync(url, config)
    assert isinstance(result.exception, UserError)
    assert "same name exists" in str(result.exception)
    assert grafana.dashboards["mine"]["dashboard"]["panels"] == []


def test_dashboards_provisioned_from_files_are_left_alone(
    grafana: FakeGrafana, url: str, config: Path
) -> None:
    synced(url, config)
    older = build_all()[0] | {"title": "District, as of last year"}
    grafana.put(older, FOLDER_UID, provisioned=True)
    (change,) = synced(url, config)
    assert (change["action"], change["uid"]) == ("leave", older["uid"])
    assert grafana.dashboards[older["uid"]]["dashboard"]["title"] == older["title"]


def test_another_address_of_the_store_changes_the_data_source_alone(
    grafana: FakeGrafana, url: str, config: Path
) -> None:
    synced(url, config)
    (change,) = synced(url, config, "--store-url", "http://influxdb.example:8086")
    assert (change["action"], change["thing"]) == ("update", "data source")
    assert grafana.sources[DATASOURCE_UID]["url"] == "http://influxdb.example:8086"


def test_the_token_is_sent_again_only_when_asked_for(
    grafana: FakeGrafana, url: str, config: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced(url, config)
    monkeypatch.setenv("STORE_TOKEN", "another")
    assert synced(url, config) == []
    (change,) = synced(url, config, "--renew-token")
    assert (change["action"], change["diff"]) == ("update", "")
    secrets = grafana.sources[DATASOURCE_UID]["secureJsonData"]
    assert secrets == {"httpHeaderValue1": "Token another"}


def test_a_run_that_was_cut_short_is_finished_by_the_next(
    grafana: FakeGrafana, url: str, config: Path
) -> None:
    synced(url, config)
    del grafana.dashboards["campuswatch-agents"], grafana.sources[DATASOURCE_UID]
    assert [change["uid"] for change in synced(url, config)] == [
        DATASOURCE_UID,
        "campuswatch-agents",
    ]
    assert synced(url, config) == []


def test_errors_say_what_to_mend(url: str, config: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GRAFANA_TOKEN", "wrong")
    assert str(sync(url, config).exception) == f"Grafana at {url}: Unauthorized"
    refused = sync("http://127.0.0.1:1", config).exception
    assert isinstance(refused, UserError)
    assert "can't be reached" in str(refused)
    unset = sync(url, config, token="env:NOT_SET_ANYWHERE").exception
    assert str(unset) == "environment variable NOT_SET_ANYWHERE is not set"
    (config / "settings.yaml").write_text("store:\n  url: duckdb:here.duckdb\n")
    assert "expected influxdb://" in str(sync(url, config).exception)
