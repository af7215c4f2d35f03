"""Figures that recommendations need beside the diagnosis: counters of servers, pool, statements."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import pairwise
from typing import Any

from include.loadtest import run
from include.loadtest.analysis.readings import (
    Answers,
    Kind,
    Readings,
    Series,
    all_answers,
    read_answers,
    read_readings,
)
from include.loadtest.analysis.recommendations.pool import Pool, pool_of
from include.loadtest.analysis.recommendations.statements import (
    Statement,
    is_of_statements,
    statements_of,
    texts_of,
)
from include.loadtest.bundle import Bundle
from include.loadtest.observations import read_observations
from include.loadtest.profile import Profile

WHOLE_HOLD = ""
"""The key of the facts that belong to no cause."""
_GROWN: dict[str, tuple[Kind, ...]] = {
    "cache_hits": (("redis", "keyspace_hits"),),
    "cache_misses": (("redis", "keyspace_misses"),),
    "keys_expired": (("redis", "expired_keys"),),
    "keys_evicted": (("redis", "evicted_keys"),),
    "cache_flushes": (("redis", "flush_commands"),),
}
_MEANS: dict[str, tuple[Kind, ...]] = {
    "redis_cpu_cores": (("process", "redis_cpu_cores"),),
    "host_cores": (("host", "cores"), ("prometheus", "cores")),
    "host_cpu_pct": (("host", "cpu_pct"), ("prometheus", "cpu_pct")),
    "host_memory_bytes": (("host", "memory_total_bytes"), ("prometheus", "memory_total_bytes")),
    "max_connections": (("postgres", "max_connections"),),
    "app_processes": (("process", "app_processes"),),
    "cache_keys": (("redis", "keys"),),
    "idle_in_transaction": (("postgres", "connections_idle_in_transaction"),),
}
_HIGHEST: dict[str, tuple[Kind, ...]] = {
    "connections": (("postgres", "connections_total"),),
    "cache_used_bytes": (("redis", "used_memory_bytes"),),
    "idle_in_transaction_longest_s": (("postgres", "idle_in_transaction_longest_s"),),
}
_LAST: dict[str, tuple[Kind, ...]] = {"cache_limit_bytes": (("redis", "memory_limit_bytes"),)}
_POOL = frozenset(
    ("app", name) for name in ("db_pool_size", "db_pool_used", "db_pool_held_seconds_sum", "db_pool_wait_seconds_sum")
)
_WANTED = _POOL | {kind for table in (_GROWN, _MEANS, _HIGHEST, _LAST) for kinds in table.values() for kind in kinds}


@dataclass(frozen=True)
class Facts:
    """`figures` by name, absent where not measured: growth of counters, means, highest and last values, in `seconds`.

    `shares_host`: the target runs beside the load generator, so the machine's figures say nothing of it alone.
    """

    shares_host: bool = False
    figures: Mapping[str, float] = field(default_factory=dict)
    pool: Pool | None = None
    statements: tuple[Statement, ...] = ()
    seconds: float = 0.0

    def get(self, name: str) -> float | None:
        """A figure; None where it was not measured."""
        return self.figures.get(name)


@dataclass(frozen=True)
class _Read:
    """What was read of a bundle, for any stretch of time in it."""

    shares_host: bool
    readings: Readings
    answers: Mapping[str, Answers]
    texts: Mapping[str, str]
    users: int | None

    def between(self, start_us: int, end_us: int) -> Facts:
        return Facts(
            self.shares_host,
            _figures(self.readings, start_us, end_us),
            pool_of(self.readings, all_answers(self.answers), self.users, start_us, end_us),
            statements_of(self.readings, self.answers, self.texts, start_us, end_us),
            (end_us - start_us) / 1e6,
        )


def facts_of(bundle: Bundle, profile: Profile, diagnosis: Mapping[str, Any]) -> dict[str, Facts]:
    """Facts by cause of the diagnosis, each in the time that the cause's own evidence is of; those of the hold beside.

    The hold's key is WHOLE_HOLD; a run without one has those of its causes only.
    """
    manifest = bundle.read(run.MANIFEST) if bundle.has(run.MANIFEST) else {}
    spans = {str(cause["cause"]): span for cause in diagnosis["causes"] if (span := _seen_us(cause)) is not None}
    hold = _hold_us(manifest)
    if hold is not None:
        spans[WHOLE_HOLD] = hold
    if not spans:
        return {}
    users = max((stage.users_to for stage in profile.stages() if stage.phase == "hold"), default=None)
    read = _Read(
        bool((manifest.get("target") or {}).get("shares_host")),
        read_readings(bundle.resources_dir, _is_wanted),
        read_answers(bundle.samples_dir),
        texts_of(read_observations(bundle)),
        users if profile.load_model == "closed" and profile.checks is None else None,
    )
    return {name: read.between(*span) for name, span in spans.items()}


def _seen_us(cause: Mapping[str, Any]) -> tuple[int, int] | None:
    """The time of a cause's decisive figure; None where it has none."""
    evidence: Sequence[Mapping[str, Any]] = cause.get("evidence") or ()
    return _span_us([evidence[0]["from"], evidence[0]["to"]]) if evidence else None


def _hold_us(manifest: Mapping[str, Any]) -> tuple[int, int] | None:
    own = [entry for entry in manifest.get("phases") or () if entry["name"] == "hold"]
    return _span_us([entry[side] for entry in own for side in ("start", "end") if entry.get(side)])


def _span_us(moments: Sequence[str]) -> tuple[int, int] | None:
    """From the first to the last moment; None where there are no two, or one is no time."""
    try:
        at_us = [round(datetime.fromisoformat(moment).timestamp() * 1e6) for moment in moments]
    except (ValueError, TypeError):
        return None
    return (min(at_us), max(at_us)) if len(at_us) > 1 else None


def _is_wanted(kind: Kind) -> bool:
    return kind in _WANTED or is_of_statements(kind)


def _figures(readings: Readings, start_us: int, end_us: int) -> dict[str, float]:
    tables: tuple[tuple[Mapping[str, tuple[Kind, ...]], Callable[[list[float]], float | None]], ...] = (
        (_MEANS, lambda values: sum(values) / len(values)),
        (_HIGHEST, max),
        (_LAST, lambda values: values[-1]),
    )
    found = {}
    for table, figure in tables:
        for name, kinds in table.items():
            own = next((kind for kind in kinds if readings.has(kind)), None)
            values = [] if own is None else [value for _, value in readings.between(own, start_us, end_us)]
            value = figure(values) if values else None
            if value is not None:
                found[name] = value
    for name, kinds in _GROWN.items():
        grown = _grown(readings.series.get(kinds[0], ()), start_us, end_us)
        if grown is not None:
            found[name] = grown
    return found


def _grown(series: Series, start_us: int, end_us: int) -> float | None:
    """Growth of a counter, with the time between two readings that leads into the stretch; None without such a time.

    Where it fell its server began anew: that time is left out, as in the diagnosis.
    """
    pairs = [(before, after) for before, after in pairwise(series) if start_us < after[0] <= end_us]
    return sum(max(0.0, after[1] - before[1]) for before, after in pairs) if pairs else None
