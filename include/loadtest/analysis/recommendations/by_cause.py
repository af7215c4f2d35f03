"""What an entry says that only a cause stands behind: the cause's own figures, and what it names. Pure."""

from collections.abc import Callable

from include.loadtest.analysis.recommendations.case import Case, Detail, Row, evidence_text, shown, trigger_text

Specific = Callable[[Row], str]


def of_cause(case: Case, cause: Row) -> Detail:
    """What the cause names is what is recommended beside the entry's own words; often nothing."""
    specific = _SPECIFIC.get(cause["cause"])
    current = processes_text(case) if cause["cause"] in _OF_PROCESSES else None
    recommended = "" if specific is None else specific(cause)
    return Detail(current or evidence_text(cause), recommended, trigger_text(cause))


def processes_text(case: Case) -> str | None:
    """How many processes the application has, on how many cores; None where that was not measured."""
    processes, cores = case.facts.get("app_processes"), case.facts.get("host_cores")
    if processes is None:
        return None
    return f"{processes:.0f} process{'es' if round(processes) != 1 else ''}" + (
        "" if cores is None else f" on a machine of {cores:.0f} cores"
    )


def _statement(cause: Row) -> str:
    return f"in {shown(cause['statement'])}" if cause.get("statement") else ""


def _lock(cause: Row) -> str:
    waiting, holding = cause.get("statement"), cause.get("blocking_statement")
    if not holding:
        return "" if not waiting else f"what waits for it is {shown(waiting)}"
    return f"it is held by {shown(holding)}" + (f"; what waits is {shown(waiting)}" if waiting else "")


_OF_PROCESSES = frozenset({"cpu", "event_loop", "thread_pool"})
_SPECIFIC: dict[str, Specific] = {
    "growing_data": _statement,
    "locks": _lock,
    "event_loop": lambda _: "for the call that stops the event loop",
    "memory_leak": lambda _: "compare two snapshots of the heap to find what grows",
    "cpu": lambda _: "find the code with a profiler under this load",
}
