"""Runs under diagnosis, made by hand: a healthy load of 10 users, with what a test plants in it."""

import random
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from include.loadtest.analysis.bottleneck.case import Case, Silence
from include.loadtest.analysis.bottleneck.model import Span, iso
from include.loadtest.analysis.bottleneck.requests import Requests
from include.loadtest.analysis.bottleneck.series import Readings, readings_of
from include.loadtest.profile import find_profile, load_profile

START_S = 1_800_000_000.0
HOLD_S = 60.0
STEP_S = 5.0
LOAD = Span(START_S, START_S + HOLD_S)
PROFILE = load_profile(find_profile("smoke"))
ENDPOINTS = (
    ("simple_query", "chat_simple"),
    ("complex_query", "chat_complex"),
    ("tax_calculation", "tax_iva"),
    ("document_upload", "document_upload"),
    ("knowledge_search", "legal_search"),
)
UNITS = {"cpu_pct": "%", "memory_pct": "%"}
Value = float | Callable[[float], float]
"""A figure of a reading, or how it depends on the seconds since the hold began."""
Latency = Callable[[float, str, float], float]
"""What a request takes in ms: from the seconds since the hold began, its endpoint, and what a healthy one takes."""


def after(at_s: float, then: float, before: float = 0.0) -> Callable[[float], float]:
    """A gauge that changes at a moment."""
    return lambda offset_s: then if offset_s > at_s else before


def counted(rate: Callable[[float], float] | float) -> Callable[[float], float]:
    """A counter that grows by `rate` a second."""
    if not callable(rate):
        return lambda offset_s: rate * (offset_s + STEP_S)
    return lambda offset_s: sum(rate(t / 4) / 4 for t in range(int(-4 * STEP_S), int(4 * offset_s)))


HEALTHY: dict[tuple[str, str], Value] = {
    ("host", "cpu_pct"): 30.0,
    ("host", "cores"): 2.0,
    ("host", "memory_pct"): 40.0,
    ("host", "memory_used_bytes"): 4e9,
    ("host", "memory_total_bytes"): 10e9,
    ("process", "app_cpu_cores"): 0.1,
    ("process", "app_busiest_process_cpu_cores"): 0.1,
    ("process", "app_rss_bytes"): 110e6,
    ("process", "postgres_cpu_cores"): 0.05,
    ("generator", "loop_lag_ms"): 5.0,
    ("generator", "cpu_pct"): 5.0,
    ("generator", "run_queue_wait_ms_per_s"): 20.0,
    ("postgres", "connections_total"): 9.0,
    ("postgres", "max_connections"): 100.0,
    ("postgres", "lock_waits"): 0.0,
    ("postgres", "lock_wait_longest_s"): 0.0,
    ("postgres", 'waiting_backends{type="Lock"}'): 0.0,
    ("postgres", "statement_exec_ms"): counted(3.0),
    ("postgres", "statement_calls"): counted(20.0),
    ("postgres", 'statement_exec_ms{queryid="7"}'): counted(0.3),
    ("postgres", 'statement_calls{queryid="7"}'): counted(1.0),
    ("redis", "keyspace_hits"): counted(8.5),
    ("redis", "keyspace_misses"): counted(1.5),
    ("redis", "ping_ms"): 0.5,
    ("redis", "keys"): 80.0,
    ("redis", "flush_commands"): 0.0,
    ("redis", "evicted_keys"): 0.0,
    ("app", "metrics_page_ms"): 8.0,
    ("app", "event_loop_lag_ms"): 3.0,
    ("app", "starlette_requests_in_progress"): 2.0,
    ("app", "db_pool_size"): 20.0,
    ("app", "db_pool_used"): 1.0,
    ("app", "db_pool_waiting"): 0.0,
    ("app", "db_pool_wait_seconds_sum"): counted(0.001),
    ("app", "db_pool_wait_seconds_count"): counted(20.0),
    ("app", "thread_pool_size"): 4.0,
    ("app", "thread_pool_busy"): 0.0,
    ("app", "thread_pool_queue"): 0.0,
    ("llm", "llm_calls"): counted(1.5),
    ("llm", "llm_errors"): 0.0,
    ("llm", "llm_refusals"): 0.0,
    ("llm", "llm_wait_seconds_sum"): counted(1.0),
    ("llm", "llm_wait_seconds_count"): counted(1.5),
    ("llm", "llm_in_progress"): 1.0,
}


def requests_of(rows: Sequence[tuple[float, float, str, str, str, int, bool]], each: int = 1) -> Requests:
    """Requests from rows (start, latency in s, scenario, endpoint, outcome, status, streamed)."""
    start, latency, scenario, endpoint, outcome, status, streamed = zip(*rows, strict=True) if rows else ((),) * 7
    return Requests(
        np.array(start, dtype=np.float64),
        np.array(latency, dtype=np.float64),
        np.array(scenario, dtype=np.str_),
        np.array(endpoint, dtype=np.str_),
        np.array(outcome, dtype=np.str_),
        np.array(status, dtype=np.int64),
        np.array(streamed, dtype=np.bool_),
        each,
    )


def made_readings(figures: Mapping[tuple[str, str], Value]) -> Readings:
    """Readings every five seconds, from one interval before the hold to its end."""
    count = int(HOLD_S / STEP_S)
    offsets = [STEP_S * number - 0.5 for number in range(count + 1)]
    return readings_of(
        [
            (
                START_S + offset_s,
                source,
                "here",
                metric,
                value(offset_s) if callable(value) else value,
                UNITS.get(metric, ""),
            )
            for (source, metric), value in figures.items()
            for offset_s in offsets
        ]
    )


def made_requests(
    latency: Latency | None = None,
    outcome: Callable[[float, str], str] | None = None,
    seed: int = 1,
    per_s: float = 8.0,
    new_share: float = 0.15,
) -> Requests:
    """A healthy load: kept answers and the others take some ms, new answers 0.65 s; the rest is the caller's."""
    generator = random.Random(seed)
    rows = []
    for number in range(int(HOLD_S * per_s)):
        offset_s = number / per_s
        scenario, endpoint = ENDPOINTS[number % 5 if generator.random() < 0.5 else number % 2]
        is_chat = endpoint.startswith("chat")
        usual_ms = generator.lognormvariate(2.0, 0.4)
        if is_chat and generator.random() < new_share:
            usual_ms = generator.gauss(650, 20)
        taken_ms = latency(offset_s, endpoint, usual_ms) if latency else usual_ms
        word = outcome(offset_s, endpoint) if outcome else "ok"
        status = {"ok": 200, "http_error": 500, "rejected": 429}.get(word, 0)
        rows.append((START_S + offset_s, taken_ms / 1000, scenario, endpoint, word, status, is_chat))
    return requests_of(rows)


def made_case(
    figures: Mapping[tuple[str, str], Value] | None = None,
    *,
    without: Sequence[tuple[str, str] | str] = (),
    requests: Requests | None = None,
    reasons: Sequence[Mapping[str, Any]] = (),
    shares_host: bool = True,
    observations: Sequence[Mapping[str, Any]] = (),
    silences: Sequence[Silence] = (),
    reference: Mapping[str, float] | None = None,
) -> Case:
    """A run with these figures in place of the healthy ones; `without` sources, or single figures."""
    chosen = {**HEALTHY, **(figures or {})}
    chosen = {kind: value for kind, value in chosen.items() if kind not in without and kind[0] not in without}
    return Case(
        profile=PROFILE,
        readings=made_readings(chosen),
        requests=made_requests() if requests is None else requests,
        load=LOAD,
        whole=Span(START_S - STEP_S, LOAD.end_s),
        manifest={"target": {"shares_host": shares_host}, "load": {"started": moment(-STEP_S)}},
        verdict={"reasons": list(reasons)},
        reference=reference or {},
        observations=tuple(observations),
        silences=tuple(silences),
    )


def moment(offset_s: float) -> str:
    """ISO 8601 of a moment of the hold."""
    return str(iso(START_S + offset_s))


def missed(metric: str = "latency_p95_ms") -> dict[str, Any]:
    """The reason of a missed limit."""
    return {"code": "slo_missed", "metric": metric, "text": f"{metric} of all in hold: too high"}
