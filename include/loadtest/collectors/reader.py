"""What a source of readings is, and the units of its metrics."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

from include.loadtest.errors import printable

MAX_LABEL_CHARS = 150
UNITS = {
    "cpu_pct": "%",
    "memory_pct": "%",
    "load_1m": "processes",
    "load_5m": "processes",
    "load_15m": "processes",
    "process_count": "processes",
    "cpu_steal_pct": "%",
    "cpu_throttled_ms_per_s": "ms/s",
    "results_disk_used_pct": "%",
    "cpu_core_pct": "%",
    "cores": "cores",
    "cpu_iowait_pct": "%",
    "disk_busy_pct": "%",
    "disk_read_bytes_per_s": "bytes/s",
    "disk_written_bytes_per_s": "bytes/s",
    "network_received_bytes_per_s": "bytes/s",
    "network_sent_bytes_per_s": "bytes/s",
    "tcp_retransmits": "segments",
    "oom_kills": "kills",
    "cpu_pressure_pct": "%",
    "memory_pressure_pct": "%",
    "io_pressure_pct": "%",
    "app_cpu_cores": "cores",
    "app_busiest_process_cpu_cores": "cores",
    "app_processes": "processes",
    "app_threads": "threads",
    "app_start_time_s": "s",
    "postgres_cpu_cores": "cores",
    "redis_cpu_cores": "cores",
    "container_cpu_limit_cores": "cores",
    "container_cpu_throttled_ms_per_s": "ms/s",
    "container_oom_kills": "kills",
    "metrics_page_ms": "ms",
    "requests_per_s": "req/s",
    "request_p50_ms": "ms",
    "request_p95_ms": "ms",
    "request_p99_ms": "ms",
    "responses_5xx": "responses",
    "responses_4xx": "responses",
    "errors": "responses",
    "llm_calls": "calls",
    "llm_errors": "calls",
    "llm_refusals": "calls",
    "llm_retries": "calls",
    "llm_in_progress": "calls",
    "llm_wait_seconds_sum": "s",
    "llm_wait_seconds_count": "calls",
    "circuit_breaker_open": "state",
    "db_pool_size": "connections",
    "db_pool_used": "connections",
    "db_pool_waiting": "requests",
    "db_pool_wait_seconds_sum": "s",
    "db_pool_wait_seconds_count": "requests",
    "db_pool_held_seconds_sum": "s",
    "db_pool_held_seconds_count": "requests",
    "event_loop_lag_ms": "ms",
    "thread_pool_size": "threads",
    "thread_pool_busy": "threads",
    "thread_pool_queue": "jobs",
    "document_queue": "documents",
    "connections_total": "connections",
    "connections_active": "connections",
    "connections_idle": "connections",
    "connections_idle_in_transaction": "connections",
    "max_connections": "connections",
    "xact_commit": "transactions",
    "xact_rollback": "transactions",
    "deadlocks": "deadlocks",
    "blks_hit": "blocks",
    "blks_read": "blocks",
    "temp_files": "files",
    "lock_waits": "locks",
    "slow_queries_running": "queries",
    "slow_statements": "statements",
    "statement_calls": "calls",
    "statement_exec_ms": "ms",
    "statement_rows": "rows",
    "statement_blks_hit": "blocks",
    "statement_blks_read": "blocks",
    "slow_queries": "queries",
    "lock_wait_longest_s": "s",
    "longest_transaction_s": "s",
    "idle_in_transaction_longest_s": "s",
    "waiting_backends": "backends",
    "checkpoints_timed": "checkpoints",
    "checkpoints_requested": "checkpoints",
    "checkpoint_write_ms": "ms",
    "autovacuum_workers": "processes",
    "table_rows": "rows",
    "table_dead_rows": "rows",
    "table_seq_scans": "scans",
    "table_seq_rows_read": "rows",
    "connected_clients": "clients",
    "keyspace_hits": "lookups",
    "keyspace_misses": "lookups",
    "commands_processed": "commands",
    "evicted_keys": "keys",
    "expired_keys": "keys",
    "keys": "keys",
    "memory_fragmentation_ratio": "ratio",
    "ping_ms": "ms",
    "ping_mean_ms": "ms",
    "slow_commands": "commands",
    "flush_commands": "commands",
    "blocked_clients": "clients",
    "rejected_connections": "connections",
    "process_cpu_seconds_total": "s",
    "process_start_time_seconds": "s",
    "process_open_fds": "files",
    "starlette_requests_in_progress": "requests",
    "starlette_requests_total": "requests",
    "user_requests_total": "requests",
    "llm_stream_duration_seconds_count": "answers",
    "llm_stream_duration_seconds_sum": "s",
    "cpu_usage_percent": "%",
    "memory_usage_percent": "%",
    "cache_hit_ratio": "ratio",
}
"""Unit by metric; those that end in `_bytes` are in bytes. Counters are the server's own, since its start."""


@dataclass(frozen=True)
class Family:
    """Metrics whose exact names differ from one revision of a target to the next; `pattern` finds them by name."""

    title: str
    pattern: re.Pattern[str]
    unit: str


FAMILIES = (
    Family("LLM retries", re.compile(r"llm\w*_retr(y|ies)|retr(y|ies)\w*_llm"), "retries"),
    Family("circuit breaker state", re.compile(r"circuit_?breaker"), "state"),
    Family("queue sizes", re.compile(r"queue\w*_(size|length|depth|jobs|tasks)\b"), "jobs"),
)
FAMILY_NAMES = re.compile("|".join(f"(?:{family.pattern.pattern})" for family in FAMILIES))
_NOT_A_LEVEL = re.compile(r"_(bucket|created)$|_seconds")


def family_of(metric: str) -> Family | None:
    """The family of a metric's name, with or without `{labels}`; None for durations and a histogram's buckets."""
    name = metric.partition("{")[0]
    if _NOT_A_LEVEL.search(name):
        return None
    return next((family for family in FAMILIES if family.pattern.search(name)), None)


def unit_of(metric: str) -> str:
    """The unit of a metric, with or without `{labels}`. Raises KeyError for one without."""
    name = metric.partition("{")[0]
    if name.endswith("_bytes"):
        return "bytes"
    family = None if name in UNITS else family_of(name)
    return UNITS[name] if family is None else family.unit


def labelled(metric: str, label: str, value: str) -> str:
    """A metric of one of several things, written as Prometheus does: `metric{label="value"}`.

    >>> labelled("waiting_backends", "type", "Lock")
    'waiting_backends{type="Lock"}'
    """
    escaped = printable(value, MAX_LABEL_CHARS).replace("\\", r"\\").replace('"', r"\"")
    return f'{metric}{{{label}="{escaped}"}}'


class ReadingError(Exception):
    """A source gave no reading, or a part of one; `str()` says why, without secrets.

    `values` is what was read all the same.
    """

    def __init__(self, text: str, values: Mapping[str, float] | None = None) -> None:
        super().__init__(text)
        self.values: Mapping[str, float] = values or {}


class Reader(Protocol):
    """Reads one server or machine."""

    @property
    def source(self) -> str:
        """Name of the source, as in the readings."""

    @property
    def instance(self) -> str:
        """The host that is read."""

    def read(self) -> Mapping[str, float]:
        """One reading: value by metric. Raises ReadingError; never takes much longer than the interval."""

    def close(self) -> None:
        """Let go of connections."""


@runtime_checkable
class Observer(Protocol):
    """A reader that also sees what is no number."""

    def observations(self) -> Sequence[Mapping[str, Any]]:
        """What was seen since the last call, each with its `kind` (see `observations`); asked after each reading."""
