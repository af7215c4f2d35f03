"""What the diagnosis did without: a gap has a name, and nothing is concluded from it."""

from include.loadtest.analysis.bottleneck.case import Case
from include.loadtest.analysis.bottleneck.model import clock

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


def not_measured(case: Case) -> list[str]:
    """Sources and figures that gave nothing, and the times in which a source was silent."""
    sources = case.readings.sources
    absent = [text for source, text in _SOURCES.items() if source not in sources]
    for kinds, text in _FIGURES:
        if kinds[0][0] in sources | {"process", "llm", "host"} and case.readings.first(*kinds) is None:
            absent.append(text)
    if "postgres" in sources and not case.readings.family("postgres", "statement_exec_ms"):
        absent.append("single statements (pg_stat_statements is not readable)")
    silent = [
        f"{one.source} from {clock(one.span.start_s)} to {clock(one.span.end_s)} ({one.reason})"
        for one in case.silences
        if one.span.end_s > case.load.start_s and one.span.start_s < case.load.end_s
    ]
    return [*absent, *silent]
