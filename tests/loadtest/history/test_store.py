"""Runs go into the history once and come back as the measure for the next."""

import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Engine, event, func, select

from include.loadtest import run
from include.loadtest.bundle import Bundle
from include.loadtest.history.comparability import comparability_key
from include.loadtest.history.database import connect, transaction
from include.loadtest.history.schema import METRIC, RUN
from include.loadtest.history.store import (
    last_comparable_run,
    last_comparable_runs,
    latest_run,
    record_and_compare,
    record_run,
    runs_of_suite,
)
from include.loadtest.profile import Overrides, Profile, find_profile, load_profile

pytestmark = pytest.mark.integration


def rows(engine: Engine, table: Any) -> list[Any]:
    with transaction(engine) as connection:
        return list(connection.execute(select(table)).mappings())


def test_recording_twice_is_recording_once(engine: Engine, record: Any, metric: Any) -> None:
    """The second time replaces verdict and metrics; when the run came in first stays."""
    record_run(engine, record("a", verdict="WARN"), [metric("latency_p95_ms", 1.0), metric("error_rate", 0.5)])
    before = rows(engine, RUN)[0]
    record_run(engine, record("a"), [metric("latency_p95_ms", 2.0)])
    after = rows(engine, RUN)[0]
    assert [(row["metric"], row["value"]) for row in rows(engine, METRIC)] == [("latency_p95_ms", 2.0)]
    assert (after["verdict"], after["inserted_at"]) == ("PASS", before["inserted_at"])
    assert after["updated_at"] > before["updated_at"]
    assert after["environment"]["row_counts"] == {"user": 200, "query_history": 3000}


def test_a_failed_recording_changes_nothing(engine: Engine, record: Any, metric: Any) -> None:
    """Run and metrics are one transaction: two rows for one key are refused as a whole."""
    record_run(engine, record("a"), [metric("latency_p95_ms", 1.0)])
    with pytest.raises(Exception, match="duplicate key"):
        record_run(engine, record("a", verdict="WARN"), [metric("error_rate", 1.0)] * 2)
    assert rows(engine, RUN)[0]["verdict"] == "PASS"
    assert [row["metric"] for row in rows(engine, METRIC)] == ["latency_p95_ms"]


def test_the_last_comparable_run_is_the_latest_normal_one_before(engine: Engine, record: Any, metric: Any) -> None:
    """Not the run itself, none after it, none under other conditions, none that was no PASS or WARN."""
    now = record("now", day=9)
    record_run(engine, record("old", day=1), [metric("latency_p95_ms", 1.0)])
    record_run(
        engine,
        record("warn", day=2, verdict="WARN"),
        [metric("latency_p95_ms", 2.0), metric("latency_p95_ms", 9.0, phase="ramp_up")],
    )
    for day, verdict in enumerate(("SLA_BREACH", "REGRESSION", "ABORTED", "INCONCLUSIVE"), start=3):
        record_run(engine, record(verdict, day=day, verdict=verdict), [metric("latency_p95_ms", 3.0)])
    record_run(engine, record("other", day=8, comparability={"users": 99}), [])
    refused = record("refused", day=8, verdict="INCONCLUSIVE", ended=None)
    record_run(engine, replace(refused, started=refused.started + timedelta(hours=1)), [])
    record_run(engine, now, [metric("latency_p95_ms", 4.0)])
    record_run(engine, record("later", day=10), [])
    found = last_comparable_run(engine, comparability_key(now.comparability), now.started, now.run_id)
    assert found is not None
    assert found["run_id"] == "warn"
    assert [(row["metric"], row["value"]) for row in found["metrics"]] == [("latency_p95_ms", 2.0)]
    assert last_comparable_run(engine, "unknown", now.started, now.run_id) is None
    first = record("old", day=1).started
    assert last_comparable_run(engine, comparability_key(now.comparability), first, "old") is None
    newest = latest_run(engine, "smoke", now.started, now.run_id)
    assert newest is not None
    assert newest["run_id"] == "other", "a run that sent no load differs in everything"


def concluded(
    bundle: Bundle, profile: Profile, manifest: dict[str, Any], verdict: str, metrics: list[Any], *, day: int = 0
) -> Bundle:
    """A run's directory after judging; another day is another directory."""
    own = Bundle(bundle.path.with_name(f"smoke-2026030{day + 1}-090000-abcdef"))
    phases = [
        {
            "name": "hold",
            "stage": "hold",
            "start": f"2026-03-0{day + 1}T09:00:05Z",
            "end": f"2026-03-0{day + 1}T09:01:05Z",
        }
    ]
    changed = {**manifest, "started": f"2026-03-0{day + 1}T09:00:00.000000Z", "phases": phases}
    own.update_manifest(**changed)
    own.write(run.VERDICT, {"schema": 1, "run_id": own.run_id, "profile": profile.name, "verdict": verdict})
    own.write(run.METRICS, {"schema": 1, "metrics": metrics})
    return own


def test_two_runs_end_to_end(empty_url: str, bundle: Bundle, profile: Profile, manifest: Any, metric: Any) -> None:
    """The first has nothing to compare with, the second is shown beside the first; repeating changes nothing."""
    first = concluded(bundle, profile, manifest, "PASS", [metric("latency_p95_ms", 1000.0)])
    document = record_and_compare(empty_url, first, profile)
    assert (document["previous_run_id"], document["differences"]) == (None, [])
    assert document["text"] == "There is no earlier run of smoke to compare with."
    second = concluded(bundle, profile, manifest, "WARN", [metric("latency_p95_ms", 1500.0)], day=1)
    for _ in range(2):
        document = record_and_compare(empty_url, second, profile, "s3://results/second")
        assert second.read(run.COMPARISON) == document
        assert document["previous_run_id"] == first.run_id
        assert document["previous_started"] == "2026-03-01T09:00:00.000000Z"
        assert document["differences"] == [
            {
                "metric": "latency_p95_ms",
                "scope": "all",
                "unit": "ms",
                "direction": "lower",
                "current": 1500.0,
                "previous": 1000.0,
                "change": 0.5,
            }
        ]


def test_what_differs_is_named(empty_url: str, bundle: Bundle, profile: Profile, manifest: Any, metric: Any) -> None:
    """A run under other conditions is not compared, and the document says which field it was."""
    record_and_compare(empty_url, concluded(bundle, profile, manifest, "PASS", [metric("error_rate", 0.0)]), profile)
    more = profile.model_copy(update={"users": 30})
    document = record_and_compare(empty_url, concluded(bundle, profile, manifest, "PASS", [], day=1), more)
    assert document["previous_run_id"] is None
    assert "users is 30, was 10" in document["text"]
    assert {"field": "users", "current": 30, "other": 10} in document["differing_fields"]


def test_an_invalid_run_is_kept_and_not_compared(
    url: str, bundle: Bundle, profile: Profile, manifest: Any, engine: Engine
) -> None:
    """Nor does a run without metrics fail here."""
    own = concluded(bundle, profile, manifest, "INCONCLUSIVE", [])
    (own.path / run.METRICS).unlink()
    document = record_and_compare(url, own, profile)
    assert "INCONCLUSIVE" in document["text"]
    kept = rows(engine, RUN)[0]
    assert (kept["verdict"], kept["ended"] - kept["started"]) == ("INCONCLUSIVE", timedelta(seconds=65))
    with transaction(engine) as connection:
        assert connection.scalar(select(func.count()).select_from(METRIC)) == 0


def test_writers_at_once_leave_the_rows_of_one_of_them(url: str, engine: Engine, record: Any, metric: Any) -> None:
    """Each with another verdict and another number of metrics: what stays is one writer's, whole."""
    writers, rounds = 6, 5
    start = threading.Barrier(writers)

    def write(number: int) -> None:
        own = connect(url)
        for _ in range(rounds):
            start.wait(timeout=30)
            scopes = [f"endpoint:e{place}" for place in range(1 + 40 * (number % 3))]
            record_run(
                own, record("a", bundle_uri=f"w{number}"), [metric("error_rate", float(number), s) for s in scopes]
            )

    with ThreadPoolExecutor(writers) as pool:
        list(pool.map(write, range(writers)))
    (kept,) = rows(engine, RUN)
    number = int(kept["bundle_uri"][1:])
    metrics = rows(engine, METRIC)
    assert {row["value"] for row in metrics} == {float(number)}
    assert len(metrics) == 1 + 40 * (number % 3)


def test_new_metrics_scopes_and_keys_go_in(engine: Engine, record: Any, metric: Any) -> None:
    """What a later release measures needs no change of the tables; keys without a column stay in the bundle."""
    recovery = {**metric("error_rate", 12.5, phase="recovery"), "metric": "recovery_time_s", "lower_bound": True}
    users = {**metric("error_rate", 80.0, scope="all"), "metric": "breaking_point_users", "looked_up_to": 120}
    step = {**metric("error_rate", None, scope="stage:step_3"), "metric": "not_yet_invented", "unit": "x"}
    record_run(engine, record("a"), [recovery, users, step])
    found = {(row["metric"], row["scope"], row["phase"]): row["value"] for row in rows(engine, METRIC)}
    assert found == {
        ("recovery_time_s", "all", "recovery"): 12.5,
        ("breaking_point_users", "all", "hold"): 80.0,
        ("not_yet_invented", "stage:step_3", "hold"): None,
    }


def test_the_last_comparable_runs_come_with_their_metrics_in_one_statement(
    engine: Engine, record: Any, metric: Any
) -> None:
    """Newest first, each with the rows of the asked phase as they were recorded; none without metrics is lost."""
    for day in range(1, 7):
        spans = [metric("latency_p95_ms", 1000.0 * day), metric("error_rate", 0.1 * day), metric("ttft_p95_ms", None)]
        further = [metric("latency_p95_ms", 7.0, phase="ramp_up")]
        record_run(engine, record(f"r{day}", day=day), [*spans, *further] if day != 5 else [])
    record_run(engine, record("breach", day=7, verdict="SLA_BREACH"), [metric("error_rate", 1.0)])
    now = record("now", day=8)
    key = comparability_key(now.comparability)
    statements: list[str] = []
    event.listen(engine, "after_cursor_execute", lambda _c, _k, statement, *_: statements.append(statement))
    found = last_comparable_runs(engine, key, now.started, limit=3)
    assert len(statements) == 1
    assert [(entry["run_id"], len(entry["metrics"])) for entry in found] == [("r6", 3), ("r5", 0), ("r4", 3)]
    assert found[0]["environment"]["row_counts"] == {"user": 200, "query_history": 3000}
    (latency,) = [row for row in found[0]["metrics"] if row["metric"] == "latency_p95_ms"]
    assert latency == {name: metric("latency_p95_ms", 6000.0)[name] for name in latency}
    assert set(latency) == {c.name for c in METRIC.columns} - {"run_id"}
    assert isinstance(latency["value"], float)
    assert isinstance(latency["n"], int)
    (errors,) = [row for row in found[0]["metrics"] if row["metric"] == "error_rate"]
    assert errors["value"] == 0.1 * 6
    (unknown,) = [row for row in found[0]["metrics"] if row["metric"] == "ttft_p95_ms"]
    assert unknown["value"] is None
    ramp = last_comparable_runs(engine, key, now.started, limit=1, phase="ramp_up")
    assert [row["value"] for row in ramp[0]["metrics"]] == [7.0]
    others = last_comparable_runs(engine, key, now.started, limit=9, exclude_run_id="r6", verdicts=["SLA_BREACH"])
    assert [entry["run_id"] for entry in others] == ["breach"]
    assert last_comparable_runs(engine, key, now.started, limit=9, verdicts=[]) == []
    assert len(last_comparable_runs(engine, key, now.started, limit=9, exclude_run_id="r6")) == 5


def test_the_runs_of_a_suite_in_their_order(engine: Engine, record: Any) -> None:
    """Not those of another week's suite, nor runs by themselves."""
    for day, (run_id, suite_run_id) in enumerate([("b", "w-1"), ("a", "w-1"), ("c", "w-2"), ("d", None)]):
        record_run(engine, record(run_id, day=day, suite="weekly", suite_run_id=suite_run_id), [])
    assert [entry["run_id"] for entry in runs_of_suite(engine, "w-1")] == ["b", "a"]
    assert runs_of_suite(engine, "w-3") == []


def test_a_suites_run_is_compared_with_a_single_one_of_equal_numbers(
    url: str, bundle: Bundle, profile: Profile, manifest: Any, metric: Any
) -> None:
    """And one whose hold the suite shortened is not: the document says what differs."""
    single = concluded(bundle, profile, manifest, "PASS", [metric("error_rate", 0.0)])
    record_and_compare(url, single, profile)
    suite = {**manifest, "suite": "quick", "suite_run_id": "quick-1"}
    full = concluded(bundle, profile, suite, "PASS", [metric("error_rate", 0.0)], day=1)
    assert record_and_compare(url, full, profile)["previous_run_id"] == single.run_id
    short = load_profile(find_profile("smoke"), Overrides(duration_s=15))
    document = record_and_compare(url, concluded(bundle, short, suite, "PASS", [], day=2), short)
    assert document["previous_run_id"] is None
    assert [item["field"] for item in document["differing_fields"]] == ["stages"]
    found = runs_of_suite(connect(url), "quick-1")
    assert [(entry["run_id"], entry["suite"]) for entry in found] == [
        (full.run_id, "quick"),
        ("smoke-20260303-090000-abcdef", "quick"),
    ]


def test_what_a_server_says_of_itself_cannot_break_the_recording(
    url: str, bundle: Bundle, profile: Profile, manifest: Any, engine: Engine
) -> None:
    """PostgreSQL's JSON takes no NUL; a long text is cut."""
    environment = {**manifest["environment"], "app_version": "1\x00." + "x" * 5000, "redis": {"v\x00": ["\x00"]}}
    own = concluded(bundle, profile, {**manifest, "environment": environment}, "PASS", [])
    record_and_compare(url, own, profile)
    kept = rows(engine, RUN)[0]
    assert kept["environment"]["app_version"].startswith("1.xxx")
    assert len(kept["environment"]["app_version"]) < 1001
    assert kept["environment"]["redis"] == kept["comparability"]["server_settings"]["redis"] == {"v": [""]}
