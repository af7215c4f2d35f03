"""`python -m include.loadtest.publishing.dashboards DIR`: Grafana's dashboards of load, target and history, generated.

DIR gets loadtest-load.json, loadtest-target.json and loadtest-history.json, for Grafana 11 or newer: to be imported by
hand or read by its provisioning. They ask a Prometheus that scrapes the exporter; limits are those of
include/profiles as it is now.
"""

import argparse
import json
import logging
import os
import re
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from grafana_foundation_sdk.builders import dashboard as builders
from grafana_foundation_sdk.cog.builder import Builder
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models import dashboard

from include.loadtest.errors import ConfigError
from include.loadtest.profile import Profile
from include.loadtest.profile.loading import find_profile, load_profile, profile_names
from include.loadtest.profile.thresholds import THRESHOLDS_FILE, Thresholds, load_thresholds
from include.loadtest.publishing.dashboard_history import history_rows
from include.loadtest.publishing.dashboard_load import load_rows
from include.loadtest.publishing.dashboard_parts import (
    MIN_STEPS,
    OF_PROFILE,
    OF_TARGET,
    SOURCE,
    Query,
    Row,
    panel_builder,
)
from include.loadtest.publishing.dashboard_target import target_rows
from include.loadtest.publishing.expressions import RUN
from include.loadtest.publishing.history_page import VERDICT, VERDICT_TIME
from include.loadtest.publishing.live_page import REQUESTS, USERS

LOG = logging.getLogger("loadtest.dashboards")
TAG = "loadtest"
AIRFLOW_VARIABLE, AIRFLOW_URL = "AIRFLOW__API__BASE_URL", "http://127.0.0.1:8080"
"""Airflow's own setting of its address, and that of the embedded environment."""
_ALL = dashboard.VariableOption(selected=True, text="All", value="$__all")


@dataclass(frozen=True)
class Board:
    """What one dashboard is made of; `variables`: names and the queries that give their values."""

    uid: str
    title: str
    description: str
    start: str
    refresh: str
    rows: tuple[Row, ...]
    variables: Mapping[str, str]


class Event(dashboard.AnnotationQuery):
    """An annotation with what Grafana's Prometheus source reads beside `expr`; the SDK's model has no place for it.

    A query's legend is the title. `is_time`: a value is the moment, in ms, instead of when the series has it.
    """

    def __init__(self, name: str, colour: str, query: Query, text: str, *, step: str, is_time: bool = False) -> None:
        super().__init__(name=name, datasource=SOURCE, enable=True, icon_color=colour, expr=query.expr)
        self._own = {"titleFormat": query.legend, "textFormat": text, "step": step, "useValueForTime": is_time}

    def to_json(self) -> dict[str, object]:
        """As the SDK does it."""
        return {**super().to_json(), **self._own}


class _EventBuilder(Builder[dashboard.AnnotationQuery]):
    def __init__(self, event: Event) -> None:
        self._event = event

    def build(self) -> dashboard.AnnotationQuery:
        return self._event


def boards(thresholds: Thresholds, profiles: Iterable[Profile]) -> tuple[Board, ...]:
    """The three dashboards; `profiles`: those whose limits are shown."""
    of_run = {
        "target": f"label_values({REQUESTS}, target)",
        "profile": f"label_values({REQUESTS}{{{OF_TARGET}}}, profile)",
        "run_id": f"label_values({REQUESTS}{{{OF_PROFILE}}}, run_id)",
    }
    of_history = {
        "target": f"label_values({VERDICT_TIME}, target)",
        "profile": f"label_values({VERDICT_TIME}{{{OF_TARGET}}}, profile)",
    }
    return (
        Board(
            "loadtest-load",
            "Load tests: load",
            "Loads as they are sent: users, requests, latencies, errors. Not the verdict: that is in the run's report.",
            *("now-30m", "10s", load_rows(thresholds), of_run),
        ),
        Board(
            "loadtest-target",
            "Load tests: target",
            "The target's servers while a load is sent, as the load test's own collectors read them.",
            *("now-30m", "10s", target_rows(thresholds), of_run),
        ),
        Board(
            "loadtest-history",
            "Load tests: history",
            "Verdicts and figures of the last run of each profile, over weeks.",
            *("now-30d", "1m", history_rows(thresholds, profiles), of_history),
        ),
    )


def board_json(board: Board, thresholds: Thresholds, airflow_url: str) -> str:
    """Grafana's JSON of a dashboard; `airflow_url`: where links to runs and pages of response lead, without a path."""
    made = builders.Dashboard(board.title).uid(board.uid).description(board.description).tags([TAG]).editable()
    made = made.timezone("browser").tooltip(dashboard.DashboardCursorSync.CROSSHAIR).refresh(board.refresh)
    made = made.time(board.start, "now").variables(_variables(board.variables, airflow_url))
    made = made.annotations([_EventBuilder(event) for event in events(f"{least_step_s(thresholds)}s")])
    made = made.links(_links())
    number = 0
    for row in board.rows:
        number += 1
        made = made.with_row(builders.Row(row.title).id(number))
        for panel in row.panels:
            number += 1
            made = made.with_panel(panel_builder(panel, number, f"{least_step_s(thresholds)}s"))
    return json.dumps(made.build(), cls=JSONEncoder, indent=2, ensure_ascii=False) + "\n"


def least_step_s(thresholds: Thresholds) -> int:
    """The least time between two points of a panel: rates are then of no less time than an alert's figure."""
    return -(-thresholds.window_s // MIN_STEPS)


def events(step: str) -> tuple[Event, ...]:
    """When loads were sent, when verdicts came, when alerts fired; `step` such as `15s`."""
    times = f"max by (profile, target) ({VERDICT_TIME}{{{OF_PROFILE}}})"
    verdicts = f"max by (profile, target, verdict) ({VERDICT}{{{OF_PROFILE}}})"
    labels = "alertname, severity, target, run_id"
    firing = f'max by ({labels}) (ALERTS{{alertstate="firing",alertname=~"LoadTest.+",target=~"$target|"}})'
    ended = Query(f"1000 * {verdicts} * on (profile, target) group_left () {times}", "{{verdict}}")
    sent = Query(f"max by ({RUN}) ({USERS}{{{OF_PROFILE}}})", "{{run_id}}")
    return (
        Event("Loads", "blue", sent, "{{profile}} on {{target}}", step=step),
        Event("Verdicts", "purple", ended, "{{profile}} on {{target}}: end of its last run", step=step, is_time=True),
        Event("Alerts", "red", Query(firing, "{{alertname}}"), "{{severity}} {{run_id}}", step=step),
    )


def _variables(queries: Mapping[str, str], airflow_url: str) -> list[Builder[dashboard.VariableModel]]:
    """The Prometheus to ask, Airflow's address (fixed: no link to a dashboard can change it), then the choices."""
    source = builders.DatasourceVariable("datasource").label("Prometheus").type("prometheus")
    fixed = dashboard.VariableOption(selected=True, text=airflow_url, value=airflow_url)
    airflow = builders.ConstantVariable("airflow").label("Airflow").value(airflow_url)
    airflow.build().current, airflow.build().skip_url_sync = fixed, True
    return [source, airflow, *(_choice(name, query) for name, query in queries.items())]


def _choice(name: str, query: str) -> builders.QueryVariable:
    made = builders.QueryVariable(name).label(name).query(query).datasource(SOURCE).current(_ALL)
    made = made.refresh(dashboard.VariableRefresh.ON_TIME_RANGE_CHANGED).multi(True)
    # Run ids end with their time, so the newest of a profile comes first.
    return made.include_all(True).all_value(".+").sort(dashboard.VariableSort.ALPHABETICAL_DESC)


def _links() -> list[Builder[dashboard.DashboardLink]]:
    others = builders.DashboardLink("Load tests").type(dashboard.DashboardLinkType.DASHBOARDS).tags([TAG])
    overview = builders.DashboardLink("Overview in Airflow").type(dashboard.DashboardLinkType.LINK)
    return [
        others.as_dropdown(False).keep_time(True).include_vars(False),
        overview.url("${airflow}/loadtest/").icon("external link").target_blank(True),
    ]


def write(directory: Path, airflow_url: str, thresholds: Thresholds, profiles: Iterable[Profile]) -> list[Path]:
    """Write the dashboards into a folder, each by its uid; an earlier file is replaced."""
    directory.mkdir(parents=True, exist_ok=True)
    written = []
    for board in boards(thresholds, profiles):
        path = directory / f"{board.uid}.json"
        path.write_text(board_json(board, thresholds, airflow_url), encoding="utf-8")
        written.append(path)
    return written


def checked_url(text: str) -> str:
    """An address that links may begin with, without a slash at its end. Raises ConfigError."""
    if not re.fullmatch(r"https?://[^\s/?#$\"'<>]+(/[^\s?#$\"'<>]*)?", text):
        raise ConfigError(f"--airflow-url: {text!r} is no address; write it as {AIRFLOW_URL}")
    return text.rstrip("/")


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m include.loadtest.publishing.dashboards", description=__doc__, allow_abbrev=False
    )
    parser.add_argument("directory", type=Path, metavar="DIR", help="folder for the files")
    parser.add_argument("--thresholds", type=Path, default=THRESHOLDS_FILE, help="another file of thresholds")
    parser.add_argument(
        "--airflow-url",
        default=os.environ.get(AIRFLOW_VARIABLE) or AIRFLOW_URL,
        help="Airflow's address as people's browsers reach it",
    )
    return parser.parse_args(arguments)


def main(arguments: Sequence[str] | None = None) -> int:
    """Write the dashboards; exit code 2 for bad input."""
    options = _options(arguments)
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    try:
        thresholds = load_thresholds(options.thresholds)
        profiles = [load_profile(find_profile(name)) for name in profile_names()]
        written = write(options.directory, checked_url(options.airflow_url), thresholds, profiles)
    except (ConfigError, OSError) as error:
        LOG.error("%s", error)
        return 2
    LOG.info("written to %s: %s", options.directory, ", ".join(path.name for path in written))
    return 0


if __name__ == "__main__":
    sys.exit(main())
