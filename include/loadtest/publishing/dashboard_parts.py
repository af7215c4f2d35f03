"""Panels of Grafana's dashboards as plain data, the words that all dashboards share, and Grafana's own form of them."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal

from grafana_foundation_sdk.builders import common as common_builders
from grafana_foundation_sdk.builders import dashboard as builders
from grafana_foundation_sdk.builders import heatmap, prometheus, stat, statetimeline, table, timeseries
from grafana_foundation_sdk.cog.builder import Builder
from grafana_foundation_sdk.models import common, dashboard
from grafana_foundation_sdk.models import prometheus as prometheus_models

from include.loadtest.profile.thresholds import Threshold
from include.loadtest.profile.vocabulary import Comparator
from include.loadtest.publishing.alert_rules import Guard
from include.loadtest.reporting.markdown import figure

SOURCE = dashboard.DataSourceRef(type_val="prometheus", uid="${datasource}")
RATE = "$__rate_interval"
"""Grafana's own window: a step and a scrape, at least four scrapes; a query's least step stands for the scrapes there.

https://grafana.com/docs/grafana/latest/datasources/prometheus/template-variables/
"""
MIN_STEPS = 4
"""So many least steps are an alert's window, so that a rate is of no less time than the alert's figure."""
OF_TARGET = 'target=~"$target"'
OF_PROFILE = f'{OF_TARGET},profile=~"$profile"'
OF_RUN = f'{OF_PROFILE},run_id=~"$run_id"'
UNITS = {
    "ms": "ms",
    "ratio": "percentunit",
    "%": "percent",
    "bytes": "bytes",
    "days": "d",
    "connections": "suffix: connections",
    "queries/min": "suffix: queries/min",
}
"""Grafana's units of the product's."""
RED, GREEN, CALM = "red", "green", "text"

Kind = Literal["lines", "number", "table", "heat", "states"]


@dataclass(frozen=True)
class Link:
    """Where a click on a figure leads."""

    title: str
    url: str


RUN_PAGE = Link("Run in Airflow", "${airflow}/loadtest/runs/${__field.labels.run_id}")
TRENDS = Link(
    "Trends in Airflow",
    "${airflow}/loadtest/trends?profile=${__field.labels.profile}&target=${__field.labels.target}",
)


@dataclass(frozen=True)
class Query:
    """PromQL, and the name of its series with `{{label}}`."""

    expr: str
    legend: str = ""


@dataclass(frozen=True)
class Limit:
    """A line in a panel; values `comparator value` are on the wrong side."""

    value: float
    comparator: Comparator
    text: str

    @property
    def steps(self) -> list[dashboard.Threshold]:
        """Grafana colours from each step's value upwards; the first is of all below."""
        is_top = self.comparator.startswith(">")
        below, above = (CALM, RED) if is_top else (RED, GREEN)
        return [dashboard.Threshold(None, below), dashboard.Threshold(self.value, above)]


def alert_limit(threshold: Threshold) -> Limit:
    """The limit of an alert, in words: when it fires and where its page is."""
    text = f"{threshold.comparator} {figure(threshold.limit, threshold.unit)} for {threshold.for_s} s"
    return Limit(threshold.limit, threshold.comparator, f"Alert {threshold.id}: {text}; what to do: {threshold.page}.")


def alert_page(alert: Threshold | Guard) -> Link:
    """The page of response in Airflow."""
    return Link(f"What to do: {alert.id}", f"${{airflow}}/loadtest/{alert.page}")


@dataclass(frozen=True)
class Panel:
    """One panel. `words`: text and colour of a value; `columns`: titles of a table's label columns, with their links.

    `value`: title of a table's column of values, empty: there is none. `now`: its figures are of this moment, so there
    is none once a load is over; others are over time.
    """

    title: str
    description: str
    unit: str
    queries: tuple[Query, ...]
    kind: Kind = "lines"
    width: int = 12
    height: int = 8
    limit: Limit | None = None
    links: tuple[Link, ...] = ()
    words: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    columns: Mapping[str, Link | None] = field(default_factory=dict)
    value: str = ""

    @property
    def is_now(self) -> bool:
        """Whether its queries are of this moment only."""
        return self.kind in ("number", "table")


@dataclass(frozen=True)
class Row:
    """Panels under one heading."""

    title: str
    panels: tuple[Panel, ...]


_AnyPanel = timeseries.Panel | stat.Panel | table.Panel | heatmap.Panel | statetimeline.Panel


def alerts_panel(of: str, width: int) -> Panel:
    """Alerts that fire now; `of`: matchers of its series."""
    labels = "alertname, severity, threshold, target, run_id, server"
    return Panel(
        "Alerts that fire now",
        "Of the generated rules (rules.yml). No data: none fires, or Prometheus has not loaded the rules. Severity "
        "info: the machine is shared with the load generator, and nobody is told. An alert judges nothing; a verdict "
        "does.",
        "none",
        (Query(f'max by ({labels}) (ALERTS{{alertstate="firing",alertname=~"LoadTest.+",{of}}})'),),
        *("table", width, 6),
        columns={
            "alertname": None,
            "severity": None,
            "threshold": Link("What to do", "${airflow}/loadtest/docs/alerts/${__value.raw}.md"),
            "target": None,
            "run_id": Link("Run in Airflow", "${airflow}/loadtest/runs/${__value.raw}"),
            "server": None,
        },
    )


def panel_builder(panel: Panel, number: int, least_step: str) -> Builder[dashboard.Panel]:
    """Grafana's form of a panel; `least_step` such as `15s`."""
    made = _FORMS[panel.kind](panel)
    text = panel.description if panel.limit is None else f"{panel.description} {panel.limit.text}"
    made = made.id(number).title(panel.title).description(text).unit(panel.unit).datasource(SOURCE)
    made = made.span(panel.width).height(panel.height)
    made = made.targets(
        [_target(panel, query, place).interval(least_step) for place, query in enumerate(panel.queries)]
    )
    if panel.words:
        results = {key: dashboard.ValueMappingResult(word, colour) for key, (word, colour) in panel.words.items()}
        made = made.mappings([dashboard.ValueMap(results)])
    if panel.links:
        made = made.data_links([link_builder(link) for link in panel.links])
    return made


def link_builder(link: Link) -> builders.DashboardLink:
    """Opens in a page of its own."""
    made = builders.DashboardLink(link.title).type(dashboard.DashboardLinkType.LINK)
    return made.url(link.url).target_blank(True)


def _target(panel: Panel, query: Query, number: int) -> prometheus.Dataquery:
    made = prometheus.Dataquery().expr(query.expr).ref_id(chr(ord("A") + number)).datasource(SOURCE)
    made = made.editor_mode(prometheus_models.QueryEditorMode.CODE)
    made = made.instant() if panel.is_now else made.range()
    if query.legend:
        made = made.legend_format(query.legend)
    form = {"table": prometheus_models.PromQueryFormat.TABLE, "heat": prometheus_models.PromQueryFormat.HEATMAP}
    return made.format(form.get(panel.kind, prometheus_models.PromQueryFormat.TIME_SERIES))


def _lines(panel: Panel) -> timeseries.Panel:
    """A gap stays a gap."""
    legend = common_builders.VizLegendOptions().display_mode(common.LegendDisplayMode.TABLE)
    legend = legend.placement(common.LegendPlacement.BOTTOM).show_legend(True).calcs(["lastNotNull", "max"])
    tooltip = common_builders.VizTooltipOptions().mode(common.TooltipDisplayMode.MULTI)
    made = timeseries.Panel().legend(legend).tooltip(tooltip.sort(common.SortOrder.DESCENDING))
    made = made.min(0).span_nulls(False).show_points(common.VisibilityMode.AUTO).line_width(1)
    if panel.limit is not None:
        style = common_builders.GraphThresholdsStyleConfig().mode(common.GraphThresholdsStyleMode.DASHED)
        made = made.thresholds(_thresholds(panel.limit)).thresholds_style(style).axis_soft_max(panel.limit.value)
    return made


def _number(panel: Panel) -> stat.Panel:
    """The colour is that of the limit; a number without one has none."""
    reduced = common_builders.ReduceDataOptions().calcs(["lastNotNull"]).values(False)
    made = stat.Panel().reduce_options(reduced).graph_mode(common.BigValueGraphMode.NONE)
    made = made.text_mode(common.BigValueTextMode.VALUE_AND_NAME).color_mode(common.BigValueColorMode.VALUE)
    steps = _thresholds(panel.limit) if panel.limit else _plain_colour()
    return made.thresholds(steps)


def _table(panel: Panel) -> table.Panel:
    """Columns in the order of `columns`, the value last."""
    shown = [*panel.columns, *(["Value"] if panel.value else [])]
    by_name = {name: place for place, name in enumerate(shown)}
    options = {
        "excludeByName": {name: True for name in ("Time", "Value") if name not in shown},
        "indexByName": by_name,
        "renameByName": {"Value": panel.value} if panel.value else {},
    }
    made = table.Panel().show_header(True).cell_options(common.TableColorTextCellOptions())
    made = made.thresholds(_thresholds(panel.limit) if panel.limit else _plain_colour())
    made = made.with_transformation(dashboard.DataTransformerConfig(id_val="organize", options=options))
    for name, link in panel.columns.items():
        if link is not None:
            value = [{"title": link.title, "url": link.url, "targetBlank": True}]
            made = made.override_by_name(name, [dashboard.DynamicConfigValue("links", value)])
    return made


def _heat(panel: Panel) -> heatmap.Panel:
    """Of buckets in seconds; the panel's unit is that of a cell."""
    made = heatmap.Panel().calculate(False).show_legend().mode(common.TooltipDisplayMode.SINGLE)
    linear = common_builders.ScaleDistributionConfig().type(common.ScaleDistribution.LINEAR)
    made = made.cell_values(heatmap.CellValues().unit(panel.unit)).y_axis(heatmap.YAxisConfig().unit("s"))
    return made.scale_distribution(linear)


def _states(_panel: Panel) -> statetimeline.Panel:
    made = statetimeline.Panel().merge_values(True).show_value(common.VisibilityMode.AUTO)
    return made.fill_opacity(70).line_width(0)


def _thresholds(limit: Limit) -> builders.ThresholdsConfig:
    return builders.ThresholdsConfig().mode(dashboard.ThresholdsMode.ABSOLUTE).steps(limit.steps)


def _plain_colour() -> builders.ThresholdsConfig:
    steps = [dashboard.Threshold(None, CALM)]
    return builders.ThresholdsConfig().mode(dashboard.ThresholdsMode.ABSOLUTE).steps(steps)


_FORMS: Mapping[Kind, Callable[[Panel], _AnyPanel]] = {
    "lines": _lines,
    "number": _number,
    "table": _table,
    "heat": _heat,
    "states": _states,
}
