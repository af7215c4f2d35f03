"""What a source of readings is, and the units of its metrics."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

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
    "connected_clients": "clients",
    "keyspace_hits": "lookups",
    "keyspace_misses": "lookups",
    "commands_processed": "commands",
    "evicted_keys": "keys",
    "expired_keys": "keys",
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
_NOT_A_LEVEL = re.compile(r"_(bucket|created)$|_seconds")


def family_of(metric: str) -> Family | None:
    """The family of a metric's name, with or without `{labels}`; None for durations and a histogram's buckets."""
    name = metric.partition("{")[0]
    if _NOT_A_LEVEL.search(name):
        return None
    return next((family for family in FAMILIES if family.pattern.search(name)), None)


def unit_of(metric: str) -> str:
    """The unit of a metric. Raises KeyError for one without."""
    if metric.partition("{")[0].endswith("_bytes"):
        return "bytes"
    family = None if metric in UNITS else family_of(metric)
    return UNITS[metric] if family is None else family.unit


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
