"""The dashboard of the target's servers, as the collectors of a running load read them."""

from include.loadtest.profile.thresholds import Thresholds
from include.loadtest.publishing.dashboard_parts import OF_RUN, RATE, UNITS, Panel, Query, Row, alerts_panel
from include.loadtest.publishing.dashboard_readings import ABSENT, PEAK, a_minute, alerted, mean_ms, peaks, plain
from include.loadtest.publishing.dashboard_stores import postgres_panels, redis_panels
from include.loadtest.publishing.expressions import expression

MACHINE, PROCESSES, APP = "host|prometheus", "process|prometheus", "app|prometheus"


def target_rows(thresholds: Thresholds) -> tuple[Row, ...]:
    """One row a server; limits are those of the alerts."""
    return (
        Row("Alerts", (alerts_panel(OF_RUN, width=24),)),
        Row("Machine of the target", _machine(thresholds)),
        Row("Application", (*_processes(), *_requests(), *_inside())),
        Row("PostgreSQL", postgres_panels(thresholds)),
        Row("Redis", redis_panels(thresholds)),
        Row("LLM", _llm()),
    )


def _peak(metric: str) -> Query:
    """The highest readings of the level that an alert takes the mean of."""
    return Query(
        expression(metric, RATE, OF_RUN, "max_over_time"), "peak {{server}}, shared host {{shared_host}}, {{run_id}}"
    )


def _machine(thresholds: Thresholds) -> tuple[Panel, ...]:
    shared = (
        "The target's machine only; where the load generator runs on another one, that one is on the load's dashboard. "
        "Shared host yes: the generator runs on this machine, too, and its own use is in the figure."
    )
    pressed = "cpu_iowait_pct|cpu_steal_pct|cpu_pressure_pct|memory_pressure_pct|io_pressure_pct"
    moved = "(disk_(read|written)|network_(received|sent))_bytes_per_s"
    return (
        alerted("host_cpu_pct", "CPU of the target's machine", shared, thresholds, _peak("host_cpu_pct")),
        alerted("host_memory_pct", "Memory of the target's machine", shared, thresholds, _peak("host_memory_pct")),
        plain(
            "Waiting and pressure",
            f"Share of time in which work waits for CPU, memory or disks. Steal: the machine's own host takes CPU "
            f"away, so the run says less about the target. {PEAK}",
            UNITS["%"],
            peaks(MACHINE, pressed),
        ),
        plain(
            "Disks and network",
            f"What the machine moves, whoever asks for it. {PEAK}",
            "Bps",
            peaks(MACHINE, moved),
        ),
    )


def _processes() -> tuple[Panel, ...]:
    return (
        plain(
            "CPU of the application",
            f"In cores, all its processes together and its busiest one. Near a whole core in one process: its event "
            f"loop is the limit, more workers help. {PEAK}",
            "suffix: cores",
            peaks(PROCESSES, "app(_busiest_process)?_cpu_cores"),
        ),
        plain(
            "Memory of the application",
            f"Resident memory, shared pages counted once, and its container's. Growth through a steady hold is a leak. "
            f"{PEAK}",
            UNITS["bytes"],
            peaks(f"{PROCESSES}|container", "app_rss_bytes|container_memory_bytes"),
        ),
    )


def _requests() -> tuple[Panel, ...]:
    return (
        plain(
            "Requests a second, as the application counts them",
            f"All that reach it, from whomever. More than the load sends: somebody else is on the target. {ABSENT}",
            "reqps",
            peaks(APP, "requests_per_s", "{{server}} {{run_id}}"),
        ),
        plain(
            "Latency, as the application measures it",
            "Estimated from its own histogram between two readings, without queues and network before it: no user's "
            f"latency, and not what is judged. Far below the load's figures: requests wait before the application. "
            f"{ABSENT}",
            UNITS["ms"],
            peaks(APP, "request_p(50|95|99)_ms"),
        ),
        plain(
            "Answers 4xx and 5xx a minute",
            f"As the application counts them. {ABSENT}",
            "suffix: answers/min",
            *(a_minute(APP, f"responses_{kind}", kind) for kind in ("4xx", "5xx")),
        ),
    )


def _inside() -> tuple[Panel, ...]:
    return (
        plain(
            "Event loop",
            f"By how much it wakes up late: something in it computes or blocks. Every request waits for that. {PEAK} "
            f"{ABSENT}",
            UNITS["ms"],
            peaks(APP, "event_loop_lag_ms", "{{server}} {{run_id}}"),
        ),
        plain(
            "Connection pool",
            f"Used up to its size with requests waiting: the pool is the limit. {PEAK} {ABSENT}",
            "none",
            peaks(APP, "db_pool_(size|used|waiting)"),
        ),
        plain(
            "Time for a connection, mean",
            f"How long a request waited for one, and how long it held it. Held long: the work in between is the cause. "
            f"{ABSENT}",
            UNITS["ms"],
            Query(mean_ms(APP, "db_pool_wait_seconds"), "waited {{server}} {{run_id}}"),
            Query(mean_ms(APP, "db_pool_held_seconds"), "held {{server}} {{run_id}}"),
        ),
        plain(
            "Threads and queues",
            f"Busy threads at the pool's size with a queue: blocking work is the limit. {PEAK} {ABSENT}",
            "none",
            peaks(APP, "thread_pool_(size|busy|queue)|document_queue"),
        ),
    )


def _llm() -> tuple[Panel, ...]:
    both = "app|llm|prometheus"
    kinds = ("llm_calls", "llm_errors", "llm_refusals", "llm_retries")
    return (
        plain(
            "Calls of the LLM a minute",
            "As the application counts them (source app) and the LLM or its gateway (source llm). Refusals: its rate "
            f"limit. Retries multiply the load on it. {ABSENT}",
            "suffix: calls/min",
            *(a_minute(both, name, f"{name} {{{{source}}}}") for name in kinds),
        ),
        plain(
            "Time of a call, mean",
            "From the call to the end of its answer. If it explains the latency, the application's own speed does not "
            f"matter. {ABSENT}",
            UNITS["ms"],
            Query(mean_ms(both, "llm_wait_seconds"), "{{source}} {{server}} {{run_id}}"),
        ),
        plain(
            "Calls in work",
            f"At the LLM. Constant at some number: its limit of calls at once. {PEAK} {ABSENT}",
            "suffix: calls",
            peaks("llm", "llm_in_progress", "{{server}} {{run_id}}"),
        ),
        plain(
            "Circuit breaker",
            f"1: open, calls fail at once, so latency looks good while answers are missing. {PEAK} {ABSENT}",
            "bool_on_off",
            peaks(APP, "circuit_breaker_open", "{{server}} {{run_id}}"),
        ),
    )
