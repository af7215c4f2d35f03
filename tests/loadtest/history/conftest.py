"""A real PostgreSQL for the history, an empty database for each test."""

import itertools
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine

from include.embedded.postgres import PostgresServer, ensure_database, start_postgres, stop_postgres
from include.loadtest.bundle import Bundle
from include.loadtest.history.comparability import comparability
from include.loadtest.history.database import connect, upgrade
from include.loadtest.history.store import RunRecord
from include.loadtest.profile import Profile, find_profile, load_profile
from include.loadtest.profile.vocabulary import METRICS

START = datetime(2026, 3, 1, 9, 0, tzinfo=UTC)
ENVIRONMENT = {
    "app_version": "1.0",
    "row_counts": {"user": 200, "query_history": 3000},
    "postgres": {"server_version": "18.1", "max_connections": "100"},
    "redis": {"version": "9.1"},
    "generator_host": {"cpu_count": 2, "cpu_model": "x", "memory_bytes": 8 * 1024**3 + 4096},
}
_numbers = itertools.count()


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PostgresServer]:
    running = start_postgres(tmp_path_factory.mktemp("history") / "pg", settings={"fsync": "off"}, port=0)
    yield running
    stop_postgres(running)


@pytest.fixture
def empty_url(server: PostgresServer) -> str:
    """Address of a database without any table of ours."""
    name = f"history_{next(_numbers)}"
    ensure_database(server, name)
    return server.url(name)


@pytest.fixture
def url(empty_url: str) -> str:
    upgrade(empty_url)
    return empty_url


@pytest.fixture
def engine(url: str) -> Engine:
    return connect(url)


@pytest.fixture
def profile() -> Profile:
    return load_profile(find_profile("smoke"))


@pytest.fixture
def manifest() -> dict[str, Any]:
    return {"target": {"name": "default"}, "started": "2026-03-01T09:00:00Z", "environment": ENVIRONMENT}


@pytest.fixture
def record(profile: Profile, manifest: dict[str, Any]) -> Callable[..., RunRecord]:
    """A run of the smoke profile, `day` days after the first."""

    def make(run_id: str, day: int = 0, verdict: str = "PASS", **changes: Any) -> RunRecord:
        values: dict[str, Any] = {
            "profile": "smoke",
            "engine": "locust",
            "target": "default",
            "ended": START + timedelta(days=day, minutes=1),
            "comparability": comparability(profile, manifest),
            "environment": ENVIRONMENT,
            "bundle_uri": f"file:///results/{run_id}",
        }
        return RunRecord(run_id=run_id, verdict=verdict, started=START + timedelta(days=day), **{**values, **changes})

    return make


@pytest.fixture
def metric() -> Callable[..., dict[str, Any]]:
    def make(name: str, value: float | None, scope: str = "all", phase: str = "hold") -> dict[str, Any]:
        return {
            "metric": name,
            "scope": scope,
            "phase": phase,
            "value": value,
            "unit": METRICS[name].unit,
            "n": 100,
            "ci_low": None,
            "ci_high": value,
            "direction": METRICS[name].direction,
            "max": 1.0,
        }

    return make


@pytest.fixture
def bundle(tmp_path: Path) -> Bundle:
    return Bundle(tmp_path / "smoke-20260301-090000-abcdef")
