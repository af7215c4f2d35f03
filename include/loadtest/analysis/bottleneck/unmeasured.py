"""What the diagnosis did without: a gap has a name, and nothing is concluded from it."""

from include.loadtest.analysis.bottleneck.case import Case
from include.loadtest.analysis.bottleneck.model import Span, clock

_SOURCES = {
    "postgres": "PostgreSQL (no readings)",
    "redis": "the cache's server (no readings)",
    "app": "the application's metrics page (no readings)",
    "generator": "the load generator itself (no readings)",
}
_FIGURES = (
    ((("app", "db_pool_waiting"),), "the application's pool of database connections (not exposed)"),
    ((("app", "event_loop_lag_ms"), ("app", "metrics_page_ms")), "the event loop's delay (not exposed)"),
    (
        (("llm", "llm_wait_seconds_sum"), ("app", "llm_wait_seconds_sum")),
        "the time that the LLM takes (neither the application nor a gateway shows it)",
    ),
    ((("app", "thread_pool_queue"),), "the application's threads (not exposed)"),
    (
        (("process", "app_cpu_cores"), ("app", "process_cpu_seconds_total"), ("prometheus", "cpu_pct")),
        "the CPU that the application uses (no readings)",
    ),
    (
        (("host", "memory_pct"), ("prometheus", "memory_pct"), ("app", "memory_usage_percent")),
        "the memory of the target's machine (no readings)",
    ),
)
_SERVERS = {
    "app": "the application",
    "postgres": "PostgreSQL",
    "redis": "the cache",
    "generator": "the load generator",
}
_LLM = "the LLM"
_MOSTLY = 0.5
"""Of the time that is judged: a source that was silent for so much of it says nothing of it."""


def blind_spots(case: Case, endpoints: str | None = None) -> list[str]:
    """Where a bottleneck may be that nobody saw: servers without readings, or silent for half of the time.

    The LLM counts where requests to these endpoints ask it (all, where None).
    """
    absent = [name for source, name in _SERVERS.items() if _is_blind(case, source)]
    asking = {str(name) for name in case.requests.chosen(case.requests.asks_llm).endpoints}
    concerned = asking if endpoints is None else asking & set(endpoints.split(" and "))
    figures = [(source, f"llm_{name}") for source in ("llm", "app") for name in ("wait_seconds_sum", "calls")]
    if concerned and case.readings.first(*figures) is None:
        absent.append(_LLM)
    return absent


def _is_blind(case: Case, source: str) -> bool:
    silent_s = sum(_common_s(one.span, case.window) for one in case.silences if one.source == source)
    return source not in _sources(case) or silent_s >= _MOSTLY * case.window.seconds


def _sources(case: Case) -> frozenset[str]:
    """Sources that gave two readings of a figure within the load: one says nothing of a counter, nor of a while."""
    found = case.readings.by_kind.items()
    return frozenset(source for (source, _), own in found if any(len(one.within(case.whole).values) > 1 for one in own))


def _common_s(one: Span, other: Span) -> float:
    return max(0.0, min(one.end_s, other.end_s) - max(one.start_s, other.start_s))


def not_measured(case: Case) -> list[str]:
    """Sources and figures that gave nothing, and the times in which a source was silent."""
    sources = _sources(case)
    absent = [text for source, text in _SOURCES.items() if source not in sources]
    for kinds, text in _FIGURES:
        if kinds[0][0] in sources | {"process", "llm", "host"} and case.readings.first(*kinds) is None:
            absent.append(text)
    if "postgres" in sources and not case.readings.family("postgres", "statement_exec_ms"):
        absent.append("single statements (pg_stat_statements is not readable)")
    if not (case.manifest.get("phases") or (case.manifest.get("load") or {}).get("started")):
        absent.append("when the load began and ended (not recorded; what is looked at is from the first request on)")
    silent = [
        f"{one.source} from {clock(one.span.start_s)} to {clock(one.span.end_s)} ({one.reason})"
        for one in case.silences
        if one.span.end_s > case.load.start_s and one.span.start_s < case.load.end_s
    ]
    return [*absent, *_several(case), *silent]


def _several(case: Case) -> list[str]:
    """Sources of which several instances gave readings: one of them is looked at, the others are named."""
    instances: dict[str, set[str]] = {}
    for (source, _), series in case.readings.by_kind.items():
        if source in ("app", "postgres", "redis", "llm"):
            instances.setdefault(source, set()).update(one.instance for one in series)
    return [
        f"all but one of {len(names)} instances of {source} ({', '.join(sorted(names))}): "
        "of each figure the one with most readings is looked at"
        for source, names in instances.items()
        if len(names) > 1
    ]
