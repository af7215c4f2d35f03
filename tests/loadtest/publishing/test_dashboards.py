"""The generated dashboards are sound, and every query of theirs gives data from a real Prometheus."""

import copy
import csv
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from include.loadtest.profile.loading import find_profile, load_profile, profile_names
from include.loadtest.profile.thresholds import THRESHOLDS_FILE, load_thresholds
from include.loadtest.publishing.alert_rules import GUARDS
from include.loadtest.publishing.dashboard_history import COLOURS, OVER_LIMITS, limits_of
from include.loadtest.publishing.dashboards import least_step_s, main
from include.loadtest.verdict import Verdict
from tests.helpers.dashboard_checks import faults, panels_of
from tests.helpers.dashboard_questions import READINGS

pytestmark = pytest.mark.unit
NAMES = ("loadtest-load", "loadtest-target", "loadtest-history")
Board = dict[str, Any]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the command writes."""
    made = tmp_path_factory.mktemp("dashboards")
    assert main([str(made), "--airflow-url", "https://airflow.example/base/"]) == 0
    return made


def board_of(folder: Path, name: str) -> Board:
    board: Board = json.loads((folder / f"{name}.json").read_text(encoding="utf-8"))
    return board


def panel_of(board: Board, title: str) -> dict[str, Any]:
    return next(panel for panel in panels_of(board) if panel["title"] == title)


@pytest.mark.parametrize("name", NAMES)
def test_it_is_sound_and_survives_the_round_trip_through_the_model(folder: Path, name: str) -> None:
    """Grafana's model reads all of it and writes the same again; ids, places, variables, units, texts, windows."""
    board = board_of(folder, name)
    assert faults(board) == []
    assert (board["uid"], board["tags"]) == (name, ["loadtest"])
    assert len(panels_of(board)) >= 12


def set_expr(panel: dict[str, Any], expr: str) -> None:
    panel["targets"][0]["expr"] = expr


LATENCY, NOW = "Latency: P50, P95, P99", "P95 latency now"
PLANTED: dict[str, tuple[Callable[[Board, dict[str, Any]], Any], str]] = {
    "a key that is mistyped": (lambda _board, panel: panel.update(tilte="x"), "tilte: unknown to the SDK"),
    "a key of a query that is mistyped": (
        lambda _board, panel: panel["targets"][0].update(legendFromat="x"),
        "legendFromat: unknown to the SDK",
    ),
    "a word that is none of Grafana's": (
        lambda _board, panel: panel["options"]["legend"].update(displayMode="tabel"),
        "'tabel' is none of",
    ),
    "a way to draw that there is not": (
        lambda _board, panel: panel["fieldConfig"]["defaults"]["custom"].update(drawStyle="lines"),
        "'lines' is none of",
    ),
    "a kind of variable that there is not": (
        lambda board, _panel: board["templating"]["list"][2].update(type="qeury"),
        "'qeury' is none of",
    ),
    "a place as text": (lambda _board, panel: panel["gridPos"].update(x="12"), "is no whole number"),
    "a panel over another": (lambda _board, panel: panel["gridPos"].update(y=0, x=0), "overlap"),
    "a panel beyond the edge": (lambda _board, panel: panel["gridPos"].update(x=20), "not within the grid"),
    "an id twice": (lambda _board, panel: panel.update(id=1), "id 1 stands 2 times"),
    "no title": (lambda _board, panel: panel.update(title=""), "title ''"),
    "no unit": (lambda _board, panel: panel["fieldConfig"]["defaults"].update(unit=""), "is none of Grafana's"),
    "a unit that there is not": (
        lambda _board, panel: panel["fieldConfig"]["defaults"].update(unit="millis"),
        "'millis' is none of Grafana's",
    ),
    "no description": (lambda _board, panel: panel.update(description=""), "no description"),
    "a variable that there is not": (
        lambda _board, panel: set_expr(panel, 'loadtest_users{run_id="$run"}'),
        "variable $run is not defined",
    ),
    "a variable that comes later": (lambda board, _panel: board["templating"]["list"].reverse(), "comes after it"),
    "another source": (
        lambda _board, panel: panel["targets"][0].update(datasource={"type": "prometheus", "uid": "mine"}),
        "another source",
    ),
    "a 0 for no data": (
        lambda _board, panel: set_expr(panel, f"{panel['targets'][0]['expr']} or vector(0)"),
        "a 0 is made",
    ),
    "a text for no data": (
        lambda _board, panel: panel["fieldConfig"]["defaults"].update(noValue="0"),
        "what is absent is shown",
    ),
    "lines over gaps": (
        lambda _board, panel: panel["fieldConfig"]["defaults"]["custom"].update(spanNulls=True),
        "what is absent is shown",
    ),
    "a rate of two scrapes": (
        lambda _board, panel: set_expr(panel, "rate(loadtest_requests_total[10s])"),
        "fewer than 4 scrapes",
    ),
    "no least step": (lambda _board, panel: panel["targets"][0].pop("interval"), "no least step"),
    "an estimate that is not called one": (
        lambda _board, panel: panel.update(description="The latency of the requests, as it is."),
        "not said to be an estimate",
    ),
    "the generator's machine as if it were the target's": (
        lambda _board, panel: set_expr(panel, 'loadtest_reading{source="generator",metric="cpu_pct"}'),
        "the generator's readings",
    ),
    "now over time": (
        lambda board, _panel: panel_of(board, NOW)["targets"][0].update(instant=False, range=True),
        "a figure of now is asked over time",
    ),
    "a query twice": (
        lambda _board, panel: panel["targets"].append(copy.deepcopy(panel["targets"][0])),
        "two of one name",
    ),
}


@pytest.mark.parametrize("mistake", PLANTED)
def test_a_planted_mistake_is_refused(folder: Path, mistake: str) -> None:
    """So the check of the real ones says something."""
    board = board_of(folder, NAMES[0])
    plant, said = PLANTED[mistake]
    plant(board, panel_of(board, LATENCY))
    found = faults(board)
    assert any(said in fault for fault in found), found


def test_limits_are_those_of_the_files(folder: Path, tmp_path: Path) -> None:
    """Each alert's limit is a line where its figure is shown; another number in the file is another line."""
    drawn = limits_drawn([board_of(folder, name) for name in NAMES])
    assert {threshold.limit for threshold in load_thresholds().thresholds} <= drawn
    own = tmp_path / "thresholds.yaml"
    own.write_text(THRESHOLDS_FILE.read_text(encoding="utf-8").replace("limit: 5000\n", "limit: 4321\n"))
    assert main([str(tmp_path), "--thresholds", str(own)]) == 0
    changed = limits_drawn([board_of(tmp_path, name) for name in NAMES])
    assert drawn ^ changed == {5000, 4321}


def limits_drawn(boards: list[Board]) -> set[float]:
    """Where thresholds' colours change."""
    steps = [
        step["value"]
        for board in boards
        for panel in panels_of(board)
        for step in panel["fieldConfig"]["defaults"].get("thresholds", {}).get("steps", [])
    ]
    return {value for value in steps if value is not None}


def test_the_share_of_a_limit_is_of_the_profiles_own_limit(folder: Path) -> None:
    """Each profile with a critical limit stands in the query, with the number of its file."""
    profiles = [load_profile(find_profile(name)) for name in profile_names()]
    queries = panel_of(board_of(folder, NAMES[2]), "Share of the critical limits that is used up")["targets"]
    assert len(queries) == len(OVER_LIMITS)
    for query, metric in zip(queries, OVER_LIMITS, strict=True):
        limits = limits_of(profiles, metric)
        assert limits
        for limit, names in limits.items():
            assert f'profile=~"{"|".join(sorted(names))}"' in query["expr"]
            assert f"{limit:g}" in query["expr"]


def test_alert_pages_and_runs_are_linked_below_airflows_address(folder: Path) -> None:
    """The address is fixed when they are generated; each linked page of response is a file of docs/."""
    pages = set()
    for name in NAMES:
        board = board_of(folder, name)
        airflow = next(one for one in board["templating"]["list"] if one["name"] == "airflow")
        assert (airflow["type"], airflow["query"]) == ("constant", "https://airflow.example/base")
        text = json.dumps(board)
        assert set(re.findall(r'"url": "([^"]{11})', text)) == {"${airflow}/"}
        pages |= set(re.findall(r"\$\{airflow\}/loadtest/(docs/[a-z0-9_/]+\.md)", text))
    alerts = (*load_thresholds().thresholds, *GUARDS)
    assert pages == {alert.page for alert in alerts}
    assert all((THRESHOLDS_FILE.parents[2] / page).is_file() for page in pages)
    assert all(alert.page == f"docs/alerts/{alert.id}.md" for alert in alerts)  # as the table of alerts links them


def test_readings_that_are_asked_for_are_ones_that_collectors_give(folder: Path) -> None:
    """Each alternative of a name: as the collectors wrote them in a run against the demo target, or a Prometheus."""
    with READINGS.open(encoding="utf-8") as file:
        known = {(row["source"], row["metric"]) for row in csv.DictReader(file)}
    asked = re.findall(
        r'loadtest_reading\{source=~?\\"([^"\\]+)\\",metric=~?\\"([^"\\]+)\\"',
        "".join(json.dumps(board_of(folder, name)) for name in NAMES),
    )
    assert len(asked) > 30
    for sources, metric in asked:
        found = [name for source, name in known if re.fullmatch(sources, source) and re.fullmatch(metric, name)]
        assert found or sources in ("prometheus", "app"), (sources, metric)
        assert all(re.search(rf"\b{re.escape(word)}\b", " ".join(found)) for word in plain_words(metric)), metric


def plain_words(pattern: str) -> list[str]:
    """Alternatives of a pattern that have nothing else in them."""
    return [] if re.search(r"[()?]", pattern) or "|" not in pattern else pattern.split("|")


def test_every_verdict_has_a_colour_of_its_own() -> None:
    """A new verdict is not shown as a number."""
    assert set(COLOURS) == set(Verdict)
    assert len(set(COLOURS.values())) == len(Verdict)


def test_the_least_step_makes_rates_of_no_less_time_than_an_alerts_figure() -> None:
    """Four steps, rounded up, are its window or more."""
    thresholds = load_thresholds()
    assert least_step_s(thresholds) * 4 >= thresholds.window_s
    assert least_step_s(thresholds.model_copy(update={"window_s": 61})) == 16


@pytest.mark.parametrize("url", ["javascript:alert(1)", "airflow:8080", "https://", "http://a/?b", 'http://a"b'])
def test_bad_input_ends_with_2_and_one_line(tmp_path: Path, url: str, caplog: pytest.LogCaptureFixture) -> None:
    """Nothing is written then."""
    assert main([str(tmp_path / "out"), "--airflow-url", url]) == 2
    assert "--airflow-url" in caplog.text
    assert not (tmp_path / "out").exists()
