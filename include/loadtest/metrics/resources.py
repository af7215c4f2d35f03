"""Figures of the servers, from the readings of the collectors. No reading in a phase: no figure."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain, pairwise
from typing import TYPE_CHECKING

from include.loadtest.metrics.phases import Stretch
from include.loadtest.profile.vocabulary import READINGS_OF, SERVER_GROWTH_METRICS

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

Kind = tuple[str, str]
"""Source and name of a reading."""
SHARES: dict[str, tuple[Kind, Kind]] = {
    "cache_hit_rate": (("redis", "keyspace_hits"), ("redis", "keyspace_misses")),
    "postgres_cache_hit_rate": (("postgres", "blks_hit"), ("postgres", "blks_read")),
}
"""Metrics that are the first counter's share of what both gained."""
RATES: dict[str, Kind] = {
    "slow_queries_per_min": ("postgres", "slow_queries"),
    "redis_evictions_per_min": ("redis", "evicted_keys"),
}
"""Metrics that are what a counter gained in a minute."""
MEANS = {
    metric: kinds for metric, kinds in READINGS_OF.items() if metric not in (*SHARES, *RATES, *SERVER_GROWTH_METRICS)
}
"""Metrics that are the mean of one kind of reading."""
_CPU_S, _REQUESTS = ("app", "process_cpu_seconds_total"), ("app", "user_requests_total")
_STARTED = ("app", "process_start_time_seconds")


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
    found: dict[tuple[str, str], ResourceFigure] = {}
    for phase in phases:
        own = [
            reading
            for reading in readings
            if any(part.phase == phase and part.start_us <= reading.us < part.end_us for part in parts)
        ]
        found |= {(metric, phase): _share(own, *counters) for metric, counters in SHARES.items()}
        found |= {(metric, phase): _rate_per_min(own, counter) for metric, counter in RATES.items()}
        found["target_cpu_ms_per_request", phase] = _cpu_a_request(own)
        for metric, kind in kind_of.items():
            found[metric, phase] = _mean([reading.value for reading in own if (reading.source, reading.metric) == kind])
    return found


def _readings(opened: "DuckDBPyConnection") -> list[Reading]:
    counters = [*chain.from_iterable(SHARES.values()), *RATES.values(), _CPU_S, _REQUESTS]
    kinds = [*chain.from_iterable(MEANS.values()), *counters, _STARTED]
    rows = opened.execute(
        "SELECT epoch_ns(ts) // 1000 AS us, source, coalesce(instance, ''), metric, value FROM resources "
        "WHERE list_contains(?, source || '|' || metric) AND isfinite(value) ORDER BY us",
        [["|".join(kind) for kind in kinds]],
    ).fetchall()
    return [Reading(*row) for row in rows]


def _mean(values: Sequence[float]) -> ResourceFigure:
    return ResourceFigure(sum(values) / len(values) if values else None, len(values))


def _share(readings: Sequence[Reading], part: Kind, rest: Kind) -> ResourceFigure:
    """Hits of all lookups between the first and the last reading; a restart starts the counters anew."""
    hits, misses, count = _growth(readings, part, rest)
    lookups = hits + misses
    return ResourceFigure(hits / lookups if lookups else None, count)


def _rate_per_min(readings: Sequence[Reading], counter: Kind) -> ResourceFigure:
    """Growth a minute between the first and the last reading of each instance, all of them together."""
    by_instance: dict[str, list[tuple[float, float]]] = {}
    for reading in readings:
        if (reading.source, reading.metric) == counter:
            by_instance.setdefault(reading.instance, []).append((reading.value, reading.us))
    gained = [_gained(pairs) for pairs in by_instance.values()]
    rates = [60e6 * growth / duration_us for growth, duration_us in gained if duration_us]
    return ResourceFigure(sum(rates) if rates else None, sum(map(len, by_instance.values())))


def _cpu_a_request(readings: Sequence[Reading]) -> ResourceFigure:
    """CPU time of the target's process by the requests of users that it counted, between first and last reading.

    Null where readings come from several processes: each counts its own.
    """
    cpu_s, requests, count = _growth(readings, _CPU_S, _REQUESTS)
    started = {reading.value for reading in readings if (reading.source, reading.metric) == _STARTED}
    return ResourceFigure(1000 * cpu_s / requests if requests and len(started) <= 1 else None, count)


def _growth(readings: Sequence[Reading], first: Kind, second: Kind) -> tuple[float, float, int]:
    """Growth of two counters that are read together, over all instances, and the number of such readings."""
    counters: dict[str, dict[int, dict[Kind, float]]] = {}
    for reading in readings:
        kind = (reading.source, reading.metric)
        if kind in (first, second):
            counters.setdefault(reading.instance, {}).setdefault(reading.us, {})[kind] = reading.value
    gained_first = gained_second = 0.0
    count = 0
    for by_time in counters.values():
        pairs = [(values[first], values[second]) for values in by_time.values() if len(values) == 2]
        count += len(pairs)
        gained = _gained(pairs)
        gained_first, gained_second = gained_first + gained[0], gained_second + gained[1]
    return gained_first, gained_second, count


def _gained(pairs: Sequence[tuple[float, float]]) -> tuple[float, float]:
    """Growth of both counters; an interval in which either falls (the server restarted in it) counts for neither."""
    first = second = 0.0
    for before, after in pairwise(pairs):
        if after[0] >= before[0] and after[1] >= before[1]:
            first += after[0] - before[0]
            second += after[1] - before[1]
    return first, second
