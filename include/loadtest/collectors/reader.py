"""What a source of readings is, and the units of its metrics."""

from collections.abc import Mapping
from typing import Protocol

UNITS = {
    "cpu_pct": "%",
    "memory_pct": "%",
    "load_1m": "processes",
    "load_5m": "processes",
    "load_15m": "processes",
    "process_count": "processes",
    "target_cpu_pct": "%",
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
    "lock_waits": "locks",
    "connected_clients": "clients",
    "keyspace_hits": "lookups",
    "keyspace_misses": "lookups",
    "commands_processed": "commands",
    "evicted_keys": "keys",
    "expired_keys": "keys",
}
"""Unit by metric; those that end in `_bytes` are in bytes. Counters are the server's own, since its start."""


def unit_of(metric: str) -> str:
    """The unit of a metric. Raises KeyError for one without."""
    return "bytes" if metric.endswith("_bytes") else UNITS[metric]


class ReadingError(Exception):
    """A source gave no reading; `str()` says why, without secrets."""


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
