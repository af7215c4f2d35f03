"""The words that profiles, samples, metrics and verdicts share."""

from dataclasses import dataclass
from typing import Literal, get_args

BuiltInScenario = Literal[
    "simple_query", "complex_query", "tax_calculation", "document_upload", "knowledge_search", "user_operations"
]
SCENARIOS: tuple[str, ...] = get_args(BuiltInScenario)
"""The built-in scenarios, in the order of a deck; a profile may name further ones (see `profile.scenarios`)."""
SCENARIO_PATTERN = r"^[a-z][a-z0-9_]{0,39}$"
"""A scenario's name: also that of its module, and part of scopes."""

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
    "diagnose",
    "confirm",
    "publish",
    "cleanup_users",
    "gate",
]
STAGES: tuple[str, ...] = get_args(StageName)
"""The steps of a run, in order; each is a task of the graph."""

TimedRequirement = Literal[
    "simple_calculation",
    "complex_calculation",
    "bulk_calculation",
    "small_document",
    "medium_document",
    "large_document",
    "simple_search",
    "complex_search",
    "full_text_search",
    "index_update",
    "gdpr_export",
    "gdpr_deletion",
    "audit_query",
    "compliance_report",
]
TIMED_REQUIREMENTS: tuple[str, ...] = get_args(TimedRequirement)
"""Requirements that are a time, checked one by one by a profile with `checks`; each has the metric `<name>_s`."""
DOCUMENTS_AT_ONCE = "documents_at_once"
"""The requirement that many users check together; its metrics are this one and `documents_lost`."""
REQUIREMENTS: tuple[str, ...] = (*TIMED_REQUIREMENTS, DOCUMENTS_AT_ONCE)

EngineName = Literal["locust", "k6"]
ENGINES: tuple[str, ...] = get_args(EngineName)

Level = Literal["critical", "warning"]
Comparator = Literal["<", "<=", ">", ">="]
Direction = Literal["lower", "higher", "none"]

BASELINES = {
    "recent": "the latest comparable runs",
    "pinned": "the pinned runs",
    "reference": "the current release, in turns",
}
"""What a run is compared with, by its name in comparison.json, in words for people."""

OutcomeName = Literal[
    "ok", "http_error", "timeout", "connection_error", "wrong_answer", "rejected", "dropped", "censored"
]
OUTCOMES: tuple[str, ...] = get_args(OutcomeName)
LOWER_BOUND_OUTCOMES: tuple[str, ...] = ("timeout", "censored", "dropped")
"""Outcomes whose latency is only known to be at least the recorded one."""
ANSWER_OUTCOMES: tuple[str, ...] = ("ok", "http_error", "wrong_answer", "rejected", "connection_error")
"""Outcomes that the target, or its network, brought about: a request that was given up or cut is no answer."""
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
        Metric("latency_p10_ms", "ms", "lower"),
        Metric("latency_p25_ms", "ms", "lower"),
        Metric("latency_p50_ms", "ms", "lower"),
        Metric("latency_p75_ms", "ms", "lower"),
        Metric("latency_p90_ms", "ms", "lower"),
        Metric("latency_p95_ms", "ms", "lower"),
        Metric("latency_p99_ms", "ms", "lower"),
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
        Metric("target_cpu_cores", "cores", "none"),
        Metric("host_cpu_pct", "%", "lower"),
        Metric("host_memory_pct", "%", "lower"),
        Metric("postgres_connections", "connections", "lower"),
        Metric("postgres_cache_hit_rate", "ratio", "higher"),
        Metric("slow_queries_per_min", "queries/min", "lower"),
        Metric("redis_memory_bytes", "bytes", "lower"),
        Metric("redis_ping_ms", "ms", "lower"),
        Metric("redis_evictions_per_min", "keys/min", "lower"),
        Metric("target_memory_growth_pct_per_h", "%/h", "lower"),
        Metric("redis_memory_growth_pct_per_h", "%/h", "lower"),
        Metric("postgres_connections_growth_per_h", "connections/h", "lower"),
        Metric("latency_p95_growth_pct_per_h", "%/h", "lower"),
        Metric("llm_calls", "calls", "none"),
        Metric("llm_calls_per_answer", "calls", "lower"),
        Metric("llm_wait_mean_ms", "ms", "lower"),
        Metric("own_time_mean_ms", "ms", "lower"),
        Metric("llm_cost_eur", "EUR", "none"),
        *(Metric(f"{name}_s", "s", "lower") for name in TIMED_REQUIREMENTS),
        Metric(DOCUMENTS_AT_ONCE, "documents", "higher"),
        Metric("documents_lost", "documents", "lower"),
    )
}

PERCENTILES: dict[str, tuple[float, int]] = {
    "latency_p10_ms": (0.10, 20),
    "latency_p25_ms": (0.25, 20),
    "latency_p50_ms": (0.50, 20),
    "latency_p75_ms": (0.75, 20),
    "latency_p90_ms": (0.90, 20),
    "latency_p95_ms": (0.95, 20),
    "latency_p99_ms": (0.99, 100),
    "latency_p95_corrected_ms": (0.95, 20),
    "latency_p99_corrected_ms": (0.99, 100),
    "ttft_p95_ms": (0.95, 20),
}
"""Percentile metrics: the share of rows at or below the value, and the fewest rows that give a point value."""

CORRECTED_METRICS: frozenset[str] = frozenset({"latency_p95_corrected_ms", "latency_p99_corrected_ms"})
"""Percentiles as if no user had waited with the next start for a late answer: of a closed load only."""

SERVER_GROWTH_METRICS: tuple[str, ...] = (
    "target_memory_growth_pct_per_h",
    "redis_memory_growth_pct_per_h",
    "postgres_connections_growth_per_h",
)
GROWTH_METRICS: tuple[str, ...] = (*SERVER_GROWTH_METRICS, "latency_p95_growth_pct_per_h")
"""How fast something grows during a long hold (see `metrics.growth`): what a leak shows in."""

LLM_METRICS: tuple[str, ...] = (
    "llm_calls",
    "llm_calls_per_answer",
    "llm_wait_mean_ms",
    "own_time_mean_ms",
    "llm_cost_eur",
)
"""What the target asks of its LLM, and its own time beside it (see `metrics.llm`)."""
NOT_EXPOSED = "not exposed"
"""Why a figure of these has no value: the target, or its LLM, offers nothing to measure it by."""

REQUIREMENT_METRICS: tuple[str, ...] = (
    *(f"{name}_s" for name in TIMED_REQUIREMENTS),
    *(DOCUMENTS_AT_ONCE, "documents_lost"),
)
"""Of a profile with `checks` only."""

SERVER_METRICS: frozenset[str] = frozenset(
    {
        *("cache_hit_rate", "host_cpu_pct", "host_memory_pct", "postgres_connections", "redis_memory_bytes"),
        *("target_cpu_cores", "postgres_cache_hit_rate", "slow_queries_per_min"),
        *("redis_ping_ms", "redis_evictions_per_min"),
        *SERVER_GROWTH_METRICS,
    }
)
"""Read from servers, not from requests."""

READINGS_OF: dict[str, tuple[tuple[str, str], ...]] = {
    "host_cpu_pct": (("host", "cpu_pct"), ("prometheus", "cpu_pct"), ("app", "cpu_usage_percent")),
    "host_memory_pct": (("host", "memory_pct"), ("prometheus", "memory_pct"), ("app", "memory_usage_percent")),
    "target_cpu_cores": (("process", "app_cpu_cores"), ("prometheus", "app_cpu_cores")),
    "postgres_connections": (("postgres", "connections_total"), ("prometheus", "connections_total")),
    "redis_memory_bytes": (("redis", "used_memory_bytes"), ("prometheus", "used_memory_bytes")),
    "cache_hit_rate": (("redis", "keyspace_hits"),),
    "postgres_cache_hit_rate": (("postgres", "blks_hit"),),
    "slow_queries_per_min": (("postgres", "slow_queries"),),
    "redis_ping_ms": (("redis", "ping_ms"),),
    "redis_evictions_per_min": (("redis", "evicted_keys"),),
    "target_memory_growth_pct_per_h": (
        ("app", "process_resident_memory_bytes"),
        ("app", "process_memory_bytes"),
        ("process", "app_rss_bytes"),
        ("prometheus", "app_rss_bytes"),
    ),
    "redis_memory_growth_pct_per_h": (("redis", "used_memory_bytes"), ("prometheus", "used_memory_bytes")),
    "postgres_connections_growth_per_h": (("postgres", "connections_total"), ("prometheus", "connections_total")),
}
"""The readings that a server metric is made of, by source and name.

The first kind of which the run has any reading counts, for all phases: the target's machine is read by `host` where it
is this one, else a Prometheus server that the target's file asks, else only the target itself can say something of it.
"""

FROM_PROMETHEUS: tuple[str, ...] = (
    *("cpu_pct", "cpu_iowait_pct", "cpu_steal_pct", "cpu_throttled_ms_per_s", "cores"),
    *("load_1m", "load_5m", "load_15m"),
    *("memory_pct", "memory_used_bytes", "memory_total_bytes", "memory_available_bytes"),
    *("swap_used_bytes", "oom_kills"),
    *("disk_busy_pct", "disk_read_bytes_per_s", "disk_written_bytes_per_s"),
    *("network_received_bytes_per_s", "network_sent_bytes_per_s", "tcp_retransmits"),
    *("cpu_pressure_pct", "memory_pressure_pct", "io_pressure_pct"),
    *("app_cpu_cores", "app_rss_bytes", "app_processes", "app_threads", "app_start_time_s"),
    *("postgres_cpu_cores", "postgres_rss_bytes", "redis_cpu_cores", "redis_rss_bytes"),
    *("container_cpu_limit_cores", "container_cpu_throttled_ms_per_s", "container_memory_bytes"),
    *("container_memory_limit_bytes", "container_oom_kills"),
    *("requests_per_s", "request_p50_ms", "request_p95_ms", "request_p99_ms", "responses_5xx", "responses_4xx"),
    *("db_pool_size", "db_pool_used", "db_pool_waiting", "event_loop_lag_ms", "document_queue"),
    *("thread_pool_size", "thread_pool_busy", "thread_pool_queue", "circuit_breaker_open"),
    *("llm_calls", "llm_errors", "llm_refusals", "llm_retries", "llm_wait_seconds_sum", "llm_wait_seconds_count"),
    *("connections_total", "max_connections", "used_memory_bytes"),
)
"""Readings that a target's file may take from a Prometheus server; names and units as the other sources have them."""

UNSCOPED_METRICS: frozenset[str] = (
    SERVER_METRICS
    | CORRECTED_METRICS
    | frozenset(GROWTH_METRICS)
    | frozenset(LLM_METRICS)
    | frozenset(REQUIREMENT_METRICS)
    | {"longest_stall_s", "recovery_time_s", "saturation_users", "breaking_point_users"}
)
"""They exist for scope `all` only."""
