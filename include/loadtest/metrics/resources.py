"""Figures of the servers, from the readings of the collectors. No reading in a phase: no figure."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain, pairwise
from typing import TYPE_CHECKING

from include.loadtest.metrics.phases import Stretch

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

MEANS: dict[str, tuple[tuple[str, str], ...]] = {
    "host_cpu_pct": (("host", "cpu_pct"), ("app", "cpu_usage_percent")),
    "host_memory_pct": (("host", "memory_pct"), ("app", "memory_usage_percent")),
    "postgres_connections": (("postgres", "connections_total"),),
    "redis_memory_bytes": (("redis", "used_memory_bytes"),),
}
"""Metrics that are the mean of one kind of reading, by source and name.

The first kind of which the run has any reading counts, for all phases: the target's machine is read by `host` where it
is this one, else only the target itself can say something of it.
"""
_HITS, _MISSES = ("redis", "keyspace_hits"), ("redis", "keyspace_misses")


@dataclass(frozen=True)
class ResourceFigure:
    """A value and the number of readings behind it; value None where they do not give one."""

    value: float | None
    readings: int


@dataclass(frozen=True)
class Reading:
    """One reading of one instance, time in microseconds since 1970."""

    us: int
    source: str
    instance: str
    metric: str
    value: float


def resource_figures(
    opened: "DuckDBPyConnection", phases: Sequence[str], parts: Sequence[Stretch]
) -> dict[tuple[str, str], ResourceFigure]:
    """The figures of the view `resources` by metric and phase."""
    readings = _readings(opened)
    read = {(reading.source, reading.metric) for reading in readings}
    kind_of = {metric: next((kind for kind in kinds if kind in read), None) for metric, kinds in MEANS.items()}
    found = {}
    for phase in phases:
        own = [
            reading
            for reading in readings
            if any(part.phase == phase and part.start_us <= reading.us < part.end_us for part in parts)
        ]
        found["cache_hit_rate", phase] = _hit_rate(own)
        for metric, kind in kind_of.items():
            found[metric, phase] = _mean([reading.value for reading in own if (reading.source, reading.metric) == kind])
    return found


def _readings(opened: "DuckDBPyConnection") -> list[Reading]:
    kinds = [*chain.from_iterable(MEANS.values()), _HITS, _MISSES]
    rows = opened.execute(
        "SELECT epoch_ns(ts) // 1000 AS us, source, coalesce(instance, ''), metric, value FROM resources "
        "WHERE list_contains(?, source || '|' || metric) AND isfinite(value) ORDER BY us",
        [["|".join(kind) for kind in kinds]],
    ).fetchall()
    return [Reading(*row) for row in rows]


def _mean(values: Sequence[float]) -> ResourceFigure:
    return ResourceFigure(sum(values) / len(values) if values else None, len(values))


def _hit_rate(readings: Sequence[Reading]) -> ResourceFigure:
    """Hits of all lookups between the first and the last reading; a restart starts the counters anew."""
    counters: dict[str, dict[int, dict[tuple[str, str], float]]] = {}
    for reading in readings:
        kind = (reading.source, reading.metric)
        if kind in (_HITS, _MISSES):
            counters.setdefault(reading.instance, {}).setdefault(reading.us, {})[kind] = reading.value
    hits = misses = 0.0
    count = 0
    for by_time in counters.values():
        pairs = [(values[_HITS], values[_MISSES]) for values in by_time.values() if len(values) == 2]
        count += len(pairs)
        gained = _gained(pairs)
        hits, misses = hits + gained[0], misses + gained[1]
    lookups = hits + misses
    return ResourceFigure(hits / lookups if lookups else None, count)


def _gained(pairs: Sequence[tuple[float, float]]) -> tuple[float, float]:
    """Growth of both counters; an interval in which either falls (the server restarted in it) counts for neither."""
    hits = misses = 0.0
    for before, after in pairwise(pairs):
        if after[0] >= before[0] and after[1] >= before[1]:
            hits += after[0] - before[0]
            misses += after[1] - before[1]
    return hits, misses
