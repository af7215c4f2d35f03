"""The words that profiles, samples, metrics and verdicts share."""

from dataclasses import dataclass
from typing import Literal, get_args

ScenarioName = Literal[
    "simple_query", "complex_query", "tax_calculation", "document_upload", "knowledge_search", "user_operations"
]
SCENARIOS: tuple[str, ...] = get_args(ScenarioName)

PhaseName = Literal["ramp_up", "hold", "ramp_down", "spike", "recovery"]
PHASES: tuple[str, ...] = get_args(PhaseName)

StageName = Literal[
    "preflight",
    "seed_users",
    "warm_cache",
    "run_profile",
    "collect_metrics",
    "validate_sla",
    "diff_history",
    "publish",
    "cleanup_users",
    "gate",
]
STAGES: tuple[str, ...] = get_args(StageName)
"""The steps of a run, in order; each is a task of the graph."""

EngineName = Literal["locust"]
ENGINES: tuple[str, ...] = get_args(EngineName)

Level = Literal["critical", "warning"]
Comparator = Literal["<", "<=", ">", ">="]
Direction = Literal["lower", "higher", "none"]

OutcomeName = Literal[
    "ok", "http_error", "timeout", "connection_error", "wrong_answer", "rejected", "dropped", "censored"
]
OUTCOMES: tuple[str, ...] = get_args(OutcomeName)
LOWER_BOUND_OUTCOMES: tuple[str, ...] = ("timeout", "censored", "dropped")
"""Outcomes whose latency is only known to be at least the recorded one."""
LATENCY_OUTCOMES: tuple[str, ...] = ("ok", *LOWER_BOUND_OUTCOMES)
"""Outcomes that enter percentiles; the others are no latencies and count as errors only."""

SCOPE_ALL = "all"


@dataclass(frozen=True)
class Metric:
    """One measured figure: its unit and which way is better."""

    name: str
    unit: str
    direction: Direction


METRICS: dict[str, Metric] = {
    metric.name: metric
    for metric in (
        Metric("latency_p50_ms", "ms", "lower"),
        Metric("latency_p95_ms", "ms", "lower"),
        Metric("latency_p99_ms", "ms", "lower"),
        Metric("latency_geomean_ms", "ms", "lower"),
        Metric("latency_p95_corrected_ms", "ms", "lower"),
        Metric("latency_p99_corrected_ms", "ms", "lower"),
        Metric("longest_stall_s", "s", "lower"),
        Metric("ttft_p95_ms", "ms", "lower"),
        Metric("error_rate", "ratio", "lower"),
        Metric("rejected_rate", "ratio", "lower"),
        Metric("dropped_rate", "ratio", "lower"),
        Metric("ungraceful_error_rate", "ratio", "lower"),
        Metric("recovery_time_s", "s", "lower"),
        Metric("saturation_users", "users", "higher"),
        Metric("breaking_point_users", "users", "higher"),
        Metric("throughput_rpm", "req/min", "higher"),
        Metric("throughput_worst_minute_rpm", "req/min", "higher"),
        Metric("cache_hit_rate", "ratio", "higher"),
        Metric("target_cpu_ms_per_request", "ms", "lower"),
        Metric("cpu_probe_ms", "ms", "lower"),
        Metric("host_cpu_pct", "%", "lower"),
        Metric("host_memory_pct", "%", "lower"),
        Metric("postgres_connections", "connections", "lower"),
        Metric("redis_memory_bytes", "bytes", "lower"),
    )
}

PERCENTILES: dict[str, tuple[float, int]] = {
    "latency_p50_ms": (0.50, 20),
    "latency_p95_ms": (0.95, 20),
    "latency_p99_ms": (0.99, 100),
    "ttft_p95_ms": (0.95, 20),
}
"""Percentile metrics: the share of rows at or below the value, and the fewest rows that give a point value."""

SERVER_METRICS: frozenset[str] = frozenset(
    {"cache_hit_rate", "host_cpu_pct", "host_memory_pct", "postgres_connections", "redis_memory_bytes"}
)
"""Read from servers, not from requests."""

UNSCOPED_METRICS: frozenset[str] = SERVER_METRICS | {"recovery_time_s", "saturation_users", "breaking_point_users"}
"""They exist for scope `all` only."""
