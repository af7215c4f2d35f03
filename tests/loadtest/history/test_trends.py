"""Trends are medians of two windows of valid, comparable runs of a target; one run is no trend."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Engine

from include.loadtest.errors import ConfigError, InfrastructureError
from include.loadtest.history.comparability import comparability
from include.loadtest.history.database import connect
from include.loadtest.history.store import RunRecord, record_run
from include.loadtest.history.trends import MOST_POINTS, read_points, read_trends
from include.loadtest.profile import Overrides, Profile, find_profile, load_profile
from tests.loadtest.history.conftest import START

pytestmark = pytest.mark.integration
NOW = START + timedelta(days=70)
DAYS = 31

Record = Callable[..., RunRecord]
Metric = Callable[..., dict[str, Any]]


@pytest.fixture
def run(engine: Engine, record: Record, metric: Metric) -> Callable[..., None]:
    """Records a run `days_ago` days before now with a P95."""

    def insert(run_id: str, days_ago: float, value: float | None, verdict: str = "PASS", **changes: Any) -> None:
        started = {"started": NOW - timedelta(days=days_ago), "ended": None}
        made = record(run_id, verdict=verdict)
        record_run(engine, replaced(made, **started, **changes), [metric("latency_p95_ms", value)])

    return insert


def replaced(record: RunRecord, **changes: Any) -> RunRecord:
    return RunRecord(**{**vars(record), **changes})


def only_metric(engine: Engine, target: str = "default") -> dict[str, Any]:
    (series,) = read_trends(engine, target, NOW, DAYS)["series"]
    (found,) = series["metrics"]
    return dict(found)


def test_medians_of_the_last_days_and_of_those_before(engine: Engine, run: Callable[..., None]) -> None:
    """Three runs now, two before: the middle one against the mean of two, with the numbers of runs."""
    for index, (days_ago, value) in enumerate([(1, 120.0), (8, 100.0), (30, 900.0), (32, 60.0), (61, 100.0)]):
        run(f"smoke-{index}", days_ago, value)
    found = only_metric(engine)
    assert found["last"] == {"median": 120.0, "n": 3}
    assert found["before"] == {"median": 80.0, "n": 2}
    assert found["change"] == pytest.approx(0.5)
    assert (found["unit"], found["direction"], found["note"]) == ("ms", "lower", None)


def test_the_windows_meet_and_end_now(engine: Engine, run: Callable[..., None]) -> None:
    """A run at the border is the later window's, one at the far end the earlier one's; older and later are none."""
    for days_ago, value in [(-0.1, 1.0), (0, 2.0), (31, 3.0), (31.01, 4.0), (62, 5.0), (62.01, 6.0)]:
        run(f"smoke-{value:.0f}", days_ago, value)
    found = only_metric(engine)
    assert found["last"] == {"median": 2.5, "n": 2}
    assert found["before"] == {"median": 4.5, "n": 2}


@pytest.mark.parametrize("verdict", ["INCONCLUSIVE", "ABORTED"])
def test_invalid_runs_and_repeats_do_not_count(engine: Engine, run: Callable[..., None], verdict: str) -> None:
    """A breach and a regression do: they were valid."""
    run("smoke-invalid", 1, 9999.0, verdict)
    run("smoke-a-repeat1", 1, 9999.0)
    run("smoke-a-current2", 1, 9999.0)
    run("smoke-breach", 1, 100.0, "SLA_BREACH")
    run("smoke-regression", 1, 200.0, "REGRESSION")
    assert only_metric(engine)["last"] == {"median": 150.0, "n": 2}


def test_one_run_is_no_trend(engine: Engine, run: Callable[..., None]) -> None:
    """In either window; its value is shown, the change is not."""
    run("smoke-1", 1, 100.0)
    run("smoke-2", 2, 110.0)
    run("smoke-3", 40, 50.0)
    found = only_metric(engine)
    assert (found["before"], found["change"], found["note"]) == ({"median": 50.0, "n": 1}, None, "too few runs")


def test_a_run_without_a_value_does_not_count(engine: Engine, run: Callable[..., None]) -> None:
    """And a window without any has no median."""
    run("smoke-1", 1, None)
    run("smoke-2", 2, 110.0)
    found = only_metric(engine)
    assert (found["last"], found["before"]) == ({"median": 110.0, "n": 1}, {"median": None, "n": 0})


def test_a_change_from_nothing_has_no_ratio(engine: Engine, record: Record, metric: Metric) -> None:
    """An error rate that was 0: both medians are shown, the note does not call it too few runs."""
    for index, (days_ago, value) in enumerate([(1, 0.02), (2, 0.02), (40, 0.0), (41, 0.0)]):
        made = replaced(record(f"smoke-{index}"), started=NOW - timedelta(days=days_ago))
        record_run(engine, made, [metric("error_rate", value)])
    found = only_metric(engine)
    assert (found["last"]["median"], found["before"]["median"]) == (0.02, 0.0)
    assert (found["change"], found["note"]) == (None, None)


def test_other_targets_and_other_loads_are_apart(
    engine: Engine, run: Callable[..., None], profile: Profile, manifest: dict[str, Any]
) -> None:
    """Each comparability key is a series of its own, told apart by its load."""
    fewer = load_profile(find_profile("smoke"), Overrides(users=5))
    run("smoke-ten", 1, 100.0)
    run("smoke-five", 1, 300.0, comparability=comparability(fewer, manifest))
    run("smoke-elsewhere", 1, 9999.0, target="other")
    series = read_trends(engine, "default", NOW, DAYS)["series"]
    shown = {entry["users"]: (entry["profile"], entry["engine"], entry["metrics"][0]["last"]) for entry in series}
    assert shown == {
        profile.users: ("smoke", "locust", {"median": 100.0, "n": 1}),
        5: ("smoke", "locust", {"median": 300.0, "n": 1}),
    }
    assert {entry["load_s"] for entry in series} == {profile.load_s}


def test_the_followed_metrics_come_in_order_and_of_the_hold_only(
    engine: Engine, record: Record, metric: Metric
) -> None:
    """Scopes, phases and metrics beside them are not followed."""
    rows = [
        *(metric(name, 1.0) for name in ("host_cpu_pct", "throughput_rpm", "latency_p99_ms", "latency_p50_ms")),
        metric("latency_p50_ms", 7.0, scope="endpoint:chat"),
        metric("latency_p50_ms", 7.0, phase="ramp_up"),
        metric("latency_p10_ms", 7.0),
    ]
    record_run(engine, replaced(record("smoke-1"), started=NOW), rows)
    (series,) = read_trends(engine, "default", NOW, DAYS)["series"]
    assert [(one["metric"], one["last"]["median"]) for one in series["metrics"]] == [
        *(("latency_p50_ms", 1.0), ("latency_p99_ms", 1.0), ("throughput_rpm", 1.0), ("host_cpu_pct", 1.0))
    ]


def test_no_run_is_no_series(engine: Engine) -> None:
    """With both windows told."""
    found = read_trends(engine, "default", NOW, 92)
    assert (found["series"], found["days"], found["target"]) == ([], 92, "default")
    assert found["last"]["from"] == found["before"]["to"]


def test_a_database_that_does_not_answer_or_has_no_tables(empty_url: str) -> None:
    """Worth a retry, and not."""
    with pytest.raises(InfrastructureError):
        read_trends(connect("postgresql://nobody@127.0.0.1:1/none"), "default", NOW, DAYS)
    with pytest.raises(ConfigError):
        read_trends(connect(empty_url), "default", NOW, DAYS)


def test_the_points_are_the_runs_behind_the_medians(engine: Engine, run: Callable[..., None]) -> None:
    """Oldest first, with verdict and value; invalid ones, and those without a value, are none."""
    run("smoke-2", 1, 120.0, "WARN")
    run("smoke-1", 40, 100.0)
    run("smoke-3", 2, None)
    run("smoke-4", 3, 900.0, "ABORTED")
    run("smoke-5", 63, 900.0)
    (series,) = read_points(engine, "default", NOW, DAYS)
    assert (series["profile"], series["metric"], series["unit"]) == ("smoke", "latency_p95_ms", "ms")
    assert series["comparability_key"] == read_trends(engine, "default", NOW, DAYS)["series"][0]["comparability_key"]
    assert [(one["run_id"], one["verdict"], one["value"]) for one in series["points"]] == [
        ("smoke-1", "PASS", 100.0),
        ("smoke-2", "WARN", 120.0),
    ]


def test_of_many_points_the_latest_stay(engine: Engine, run: Callable[..., None]) -> None:
    """A picture has no room for more."""
    for number in range(MOST_POINTS + 2):
        run(f"smoke-{number}", 60 - number / 10, 100.0 + number)
    (series,) = read_points(engine, "default", NOW, DAYS)
    assert (len(series["points"]), series["points"][0]["run_id"]) == (MOST_POINTS, "smoke-2")
