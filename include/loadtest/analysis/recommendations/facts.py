"""Figures of the hold that recommendations need beside the diagnosis: counters of servers, pool, statements."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from itertools import pairwise
from typing import Any

from include.loadtest import run
from include.loadtest.analysis.readings import Kind, Readings, all_answers, read_answers, read_readings
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

_GROWN: dict[str, tuple[Kind, ...]] = {
    "cache_hits": (("redis", "keyspace_hits"),),
    "cache_misses": (("redis", "keyspace_misses"),),
    "keys_expired": (("redis", "expired_keys"),),
    "keys_evicted": (("redis", "evicted_keys"),),
    "cache_flushes": (("redis", "flush_commands"),),
    "llm_calls": (("llm", "llm_calls"), ("app", "llm_calls")),
    "llm_refusals": (("llm", "llm_refusals"), ("app", "llm_refusals")),
    "llm_errors": (("llm", "llm_errors"), ("app", "llm_errors")),
    "llm_retries": (("app", "llm_retries"),),
}
_MEANS: dict[str, tuple[Kind, ...]] = {
    "redis_cpu_cores": (("process", "redis_cpu_cores"),),
    "host_cores": (("host", "cores"), ("prometheus", "cores")),
    "max_connections": (("postgres", "max_connections"),),
    "app_processes": (("process", "app_processes"),),
}
_HIGHEST: dict[str, tuple[Kind, ...]] = {
    "connections": (("postgres", "connections_total"),),
    "cache_used_bytes": (("redis", "used_memory_bytes"),),
}
_LAST: dict[str, tuple[Kind, ...]] = {"cache_limit_bytes": (("redis", "memory_limit_bytes"),)}
_POOL_METRICS = ("db_pool_size", "db_pool_used", "db_pool_held_seconds_sum", "db_pool_wait_seconds_sum")


@dataclass(frozen=True)
class Facts:
    """`figures` by name, absent where not measured: growth of counters in the hold, means, highest and last values.

    `shares_host`: the target runs beside the load generator, so the machine's figures say nothing of it alone.
    """

    shares_host: bool = False
    figures: Mapping[str, float] = field(default_factory=dict)
    pool: Pool | None = None
    statements: tuple[Statement, ...] = ()

    def get(self, name: str) -> float | None:
        """A figure; None where it was not measured."""
        return self.figures.get(name)


def facts_of(bundle: Bundle, profile: Profile) -> Facts:
    """The facts of a run's hold; none where it had no hold."""
    manifest = bundle.read(run.MANIFEST) if bundle.has(run.MANIFEST) else {}
    shares_host = bool((manifest.get("target") or {}).get("shares_host"))
    span = _hold_us(manifest)
    if span is None:
        return Facts(shares_host)
    readings = read_readings(bundle.resources_dir, _is_wanted)
    answers = read_answers(bundle.samples_dir)
    users = max((stage.users_to for stage in profile.stages() if stage.phase == "hold"), default=None)
    closed_users = users if profile.load_model == "closed" and profile.checks is None else None
    return Facts(
        shares_host,
        _figures(readings, *span),
        pool_of(readings, all_answers(answers), closed_users, *span),
        statements_of(readings, answers, texts_of(read_observations(bundle)), *span),
    )


def _hold_us(manifest: Mapping[str, Any]) -> tuple[int, int] | None:
    own = [entry for entry in manifest.get("phases") or () if entry["name"] == "hold"]
    times = [datetime.fromisoformat(entry[side]) for entry in own for side in ("start", "end") if entry.get(side)]
    if len(times) < 2:
        return None
    return round(min(times).timestamp() * 1e6), round(max(times).timestamp() * 1e6)


def _is_wanted(kind: Kind) -> bool:
    plain = {one for table in (_GROWN, _MEANS, _HIGHEST, _LAST) for own in table.values() for one in own}
    return kind in plain or (kind[0] == "app" and kind[1] in _POOL_METRICS) or is_of_statements(kind)


def _figures(readings: Readings, start_us: int, end_us: int) -> dict[str, float]:
    tables: tuple[tuple[Mapping[str, tuple[Kind, ...]], Callable[[list[float]], float | None]], ...] = (
        (_GROWN, _grown),
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
    return found


def _grown(values: list[float]) -> float | None:
    """Growth of a counter; what it was before a restart of its server is added to what it is after."""
    if len(values) < 2:
        return None
    return sum(after - before if after >= before else after for before, after in pairwise(values))
