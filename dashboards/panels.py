"""The kinds of panels that the dashboards are made of."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from grafana_foundation_sdk.builders import common as common_builders
from grafana_foundation_sdk.builders import stat, statetimeline, table, timeseries
from grafana_foundation_sdk.builders.dashboard import DashboardLink
from grafana_foundation_sdk.cog.builder import Builder
from grafana_foundation_sdk.cog.variants import Dataquery
from grafana_foundation_sdk.models import units
from grafana_foundation_sdk.models.common import (
    BigValueColorMode,
    BigValueGraphMode,
    GraphTresholdsStyleMode,
    LegendDisplayMode,
    LegendPlacement,
    VisibilityMode,
)
from grafana_foundation_sdk.models.dashboard import DataSourceRef, DynamicConfigValue, Panel

from campuswatch.measurements import Field
from dashboards import theme
from dashboards.influxql import Source
from dashboards.names import DATASOURCE_TYPE, DATASOURCE_UID

DATASOURCE: Final = DataSourceRef(DATASOURCE_TYPE, DATASOURCE_UID)
NOW: Final = "15m"
"""Span of the panels that say how things are now, whatever span the dashboard shows."""

_GAP_MS: Final = 300_000
"""Longest gap between samples that a line bridges."""
_HEIGHT: Final = 8
_STAT_HEIGHT: Final = 4
_MAX_POINTS: Final = 500
"""Points a line may have; more than a screen shows."""

AnyPanel = Builder[Panel]


class InfluxQuery(Dataquery, Builder[Dataquery]):
    """A raw InfluxQL query of a panel, which the SDK has no type for."""

    def __init__(self, ref_id: str, query: str, *, rows: bool, alias: str = "") -> None:
        """Make a query.

        Args:
            ref_id: its letter in the panel.
            query: InfluxQL.
            rows: whether a table's rows are wanted rather than series.
            alias: the series' name, in which `$tag_x` stands for a tag's value.
        """
        self._ref_id = ref_id
        self._query = query
        self._rows = rows
        self._alias = alias

    def build(self) -> Dataquery:
        return self

    def to_json(self) -> dict[str, object]:
        """Return the query as Grafana's InfluxDB data source stores it."""
        return {
            "refId": self._ref_id,
            "datasource": DATASOURCE,
            "query": self._query,
            "rawQuery": True,
            "resultFormat": "table" if self._rows else "time_series",
            **({"alias": self._alias} if self._alias else {}),
        }


@dataclass(frozen=True, slots=True)
class Line:
    """One field drawn over time.

    Attributes:
        field: the field.
        label: what the legend says after the tags' values; "" if one field is drawn.
        aggregate: as in `Source.over_time`.
    """

    field: str
    label: str = ""
    aggregate: str | None = None


def course(
    title: str,
    description: str,
    source: Source,
    lines: Sequence[Line] | str,
    by: Sequence[str],
    *,
    width: int = 12,
    unit: str | None = None,
) -> AnyPanel:
    """Return a panel of lines over time; the first line's field decides unit and thresholds."""
    drawn = [Line(lines)] if isinstance(lines, str) else lines
    field = source.field(drawn[0].field)
    legend = (
        common_builders.VizLegendOptions()
        .show_legend(True)
        .display_mode(LegendDisplayMode.LIST)
        .placement(LegendPlacement.BOTTOM)
    )
    panel = (
        timeseries.Panel()
        .title(title)
        .description(description)
        .datasource(DATASOURCE)
        .unit(unit or theme.unit(field))
        .thresholds(theme.thresholds(source.measurement, field.name))
        .span_nulls(_GAP_MS)
        .line_width(1)
        .fill_opacity(8)
        .show_points(VisibilityMode.AUTO)
        .max_data_points(_MAX_POINTS)
        .interval("1m")
        .legend(legend)
        .span(width)
        .height(_HEIGHT)
    )
    if (source.measurement, field.name) in theme.fields_with_thresholds():
        style = common_builders.GraphThresholdsStyleConfig()
        panel.thresholds_style(style.mode(GraphTresholdsStyleMode.DASHED))
    if field.unit == "%" or unit == units.Percent:
        panel.min(0).axis_soft_max(100)
    for letter, line in zip("ABCDEFGH", drawn, strict=False):
        query = source.over_time(line.field, by, line.aggregate)
        panel.with_target(InfluxQuery(letter, query, rows=False, alias=_alias(by, line.label)))
    return panel


def states(
    title: str,
    description: str,
    source: Source,
    field: str,
    by: Sequence[str],
    *,
    width: int = 24,
    height: int = _HEIGHT,
) -> AnyPanel:
    """Return a panel that shows a state over time, one row for each combination of tags."""
    return (
        statetimeline.Panel()
        .title(title)
        .description(description)
        .datasource(DATASOURCE)
        .unit(theme.unit(source.field(field)))
        .mappings(theme.state_words(source.field(field)))
        .thresholds(theme.steps(theme.UNKNOWN, ()))
        .show_value(VisibilityMode.NEVER)
        .row_height(0.85)
        .max_data_points(_MAX_POINTS)
        .interval("1m")
        .with_target(
            InfluxQuery("A", source.over_time(field, by), rows=False, alias=_alias(by, ""))
        )
        .span(width)
        .height(height)
    )


def number(
    title: str,
    description: str,
    query: str,
    *,
    unit: str = units.Short,
    good_from: float | None = None,
    bad_from: float | None = None,
    width: int = 4,
) -> AnyPanel:
    """Return a panel with one number, as it is now.

    Args:
        title: the panel's.
        description: the panel's.
        query: yields one row.
        unit: Grafana's name of it.
        good_from: from which value on it is good, if more is better.
        bad_from: from which value on it is bad, if less is better.
        width: in 24ths of the screen.
    """
    colours = theme.steps(theme.NEUTRAL, ())
    if good_from is not None:
        colours = theme.steps(theme.BAD, ((good_from, theme.GOOD),))
    if bad_from is not None:
        colours = theme.steps(theme.GOOD, ((bad_from, theme.BAD),))
    return (
        stat.Panel()
        .title(title)
        .description(description)
        .datasource(DATASOURCE)
        .unit(unit)
        .thresholds(colours)
        .color_mode(BigValueColorMode.VALUE)
        .graph_mode(BigValueGraphMode.NONE)
        .reduce_options(common_builders.ReduceDataOptions().calcs(["lastNotNull"]).values(False))
        .time_from(NOW)
        .with_target(InfluxQuery("A", query, rows=True))
        .span(width)
        .height(_STAT_HEIGHT)
    )


def rows(
    title: str,
    description: str,
    query: str,
    columns: Mapping[str, Field | str],
    *,
    links: Mapping[str, DashboardLink] | None = None,
    span: str = NOW,
    width: int = 12,
    height: int = _HEIGHT,
) -> AnyPanel:
    """Return a table of how things are now.

    Args:
        title: the panel's.
        description: the panel's.
        query: yields the rows.
        columns: what each column that is no tag holds: a field of the
            catalogue, or Grafana's name of its unit.
        links: where the values of a column lead.
        span: how far back a value may lie.
        width: in 24ths of the screen.
        height: in units of Grafana's grid.
    """
    panel = (
        table.Panel()
        .title(title)
        .description(description)
        .datasource(DATASOURCE)
        .unit(units.Short)
        .time_from(span)
        .show_header(True)
        .with_target(InfluxQuery("A", query, rows=True))
        .span(width)
        .height(height)
        .override_by_name("Time", [DynamicConfigValue("custom.hidden", True)])
    )
    for name, held in columns.items():
        panel.override_by_name(name, _column(held))
    for name, link in (links or {}).items():
        panel.override_by_name(name, [DynamicConfigValue("links", [link.build()])])
    return panel


def _column(held: Field | str) -> list[DynamicConfigValue]:
    if isinstance(held, str):
        return [DynamicConfigValue("unit", held)]
    properties = [DynamicConfigValue("unit", theme.unit(held))]
    if words := theme.state_words(held):
        properties.append(DynamicConfigValue("mappings", words))
        properties.append(DynamicConfigValue("custom.cellOptions", {"type": "color-text"}))
    return properties


def _alias(by: Sequence[str], label: str) -> str:
    return " ".join([*(f"$tag_{tag}" for tag in by), *([label] if label else [])])
