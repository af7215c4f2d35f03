"""Conditions on the machine's cores: whether the application can use more of them, or has used them up. Pure."""

from include.loadtest.analysis.bottleneck.limits import BUSY_SHARE
from include.loadtest.analysis.recommendations.by_cause import processes_text
from include.loadtest.analysis.recommendations.case import Case, Detail, Row, evidence_text, trigger_text
from include.loadtest.analysis.recommendations.improvement import with_more


def cores_left(case: Case, cause: Row | None) -> Detail | None:
    """Fewer processes than cores, of which some are free: each has one event loop, and that uses one core."""
    processes, cores = _known(case)
    is_busy = (case.facts.get("host_cpu_pct") or 0.0) >= 100 * BUSY_SHARE
    if cause is None or processes is None or cores is None or processes >= cores or is_busy:
        return None
    recommended = f"{processes + 1} instead of {processes}, as an event loop uses one core only"
    gain = with_more(case.diagnosis.get("capacity"), "application_process", (processes + 1) / processes)
    return Detail(processes_text(case) or "", recommended, trigger_text(cause), gain)


def cores_used_up(case: Case, cause: Row | None) -> Detail | None:
    """The machine has no core left, not only the application's one process: more cores would be used."""
    processes, cores = _known(case)
    if cause is None or (processes == 1 and cores != 1):
        return None
    return Detail(processes_text(case) or evidence_text(cause), "", trigger_text(cause))


def _known(case: Case) -> tuple[int | None, int | None]:
    processes, cores = case.facts.get("app_processes"), case.facts.get("host_cores")
    return (round(processes) or None) if processes else None, round(cores) if cores else None
