"""What the first page reads: the last runs of each profile on each target, suites, who has a target; by index."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Engine, text
from sqlalchemy.dialects import postgresql

from include.loadtest.history import overview
from include.loadtest.history.locks import acquire_lock, stand_in_line
from include.loadtest.history.overview import Overview, read_overview, read_uses
from include.loadtest.history.store import RunRecord, record_run
from tests.loadtest.history.conftest import START

pytestmark = pytest.mark.integration
Record = Callable[..., RunRecord]
Metric = Callable[..., dict[str, Any]]


def test_an_empty_history(engine: Engine) -> None:
    """Nothing of anything."""
    assert read_overview(engine) == Overview((), (), ())


def test_the_last_runs_of_each_profile_newest_first(engine: Engine, record: Record, metric: Metric) -> None:
    """Whatever their verdicts, without repeats; the P95 is of the hold over all requests, or None."""
    for day in range(overview.RUNS_SHOWN + 2):
        record_run(engine, record(f"smoke-{day}", day, "WARN"), [metric("latency_p95_ms", 100.0 + day)])
    record_run(engine, record("smoke-last", 90, "ABORTED"), [metric("latency_p95_ms", 1.0, phase="ramp_up")])
    record_run(engine, record("smoke-last-repeat1", 91), [metric("latency_p95_ms", 5.0)])
    record_run(engine, record("other-1", 1, target="other"), [metric("latency_p95_ms", None)])
    default, other = read_overview(engine).profiles
    assert (default.profile, default.target, len(default.runs)) == ("smoke", "default", overview.RUNS_SHOWN)
    newest, second = default.runs[:2]
    assert (newest.run_id, newest.verdict, newest.p95_ms) == ("smoke-last", "ABORTED", None)
    assert (second.run_id, second.p95_ms) == (f"smoke-{overview.RUNS_SHOWN + 1}", 131.0)
    assert [(past.run_id, past.p95_ms) for past in other.runs] == [("other-1", None)]


def test_the_last_run_of_each_suite(engine: Engine, record: Record) -> None:
    """With the verdicts of its runs and when the first of them began."""
    for name, day, suite_run_id, verdict in (
        ("a-1", 0, "weekly-1", "SLA_BREACH"),
        ("a-2", 7, "weekly-2", "PASS"),
        ("b-2", 8, "weekly-2", "WARN"),
    ):
        record_run(engine, record(name, day, verdict, suite="weekly", suite_run_id=suite_run_id), [])
    (found,) = read_overview(engine).suites
    assert (found.suite, found.suite_run_id, found.started) == ("weekly", "weekly-2", START + timedelta(days=7))
    assert sorted(found.verdicts) == ["PASS", "WARN"]


def test_who_has_a_target_and_who_waits(engine: Engine) -> None:
    """A lease that has expired is nobody's, and one who gave no sign of life waits no more."""
    acquire_lock(engine, "demo", "dag/a at here", "smoke-1", 60)
    stand_in_line(engine, "demo", "dag/b at here", "smoke-2")
    stand_in_line(engine, "demo", "dag/c at here", "smoke-3")
    acquire_lock(engine, "gone", "dag/d at here", "smoke-4", 60)
    with engine.begin() as connection:
        connection.execute(text("UPDATE loadtest.target_lock SET expires = now() WHERE target = 'gone'"))
        connection.execute(
            text("UPDATE loadtest.target_waiter SET last_seen = now() - interval '2 min' WHERE run_id = 'smoke-3'")
        )
    (use,) = read_overview(engine).uses
    assert (use.target, use.owner, use.run_id) == ("demo", "dag/a at here", "smoke-1")
    assert [one.run_id for one in use.waiting] == ["smoke-2"]
    assert read_uses(engine) == (use,)


def test_a_target_that_is_waited_for_is_shown_when_it_is_free(engine: Engine) -> None:
    """Between two runs nobody has it, but somebody is next."""
    stand_in_line(engine, "demo", "dag/b at here", "smoke-2")
    (use,) = read_overview(engine).uses
    assert (use.owner, [one.owner for one in use.waiting]) == (None, ["dag/b at here"])


def test_a_long_history_is_read_by_its_indexes(engine: Engine) -> None:
    """Of ten thousand runs only the pairs of profile and target take a pass; runs and metrics are looked up."""
    with engine.begin() as connection:
        connection.execute(
            text(
                "INSERT INTO loadtest.run (run_id, profile, engine, target, verdict, started, comparability_key,"
                " comparability, environment, bundle_uri) SELECT 'r-' || n, 'p' || n % 8, 'locust', 'demo', 'PASS',"
                " now() - n * interval '1 h', 'k', '{}', '{}', '/r' FROM generate_series(1, 10000) AS n"
            )
        )
        connection.execute(
            text(
                "INSERT INTO loadtest.metric (run_id, metric, scope, phase, value, unit, n, direction)"
                " SELECT run_id, 'latency_p95_ms', s, 'hold', 1, 'ms', 1, 'lower' FROM loadtest.run,"
                " unnest(ARRAY['all', 'scenario:a', 'scenario:b']) AS s"
            )
        )
        connection.execute(text("ANALYZE loadtest.run, loadtest.metric"))
        asked = overview.last_runs().compile(dialect=postgresql.dialect(), compile_kwargs={"literal_binds": True})
        plan = "\n".join(row[0] for row in connection.execute(text(f"EXPLAIN {asked}".replace(":", r"\:"))))
    assert "using run_profile_started on run" in plan
    assert "using metric_pkey on metric" in plan
    assert "Seq Scan on metric" not in plan
    assert plan.count("Seq Scan on run") <= 1
    found = read_overview(engine)
    assert [len(own.runs) for own in found.profiles] == [overview.RUNS_SHOWN] * 8
