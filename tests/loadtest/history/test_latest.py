"""The latest run of each profile on each target, whatever its verdict; a repeat is none."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Engine

from include.embedded.postgres import PostgresServer, ensure_database
from include.loadtest.errors import ConfigError, InfrastructureError
from include.loadtest.history.database import connect
from include.loadtest.history.latest import LatestRun, VerdictTime, latest_runs, verdict_times
from include.loadtest.history.store import RunRecord, record_run
from tests.loadtest.history.conftest import START

pytestmark = pytest.mark.integration
Record = Callable[..., RunRecord]
Metric = Callable[..., dict[str, Any]]


def test_the_latest_run_is_told_with_the_values_of_its_hold(engine: Engine, record: Record, metric: Metric) -> None:
    """Of all requests; what was not measured is absent."""
    record_run(engine, record("smoke-1", 0), [metric("latency_p95_ms", 100.0)])
    rows = [metric("latency_p95_ms", 200.0), metric("error_rate", None), metric("latency_p95_ms", 5.0, phase="ramp_up")]
    record_run(engine, record("smoke-2", 2, "INCONCLUSIVE"), [*rows, metric("latency_p95_ms", 7.0, "scenario:a")])
    record_run(engine, record("smoke-2-repeat1", 3), [metric("latency_p95_ms", 300.0)])
    record_run(engine, record("other-1", 1, "PASS", target="other"), [])
    assert latest_runs(engine) == [
        LatestRun("smoke", "default", "INCONCLUSIVE", {"latency_p95_ms": 200.0}),
        LatestRun("smoke", "other", "PASS", {}),
    ]


def test_times_are_told_by_suite(engine: Engine, record: Record) -> None:
    """A run that sent no load counts with its start; one by itself belongs to no suite."""
    record_run(engine, record("smoke-1", 0, suite="weekly", suite_run_id="weekly-1"), [])
    record_run(engine, record("smoke-2", 4, suite="weekly", suite_run_id="weekly-2", ended=None), [])
    record_run(engine, record("smoke-3", 2), [])
    assert verdict_times(engine) == [
        VerdictTime("smoke", "default", "", START + timedelta(days=2, minutes=1)),
        VerdictTime("smoke", "default", "weekly", START + timedelta(days=4)),
    ]


def test_an_empty_history_and_one_without_tables(engine: Engine, server: PostgresServer) -> None:
    """Nothing, and an error in one line."""
    ensure_database(server, "bare")
    assert (latest_runs(engine), verdict_times(engine)) == ([], [])
    with pytest.raises(ConfigError, match="history database"):
        latest_runs(connect(server.url("bare")))
    with pytest.raises(InfrastructureError, match="history database"):
        latest_runs(connect("postgresql://nobody@127.0.0.1:1/history"))
