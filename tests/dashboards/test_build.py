"""What every dashboard must have, whatever it shows."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from campuswatch.measurements import CATALOGUE, CatalogueError
from dashboards import theme
from dashboards.build import build_all, write_all
from dashboards.influxql import Source
from dashboards.names import DASHBOARD_PREFIX, DATASOURCE_NAME, DATASOURCE_UID, FOLDER_UID, TAG

Json = dict[str, Any]
GRAFANA = Path(__file__).parents[2] / "config" / "grafana"


def panels() -> list[Any]:
    return [
        pytest.param(panel, id=f"{dashboard['title']}: {panel['title']}")
        for dashboard in build_all()
        for panel in dashboard["panels"]
    ]


@pytest.mark.parametrize("panel", panels())
def test_every_panel_says_what_it_shows_and_in_which_unit(panel: Json) -> None:
    assert panel["title"]
    assert len(panel["description"]) > len(panel["title"])
    assert panel["fieldConfig"]["defaults"]["unit"]
    assert panel["datasource"]["uid"] == DATASOURCE_UID


@pytest.mark.parametrize("panel", panels())
def test_every_panel_is_bounded(panel: Json) -> None:
    for target in panel["targets"]:
        if target["resultFormat"] == "time_series":
            assert "SLIMIT" in target["query"]
            assert panel["maxDataPoints"] <= 500


@pytest.mark.parametrize("dashboard", build_all(), ids=lambda board: board["title"])
def test_panels_neither_overlap_nor_leave_the_grid(dashboard: Json) -> None:
    taken: set[tuple[int, int]] = set()
    for panel in dashboard["panels"]:
        place = panel["gridPos"]
        cells = {
            (place["x"] + x, place["y"] + y) for x in range(place["w"]) for y in range(place["h"])
        }
        assert not cells & taken, panel["title"]
        assert place["x"] + place["w"] <= 24
        taken |= cells


def test_uids_and_tags_say_whose_the_dashboards_are() -> None:
    dashboards = build_all()
    assert len({dashboard["uid"] for dashboard in dashboards}) == len(dashboards)
    for dashboard in dashboards:
        assert dashboard["uid"].startswith(DASHBOARD_PREFIX)
        assert dashboard["tags"] == [TAG]
        assert dashboard["description"]


def test_links_lead_to_dashboards_and_variables_that_exist() -> None:
    variables = {
        dashboard["uid"]: {entry["name"] for entry in dashboard["templating"].get("list", [])}
        for dashboard in build_all()
    }
    urls = [
        link["url"]
        for dashboard in build_all()
        for panel in dashboard["panels"]
        for override in panel["fieldConfig"]["overrides"]
        for entry in override["properties"]
        if entry["id"] == "links"
        for link in entry["value"]
    ]
    assert urls
    for url in urls:
        path, _, query = url.partition("?")
        set_there = {part.split("=")[0] for part in query.split("&") if part.startswith("var-")}
        assert set_there == {f"var-{name}" for name in variables[path.removeprefix("/d/")]} | {
            "var-school"
        }


def test_every_unit_of_the_catalogue_has_a_name_in_grafana() -> None:
    for measurement in CATALOGUE.values():
        for field in measurement.fields.values():
            assert theme.unit(field)


def test_every_threshold_is_of_a_field_that_exists() -> None:
    for measurement, field in theme.fields_with_thresholds():
        assert field in CATALOGUE[measurement].fields


def test_a_typo_fails_when_the_dashboards_are_built() -> None:
    source = Source("availability")
    with pytest.raises(CatalogueError, match="unknown field 'upp'"):
        source.over_time("upp", ["device"])
    with pytest.raises(CatalogueError, match="unknown tag 'devise'"):
        source.over_time("up", ["devise"])
    with pytest.raises(CatalogueError, match="unknown tag 'rom'"):
        Source("availability", ("rom",)).latest(["up"], [])
    with pytest.raises(CatalogueError, match="unknown measurement 'availabilty'"):
        Source("availabilty").latest(["up"], [])


def test_the_files_that_grafana_provisions_are_the_dashboards() -> None:
    held = {path.name: json.loads(path.read_text()) for path in (GRAFANA / "dashboards").iterdir()}
    assert held == {f"{dashboard['uid']}.json": dashboard for dashboard in build_all()}, (
        "run: campuswatch dashboards build --out config/grafana/dashboards"
    )


def test_provisioning_names_what_the_dashboards_ask_for() -> None:
    yaml = YAML(typ="safe")
    sources = yaml.load(GRAFANA / "provisioning" / "datasources" / "campuswatch.yaml")
    (source,) = sources["datasources"]
    assert (source["uid"], source["name"]) == (DATASOURCE_UID, DATASOURCE_NAME)
    providers = yaml.load(GRAFANA / "provisioning" / "dashboards" / "campuswatch.yaml")
    assert providers["providers"][0]["folderUid"] == FOLDER_UID


def test_building_removes_files_of_dropped_dashboards_and_no_others(tmp_path: Path) -> None:
    dropped = tmp_path / f"{DASHBOARD_PREFIX}dropped.json"
    foreign = tmp_path / "mine.json"
    for path in (dropped, foreign):
        path.write_text("{}")
    written = write_all(tmp_path)
    assert set(tmp_path.iterdir()) == {*written, foreign}
