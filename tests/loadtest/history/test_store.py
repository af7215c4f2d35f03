"""Runs go into the history once and come back as the measure for the next."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Engine, func, select

from include.loadtest import run
from include.loadtest.bundle import Bundle
from include.loadtest.history.comparability import comparability_key
from include.loadtest.history.database import transaction
from include.loadtest.history.schema import METRIC, RUN
from include.loadtest.history.store import last_comparable_run, latest_run, record_and_compare, record_run
from include.loadtest.profile import Profile

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
    assert newest["run_id"] == "other"


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
