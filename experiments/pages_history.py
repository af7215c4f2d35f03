"""A history of two years for the pages: ten thousand runs with 150 figures each, made up by a seed, copied in."""

import hashlib
import io
import itertools
import json
import math
import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg2

from include.loadtest.history.baselines import mark_intended_change, pin_baseline, propose_latest
from include.loadtest.history.comparability import comparability, comparability_key
from include.loadtest.history.store import connect, upgrade
from include.loadtest.profile import Overrides, find_profile, load_profile
from include.loadtest.profile.vocabulary import METRICS, PERCENTILES, SCENARIOS
from include.loadtest.run import run_id_for

RUNS, DAYS = 10_000, 730
BUSIEST = "smoke"
PROFILES = (BUSIEST, BUSIEST, "normal_day", "peak_hours", "tax_deadline", "baseline")
"""In turns: the busiest profile has a third of all runs."""
ENDPOINTS = ("chat_simple", "chat_complex", "tax_irpef", "tax_iva", "invoices", "settings_read")
SCOPES = ("all", *(f"scenario:{name}" for name in SCENARIOS), *(f"endpoint:{name}" for name in ENDPOINTS))
SCOPED = (
    *(name for name in PERCENTILES if "corrected" not in name and "ttft" not in name),
    *("error_rate", "rejected_rate", "throughput_rpm"),
)
OF_ALL = (
    *(name for name in METRICS if name.startswith(("host_", "postgres_", "redis_", "target_", "llm_"))),
    *("cache_hit_rate", "cpu_probe_ms", "longest_stall_s", "throughput_worst_minute_rpm"),
)
PHASES = ("hold",)
_ENVIRONMENT: dict[str, Any] = {
    "row_counts": {"user": 200, "query_history": 3000},
    "postgres": {"server_version": "18.1", "max_connections": "100"},
    "redis": {"version": "9.1"},
    "generator_host": {"cpu_count": 2, "cpu_model": "made up", "memory_bytes": 8 * 1024**3},
}


@dataclass(frozen=True)
class MadeRun:
    """One made-up run, as a row of the table."""

    run_id: str
    profile: str
    key: str
    content: str
    verdict: str
    started: datetime


def make_history(url: str, runs: int = RUNS) -> tuple[int, int]:
    """Fill an empty history; returns how many runs and metrics it has. Raises psycopg2.Error."""
    upgrade(url)
    made = list(_runs(runs))
    with psycopg2.connect(url) as connection, connection.cursor() as cursor:
        _copy(cursor, "run", _RUN_COLUMNS, map(_run_row, made))
        metrics = sum(_copy(cursor, "metric", _METRIC_COLUMNS, _metric_rows(part)) for part in _parts(made))
    connection.autocommit = True
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE loadtest.run, loadtest.metric")
    connection.close()
    _note(url, made)
    return len(made), metrics


def latest_of(url: str, profile: str) -> str:
    """The id of a profile's latest run."""
    with psycopg2.connect(url) as connection, connection.cursor() as cursor:
        cursor.execute("SELECT run_id FROM loadtest.run WHERE profile = %s ORDER BY started DESC LIMIT 1", (profile,))
        (run_id,) = cursor.fetchone() or ("",)
    connection.close()
    return str(run_id)


_RUN_COLUMNS = (
    "run_id, profile, engine, target, verdict, started, ended, comparability_key, comparability, environment, "
    "bundle_uri"
)
_METRIC_COLUMNS = "run_id, metric, scope, phase, value, unit, n, ci_low, ci_high, direction"


def _runs(number: int) -> Iterator[MadeRun]:
    """Evenly over two years; half a year after half a year another load, so that each profile has four keys."""
    generator = random.Random(9)  # noqa: S311 - made-up figures
    begin = datetime.now(UTC) - timedelta(days=DAYS)
    verdicts = ["PASS"] * 80 + ["WARN"] * 10 + ["SLA_BREACH"] * 4 + ["REGRESSION", "ABORTED"] + ["INCONCLUSIVE"] * 4
    contents = {(profile, part): _content(profile, part) for profile in set(PROFILES) for part in range(4)}
    for index in range(number):
        profile, started = PROFILES[index % len(PROFILES)], begin + timedelta(days=DAYS * (index + 0.5) / number)
        key, content = contents[profile, 4 * index // number]
        run_id = run_id_for(profile, started, str(index))
        yield MadeRun(run_id, profile, key, content, generator.choice(verdicts), started)


def _content(name: str, part: int) -> tuple[str, str]:
    profile = load_profile(find_profile(name), Overrides(users=20 + part))
    content = comparability(profile, {"target": {"name": "demo"}, "environment": _ENVIRONMENT})
    return comparability_key(content), json.dumps(content)


def _run_row(run: MadeRun) -> tuple[object, ...]:
    environment = json.dumps(
        _ENVIRONMENT | {"git_sha": hashlib.sha1(run.run_id.encode(), usedforsecurity=False).hexdigest()}
    )
    ended = run.started + timedelta(minutes=5)
    where = f"/results/{run.run_id}"
    return (
        *(run.run_id, run.profile, "locust", "demo", run.verdict, run.started.isoformat(), ended.isoformat()),
        *(run.key, run.content, environment, where),
    )


def _metric_rows(runs: tuple[MadeRun, ...]) -> Iterator[tuple[object, ...]]:
    for run in runs:
        generator = random.Random(run.run_id)  # noqa: S311 - as above
        shift = math.exp(generator.gauss(0, 0.05))
        for name, scope in (*itertools.product(SCOPED, SCOPES), *((name, "all") for name in OF_ALL)):
            metric, base = METRICS[name], 100.0 * (1 + len(name) + len(scope))
            value = 0.001 if metric.unit == "ratio" else base * shift
            for phase in PHASES:
                yield (
                    *(run.run_id, name, scope, phase, value, metric.unit, 5000),
                    *(value * 0.95, value * 1.05, metric.direction),
                )


def _parts(runs: list[MadeRun], size: int = 500) -> Iterator[tuple[MadeRun, ...]]:
    for first in range(0, len(runs), size):
        yield tuple(runs[first : first + size])


def _copy(cursor: Any, table: str, columns: str, rows: Iterator[tuple[object, ...]]) -> int:
    """Copy rows in; none of the texts has a tab, a line end or a backslash but JSON's, which is doubled."""
    lines = ["\t".join(str(field).replace("\\", "\\\\") for field in row) for row in rows]
    cursor.copy_expert(f"COPY loadtest.{table} ({columns}) FROM STDIN", io.StringIO("\n".join(lines)))
    return len(lines)


def _note(url: str, made: list[MadeRun]) -> None:
    """A pinned baseline, a proposal and two marks of the busiest profile."""
    engine = connect(url)
    newest = next(run for run in reversed(made) if run.profile == BUSIEST)
    own = [run for run in made if run.key == newest.key and run.verdict == "PASS"]
    pin_baseline(engine, own[0].key, [run.run_id for run in own[:8]], "experiment", "the first eight", least=8)
    propose_latest(engine, own[0].key, 8, "experiment", "the latest eight")
    for share in (0.3, 0.6):
        since = own[int(share * len(own))].started
        mark_intended_change(engine, "demo", BUSIEST, since, by="experiment", reason=f"release {share}")
