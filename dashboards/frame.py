"""What all dashboards have in common: names, variables and the way from one to the next."""

from __future__ import annotations

from collections.abc import Sequence

from grafana_foundation_sdk.builders.dashboard import Dashboard, DashboardLink, QueryVariable
from grafana_foundation_sdk.models.dashboard import (
    DashboardLinkType,
    VariableOption,
    VariableRefresh,
    VariableSort,
)

from dashboards.influxql import Source
from dashboards.names import DASHBOARD_PREFIX, TAG
from dashboards.panels import DATASOURCE

_ALL = "$__all"


def uid(name: str) -> str:
    """Return the uid of the dashboard of a name."""
    return DASHBOARD_PREFIX + name


def dashboard(name: str, title: str, description: str) -> Dashboard:
    """Return an empty dashboard.

    Args:
        name: decides its uid and its file's name, so it stays when the title changes.
        title: for people.
        description: for people.
    """
    others = (
        DashboardLink("Campuswatch")
        .type(DashboardLinkType.DASHBOARDS)
        .tags([TAG])
        .as_dropdown(True)
        .include_vars(True)
        .keep_time(True)
    )
    return (
        Dashboard(title)
        .uid(uid(name))
        .description(description)
        .tags([TAG])
        .readonly()
        .time("now-24h", "now")
        .refresh("1m")
        .timezone("browser")
        .link(others)
    )


def variable(tag: str, label: str, source: Source, *, several: bool) -> QueryVariable:
    """Return a variable that chooses values of a tag.

    Args:
        tag: the tag, and the variable's name.
        label: for people.
        source: what has the tag; its `where` names the variables it depends on.
        several: whether more than one value, and all of them, can be chosen.
    """
    choice = (
        QueryVariable(tag)
        .label(label)
        .datasource(DATASOURCE)
        .query(source.tag_values(tag))
        .refresh(VariableRefresh.ON_TIME_RANGE_CHANGED)
        .sort(VariableSort.ALPHABETICAL_CASE_INSENSITIVE_ASC)
        .multi(several)
        .include_all(several)
    )
    if several:
        choice.all_value(".*").current(VariableOption(True, ["All"], [_ALL]))
    return choice


def jump(title: str, name: str, variables: Sequence[tuple[str, str]]) -> DashboardLink:
    """Return a link from a table's value to a dashboard.

    Args:
        title: what the link says.
        name: the dashboard's name.
        variables: each variable to set, and the column whose value it takes.
    """
    chosen = "&".join(
        f"var-{variable}=${{__data.fields.{column}:percentencode}}"
        for variable, column in variables
    )
    return DashboardLink(title).url(f"/d/{uid(name)}?{chosen}&${{__url_time_range}}")
