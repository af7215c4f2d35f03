"""Cause before symptom: which candidates explain others, and in which order they are named."""

import re
from collections.abc import Sequence

from include.loadtest.analysis.bottleneck import limits
from include.loadtest.analysis.bottleneck.case import Case
from include.loadtest.analysis.bottleneck.model import Candidate, Symptom
from include.loadtest.analysis.bottleneck.processor import own_cores

MOST = 3
_VALUE = re.compile(r"\$\d+|\?")
_COMPARED_CHARS = 200
EXPLAINS: dict[str, frozenset[str]] = {
    "locks": frozenset({"database_connections", "slow_queries", "growing_data", "thread_pool"}),
    "slow_queries": frozenset({"cpu", "database_connections", "thread_pool", "disk"}),
    "growing_data": frozenset({"cpu", "slow_queries", "database_connections", "thread_pool", "disk"}),
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
_IN_LLM_TIME: dict[str, frozenset[str]] = {
    "app": frozenset({"cpu", "event_loop"}),
    "samples": frozenset({"database_connections"}),
}
"""By the source that the LLM's time is known from, what else is in it: the application counts its own delays into it,
and slow answers wait for a connection too."""
_COMPUTING = frozenset({"cpu", "slow_queries", "growing_data"})
_LATE_S = 12.0
"""What begins so long after the first symptom did not bring it about; two readings and a little."""
_THIN = 0.05
"""Of the requests' time, or of the requests: what accounts for less is no evidence, but for a plain finding."""
_HALF = 0.5
"""Of what it explains: a cause that accounts for less of the requests' time than that leaves the rest unexplained."""


def ranked(case: Case, found: Sequence[Candidate], symptoms: Sequence[Symptom]) -> list[Candidate]:
    """At most three candidates, causes before what follows from them; none without a symptom or a plain finding."""
    kept = _once(found)
    kept = [one for one in kept if one.plain or symptoms]
    kept = [one for one in kept if not _is_thin(one)]
    onset = _onset(symptoms)
    order = sorted(kept, key=lambda one: (_is_explained(case, one, kept), _is_late(one, onset), *_rank(one)))
    return order[:MOST]


def _once(found: Sequence[Candidate]) -> list[Candidate]:
    """One candidate a cause; statements that wait for a lock, or of which only their running is known, are not slow.

    Unless the waits are so few that they are not what takes the time.
    """
    waits = [one for one in found if one.cause == "locks"]
    holding = [one for one in waits if one.weight is None or one.weight >= limits.RELEVANT_SHARE]
    locked = {_bare(text) for one in holding for text in (one.statement, None)}
    kept: dict[str, Candidate] = {}
    for one in found:
        if one.cause != "slow_queries" or _bare(one.statement) not in locked:
            kept.setdefault(one.cause, one)
    return list(kept.values())


def _bare(statement: str | None) -> str:
    """A statement without its values, however they were taken out."""
    return _VALUE.sub("?", statement or "")[:_COMPARED_CHARS]


def _is_thin(one: Candidate) -> bool:
    is_finding = one.plain and one.strength == "strong"
    return not is_finding and one.weight is not None and one.weight < _THIN


def _rank(one: Candidate) -> tuple[bool, int, float]:
    """Strength; then the share of the requests' time: a relevant one, an unknown one, one that is known to be small."""
    if one.weight is None:
        return one.strength != "strong", 1, 0.0
    return one.strength != "strong", 0 if one.weight >= limits.RELEVANT_SHARE else 2, -one.weight


def _onset(symptoms: Sequence[Symptom]) -> float | None:
    """When the first symptom began; None where one was there from the beginning, or none has a time."""
    times = [one.since_s for one in symptoms if one.kind in ("latency_rose", "errors")]
    known = [at_s for at_s in times if at_s is not None]
    return min(known) if known and len(known) == len(times) else None


def _is_late(one: Candidate, onset: float | None) -> bool:
    return onset is not None and one.since_s is not None and one.since_s > onset + _LATE_S


def _is_explained(case: Case, one: Candidate, others: Sequence[Candidate]) -> bool:
    return any(explains(case, other, one) for other in others if other is not one)


def explainer(case: Case, one: Candidate, before: Sequence[Candidate]) -> str | None:
    """The cause among those that stand before a candidate from which it follows; None where it stands for itself."""
    return next((other.cause for other in before if explains(case, other, one)), None)


def explains(case: Case, cause: Candidate, effect: Candidate) -> bool:
    """Whether one candidate follows from another, which began no later and accounts for enough of it."""
    if cause.since_s is not None and (effect.since_s is None or effect.since_s < cause.since_s - _LATE_S):
        return False
    if effect.cause == "generator":
        return cause.cause in _COMPUTING and _takes_the_machine(case, cause)
    if effect.cause == "cpu" and effect.strength == "strong":
        return False  # a core of the application, which the database's work does not take
    if cause.cause == "cache_evictions" and any(one.metric == "flush_commands" for one in effect.evidence):
        return False  # somebody emptied the cache, whether it had room or not
    return _is_large_enough(cause, effect) and _follows(cause, effect)


def _follows(cause: Candidate, effect: Candidate) -> bool:
    if (
        effect.cause == "llm_slow"
        and effect.evidence
        and cause.cause in _IN_LLM_TIME.get(effect.evidence[0].source, ())
    ):
        return True
    return effect.cause in EXPLAINS.get(cause.cause, ())


def _is_large_enough(cause: Candidate, effect: Candidate) -> bool:
    """Whether a cause accounts for so much that the effect may be all its doing; one of unknown size if seen itself."""
    if cause.weight is None:
        return cause.strength == "strong"
    return cause.weight >= limits.RELEVANT_SHARE and cause.weight >= _HALF * (effect.weight or 0.0)


def _takes_the_machine(case: Case, cause: Candidate) -> bool:
    """The target shares the generator's machine, and takes half of it or more."""
    cores = case.mean(case.readings.get("host", "cores"), case.window)
    own = own_cores(case, case.window)
    if not case.shares_host:
        return False
    return cause.cause == "cpu" or (own is not None and cores is not None and own >= cores / 2)
