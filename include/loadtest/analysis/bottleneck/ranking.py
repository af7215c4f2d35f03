"""Cause before symptom: which candidates explain others, and in which order they are named."""

import re
from collections.abc import Sequence

from include.loadtest.analysis.bottleneck.case import Case
from include.loadtest.analysis.bottleneck.model import Candidate, Symptom
from include.loadtest.analysis.bottleneck.processor import own_cores

MOST = 3
_VALUE = re.compile(r"\$\d+|\?")
_COMPARED_CHARS = 200
EXPLAINS: dict[str, frozenset[str]] = {
    "locks": frozenset({"database_connections", "slow_queries", "growing_data", "thread_pool"}),
    "slow_queries": frozenset({"database_connections", "thread_pool", "disk"}),
    "growing_data": frozenset({"slow_queries", "database_connections", "thread_pool", "disk"}),
    "memory_leak": frozenset({"memory"}),
    "memory": frozenset({"disk"}),
    "disk": frozenset({"database_connections"}),
    "cache_evictions": frozenset({"cache_misses"}),
    "cache_slow": frozenset({"database_connections", "thread_pool"}),
    "cpu": frozenset({"event_loop", "thread_pool", "database_connections"}),
    "event_loop": frozenset({"thread_pool", "database_connections"}),
    "llm_errors": frozenset({"llm_slow"}),
    "llm_slow": frozenset({"database_connections", "thread_pool"}),
    "generator": frozenset({"network", "event_loop"}),
}
"""By cause, what follows from it: a held lock keeps connections, which makes others wait for one."""
_COMPUTING = frozenset({"cpu", "slow_queries", "growing_data"})
_LATE_S = 12.0
"""What begins so long after the first symptom did not bring it about; two readings and a little."""
_THIN = 0.05
"""A moderate candidate that accounts for less is no evidence."""


def ranked(case: Case, found: Sequence[Candidate], symptoms: Sequence[Symptom]) -> list[Candidate]:
    """At most three candidates, causes before what follows from them; none without a symptom or a plain finding."""
    kept = _once(found)
    kept = [one for one in kept if one.plain or symptoms]
    kept = [one for one in kept if one.strength == "strong" or one.weight >= _THIN]
    onset = _onset(symptoms)
    order = sorted(kept, key=lambda one: (_is_explained(case, one, kept), _is_late(one, onset), *_rank(one)))
    return order[:MOST]


def _once(found: Sequence[Candidate]) -> list[Candidate]:
    """One candidate a cause; statements that wait for a lock, or of which only their running is known, are not slow."""
    locked = {_bare(text) for one in found if one.cause == "locks" for text in (one.statement, None)}
    kept: dict[str, Candidate] = {}
    for one in found:
        if one.cause != "slow_queries" or _bare(one.statement) not in locked:
            kept.setdefault(one.cause, one)
    return list(kept.values())


def _bare(statement: str | None) -> str:
    """A statement without its values, however they were taken out."""
    return _VALUE.sub("?", statement or "")[:_COMPARED_CHARS]


def _rank(one: Candidate) -> tuple[bool, float]:
    return one.strength != "strong", -one.weight


def _onset(symptoms: Sequence[Symptom]) -> float | None:
    """When the first symptom began; None where one was there from the beginning, or none has a time."""
    times = [one.since_s for one in symptoms if one.kind in ("latency_rose", "errors")]
    known = [at_s for at_s in times if at_s is not None]
    return min(known) if known and len(known) == len(times) else None


def _is_late(one: Candidate, onset: float | None) -> bool:
    return onset is not None and one.since_s is not None and one.since_s > onset + _LATE_S


def _is_explained(case: Case, one: Candidate, others: Sequence[Candidate]) -> bool:
    return any(explains(case, other, one) for other in others if other is not one)


def explains(case: Case, cause: Candidate, effect: Candidate) -> bool:
    """Whether one candidate follows from another, which began no later."""
    if cause.since_s is not None and (effect.since_s is None or effect.since_s < cause.since_s - _LATE_S):
        return False
    if effect.cause == "generator":
        return cause.cause in _COMPUTING and _takes_the_machine(case, cause)
    if effect.cause == "llm_slow" and effect.evidence[0].source == "app" and cause.cause in ("cpu", "event_loop"):
        return True  # the application counts its own delays into the LLM's
    if effect.cause == "llm_slow" and effect.evidence[0].source == "samples" and cause.cause == "database_connections":
        return True  # seen by slow answers only, which wait for a connection too
    if effect.cause == "cpu" and cause.cause in ("slow_queries", "growing_data"):
        return effect.strength == "moderate"  # the machine's CPU, which the database's work takes
    return effect.cause in EXPLAINS.get(cause.cause, ())


def _takes_the_machine(case: Case, cause: Candidate) -> bool:
    """The target shares the generator's machine, and takes half of it or more."""
    cores = case.mean(case.readings.get("host", "cores"), case.window)
    own = own_cores(case, case.window)
    if not case.shares_host:
        return False
    return cause.cause == "cpu" or (own is not None and cores is not None and own >= cores / 2)
