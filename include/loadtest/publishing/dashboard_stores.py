"""The rows of PostgreSQL and Redis in the dashboard of the target."""

from include.loadtest.profile.thresholds import Thresholds
from include.loadtest.publishing.dashboard_parts import UNITS, Panel, Query
from include.loadtest.publishing.dashboard_readings import BETWEEN, PEAK, a_minute, alerted, growth, peaks, plain

POSTGRES, REDIS = "postgres", "redis"


def postgres_panels(thresholds: Thresholds) -> tuple[Panel, ...]:
    """Sessions and statements with the limits of their alerts, waits, work done."""
    return (*_sessions(thresholds), *_waits(), *_work())


def _sessions(thresholds: Thresholds) -> tuple[Panel, ...]:
    states = "connections_(active|idle|idle_in_transaction)|max_connections"
    return (
        alerted(
            *(
                "postgres_connections",
                "Connections",
                f"Sessions by state, and how many there may be. {PEAK}",
                thresholds,
            ),
            peaks(POSTGRES, states),
        ),
        alerted(
            *("slow_queries_per_min", "Slow statements a minute"),
            f"Statements that ran longer than a second: those seen running, and calls of statements whose mean is "
            f"slow. Their texts are in the run's report. {BETWEEN}",
            thresholds,
        ),
    )


def _waits() -> tuple[Panel, ...]:
    longest = "lock_wait_longest_s|longest_transaction_s|idle_in_transaction_longest_s"
    return (
        plain(
            "Longest waits and transactions",
            f"Idle in transaction: the application holds a transaction, and with it locks, while it does something "
            f"else. {PEAK}",
            "s",
            peaks(POSTGRES, longest),
        ),
        plain(
            "Sessions that wait for a lock",
            f"Who waits for whom is in the run's report. {PEAK}",
            "suffix: locks",
            peaks(POSTGRES, "lock_waits", "{{server}} {{run_id}}"),
        ),
    )


def _work() -> tuple[Panel, ...]:
    hits, reads = (growth(POSTGRES, name) for name in ("blks_hit", "blks_read"))
    return (
        plain(
            "Transactions a minute",
            "Rollbacks that grow with the load are failures that the application may hide; a deadlock is always a "
            "fault.",
            "suffix: transactions/min",
            a_minute(POSTGRES, "xact_commit", "commits"),
            a_minute(POSTGRES, "xact_rollback", "rollbacks"),
            a_minute(POSTGRES, "deadlocks", "deadlocks"),
        ),
        plain(
            "Blocks found in the cache",
            "Of all that were asked for; absent while none was. Low and falling: the working set is larger than the "
            "memory.",
            UNITS["ratio"],
            Query(f"{hits} / ({hits} + {reads} > 0)", "{{server}} {{run_id}}"),
        ),
    )


def redis_panels(thresholds: Thresholds) -> tuple[Panel, ...]:
    """Hit rate and memory with the limits of their alerts, latency, what leaves the cache."""
    return (
        alerted(
            *("cache_hit_rate", "Hit rate of the cache"),
            f"Lookups of all clients together; absent with too few of them. A cold cache and new questions lower it. "
            f"{BETWEEN}",
            thresholds,
        ),
        alerted(
            *("redis_memory_bytes", "Memory of Redis"),
            f"Used memory, and the limit where one is set. {PEAK}",
            thresholds,
            peaks(REDIS, "used_memory_bytes|memory_limit_bytes"),
        ),
        plain(
            "Answer to a PING",
            f"The longest and the mean of five. A long one alone: a slow command or the disk has held Redis up. {PEAK}",
            UNITS["ms"],
            peaks(REDIS, "ping(_mean)?_ms"),
        ),
        plain(
            "Keys evicted and expired a minute",
            "Evicted: memory is at its limit, and the cache loses what would still be asked for.",
            "suffix: keys/min",
            a_minute(REDIS, "evicted_keys", "evicted"),
            a_minute(REDIS, "expired_keys", "expired"),
        ),
    )
