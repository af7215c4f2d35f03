"""What an entry says that only a cause stands behind: the cause's own figures, and the bound of its layer. Pure."""

from collections.abc import Callable

from include.loadtest.analysis.recommendations.case import Case, Detail, Row, evidence_text, shown
from include.loadtest.analysis.recommendations.improvement import layer_share, shorter_by_at_most

LAYER_OF = {
    "cpu": ("cpu", "the CPU"),
    "slow_queries": ("database", "the database"),
    "growing_data": ("database", "the database"),
    "locks": ("locks", "waiting for locks"),
    "cache_slow": ("cache", "the cache"),
    "llm_slow": ("llm", "waiting for the LLM"),
}
"""The layer of the time budget that a change to a cause can shorten, and its words."""

Specific = Callable[[Case, Row], str]


def of_cause(case: Case, cause: Row) -> Detail:
    """What the cause names is what is recommended beside the entry's own words; often nothing."""
    specific = _SPECIFIC.get(cause["cause"])
    more = "" if specific is None else specific(case, cause)
    layer = LAYER_OF.get(cause["cause"])
    improvement = shorter_by_at_most(
        None if layer is None else layer_share(case.budget, layer[0]), layer[1] if layer else ""
    )
    return Detail(shown(cause["sentence"]), more, evidence_text(cause), improvement)


def _statement(_: Case, cause: Row) -> str:
    return shown(cause["statement"]) if cause.get("statement") else ""


def _lock(_: Case, cause: Row) -> str:
    waiting, holding = cause.get("statement"), cause.get("blocking_statement")
    if not holding:
        return "" if not waiting else f"what waits is {shown(waiting)}"
    return f"the lock is held by {shown(holding)}" + (f", what waits is {shown(waiting)}" if waiting else "")


def _llm(case: Case, _: Row) -> str:
    """How many calls were refused, failed and were tried again."""
    calls = case.facts.get("llm_calls")
    if not calls:
        return ""
    names = (("llm_refusals", "refused"), ("llm_errors", "failed"), ("llm_retries", "tried again"))
    parts = [f"{value:.0f} {word}" for name, word in names if (value := case.facts.get(name)) is not None]
    return f"of {calls:.0f} calls in the hold {', '.join(parts)}" if parts else f"{calls:.0f} calls in the hold"


def _processes(case: Case, _: Row) -> str:
    processes, cores = case.facts.get("app_processes"), case.facts.get("host_cores")
    if processes is None:
        return ""
    return f"now {processes:.0f} process{'es' if processes > 1 else ''}" + (
        "" if cores is None else f" on a machine of {cores:.0f} cores"
    )


_SPECIFIC: dict[str, Specific] = {
    "growing_data": _statement,
    "slow_queries": _statement,
    "locks": _lock,
    "llm_slow": _llm,
    "llm_errors": _llm,
    "event_loop": _processes,
    "thread_pool": _processes,
    "cpu": _processes,
}
