"""A small history of the smoke profile on the target demo, as trends and comparisons need it."""

from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import Engine

from include.loadtest.history.comparability import comparability
from include.loadtest.history.database import connect
from include.loadtest.history.store import RunRecord, record_run, upgrade
from include.loadtest.profile import Overrides, find_profile, load_profile
from include.loadtest.profile.vocabulary import METRICS

NOW = datetime.now(UTC).replace(microsecond=0)
ENVIRONMENT: dict[str, Any] = {
    "app_version": "1.0",
    "migration_head": "abc",
    "postgres": {"server_version": "18.1", "max_connections": "100"},
    "redis": {"version": "9.1"},
    "row_counts": {"user": 200},
    "hardware": "two cores",
}


def row(metric: str, value: float | None, scope: str = "all", spread: float | None = 0.05) -> dict[str, Any]:
    """A figure of the hold; `spread`: half the width of its interval as a share, None: it has none."""
    ends = (None, None) if value is None or spread is None else (value * (1 - spread), value * (1 + spread))
    known = METRICS[metric]
    return {
        "metric": metric, "scope": scope, "phase": "hold", "value": value, "unit": known.unit, "n": 500,
        "ci_low": ends[0], "ci_high": ends[1], "direction": known.direction,
    }  # fmt: skip


def add_run(
    engine: Engine,
    run_id: str,
    days_ago: float,
    p95_ms: float | None = 100.0,
    verdict: str = "PASS",
    *,
    users: int = 10,
    profile: str = "smoke",
    rows: list[dict[str, Any]] | None = None,
    environment: dict[str, Any] | None = None,
) -> None:
    """Put a run into the history; without `rows` it has one figure, `p95_ms` None: none."""
    known = ENVIRONMENT | (environment or {})
    load = load_profile(find_profile(profile), Overrides(users=users))
    started = NOW - timedelta(days=days_ago)
    record = RunRecord(
        *(run_id, profile, "locust", "demo", verdict, started, started + timedelta(minutes=1)),
        comparability=comparability(load, {"target": {"name": "demo"}, "environment": known}),
        environment=known,
        bundle_uri=f"/results/{run_id}",
    )
    own = [] if p95_ms is None else [row("latency_p95_ms", p95_ms), row("latency_p95_ms", 7.0, "endpoint:chat")]
    record_run(engine, record, own if rows is None else rows)


def fill(url: str) -> Engine:
    """Nine valid runs of ten users, the last a day ago, one of each other verdict, a repeat; older ones of five."""
    upgrade(url)
    engine = connect(url)
    for index in range(9):
        add_run(engine, f"smoke-{index}", 9 - index, 100.0 + index, "WARN" if index == 4 else "PASS")
    add_run(engine, "smoke-breach", 20, 300.0, "SLA_BREACH")
    add_run(engine, "smoke-regression", 19, 200.0, "REGRESSION")
    add_run(engine, "smoke-aborted", 18, None, "ABORTED")
    add_run(engine, "smoke-8-repeat1", 0.5, 999.0)
    for index in range(2):
        add_run(engine, f"smoke-five-{index}", 60 - index, 50.0, users=5)
    return engine
