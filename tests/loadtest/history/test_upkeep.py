"""What the housekeeping reads from a real history, and what it removes."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Engine, text

from include.loadtest.errors import InfrastructureError
from include.loadtest.history.baselines import list_baselines, pin_baseline, propose_baseline
from include.loadtest.history.database import transaction
from include.loadtest.history.locks import WAITER_FORGOTTEN_S, acquire_lock, stand_in_line
from include.loadtest.history.store import RunRecord, record_run
from include.loadtest.history.upkeep import (
    SuiteVerdict,
    held_run_ids,
    installed_at,
    last_suite_verdict,
    pinned_run_ids,
    remove_dead_locks,
)

pytestmark = pytest.mark.integration
START = datetime(2026, 3, 1, 9, 0, tzinfo=UTC)
DAY_S = 86_400.0


def sql(engine: Engine, statement: str) -> list[Any]:
    with transaction(engine) as connection:
        done = connection.execute(text(statement))
        return list(done) if done.returns_rows else []


def test_the_runs_of_pinned_baselines_and_no_others(engine: Engine, record: Callable[..., RunRecord]) -> None:
    """A proposal and a retired baseline keep nobody's samples."""
    for day in range(4):
        record_run(engine, record(f"smoke-{day}", day), [])
    key = record("smoke-0").key
    assert pinned_run_ids(engine) == frozenset()
    pin_baseline(engine, key, ["smoke-0", "smoke-1"], "anna", "first", least=1)
    pin_baseline(engine, key, ["smoke-1", "smoke-2"], "anna", "second", least=1)
    propose_baseline(engine, key, ["smoke-3"], "anna", "third", least=1)
    assert {entry["status"] for entry in list_baselines(engine)} == {"retired", "pinned", "proposed"}
    assert pinned_run_ids(engine) == {"smoke-1", "smoke-2"}


def test_the_latest_verdict_of_a_suite_is_the_worst_of_its_runs(
    engine: Engine, record: Callable[..., RunRecord]
) -> None:
    """Other suites and single runs do not count; a run that sent no load counts from its start."""
    assert last_suite_verdict(engine, "weekly", "default") is None
    weekly = {"suite": "weekly"}
    record_run(engine, record("a-1", 0, "PASS", suite_run_id="weekly-0", **weekly), [])
    record_run(engine, record("a-2", 7, "PASS", suite_run_id="weekly-7", **weekly), [])
    record_run(engine, record("b-2", 7, "SLA_BREACH", suite_run_id="weekly-7", **weekly), [])
    record_run(engine, record("a-3", 8, "PASS", suite="monthly", suite_run_id="monthly-8"), [])
    record_run(engine, record("a-4", 9, "PASS"), [])
    at = START + timedelta(days=7, minutes=1)
    assert last_suite_verdict(engine, "weekly", "default") == SuiteVerdict("weekly-7", "SLA_BREACH", at)
    record_run(engine, record("a-5", 14, "INCONCLUSIVE", ended=None, suite_run_id="weekly-14", **weekly), [])
    silent_since = START + timedelta(days=14)
    assert last_suite_verdict(engine, "weekly", "default") == SuiteVerdict("weekly-14", "INCONCLUSIVE", silent_since)
    assert last_suite_verdict(engine, "weekly", "another") is None, "the weekly of another target hides no silence"


def test_only_dead_locks_and_waiters_are_removed(engine: Engine) -> None:
    """A lock that has just expired may be taken up again by its run; a waiter that lives keeps its place."""
    for target in ("old", "just", "held"):
        acquire_lock(engine, target, f"dag/{target}", f"smoke-{target}", 300)
    for owner in ("dead", "alive"):
        stand_in_line(engine, "held", owner, f"smoke-{owner}")
    sql(engine, "UPDATE loadtest.target_lock SET expires = now() - interval '25 h' WHERE target = 'old'")
    sql(engine, "UPDATE loadtest.target_lock SET expires = now() - interval '23 h' WHERE target = 'just'")
    sql(engine, "UPDATE loadtest.target_waiter SET last_seen = now() - interval '25 h' WHERE owner = 'dead'")
    assert held_run_ids(engine) == {"smoke-held"}
    assert remove_dead_locks(engine, DAY_S) == (1, 1)
    assert {row.target for row in sql(engine, "SELECT target FROM loadtest.target_lock")} == {"just", "held"}
    assert [row.owner for row in sql(engine, "SELECT owner FROM loadtest.target_waiter")] == ["alive"]
    assert remove_dead_locks(engine, DAY_S) == (0, 0)


def test_a_waiter_that_may_come_back_keeps_its_place(engine: Engine) -> None:
    """However short the age of the file is, a waiter is not forgotten sooner than by the queue itself."""
    acquire_lock(engine, "held", "dag/held", "smoke-1", 300)
    stand_in_line(engine, "held", "dag/late", "smoke-2")
    silence = f"interval '{WAITER_FORGOTTEN_S - 60} seconds'"
    sql(engine, f"UPDATE loadtest.target_waiter SET last_seen = now() - {silence}")
    assert remove_dead_locks(engine, 1) == (0, 0)


def test_the_history_says_since_when_it_is_kept(engine: Engine) -> None:
    """A made history is minutes old; one that lost the row is no reason to be silent."""
    assert timedelta() <= datetime.now(UTC) - installed_at(engine) < timedelta(minutes=10)
    sql(engine, "DELETE FROM loadtest.installation")
    with pytest.raises(InfrastructureError, match="since when it is kept"):
        installed_at(engine)
