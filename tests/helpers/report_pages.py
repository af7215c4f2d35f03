"""Reports with everything in them, made up: a bundle a verdict, and what its page draws."""

import math
from pathlib import Path
from typing import Any

from include.loadtest.bundle import Bundle
from tests.loadtest.reporting.conftest import HOSTILE, ROW, SLO, manifest_of, reason_of

START_S = 1_795_723_200.0
STARTED, ENDED = "2026-11-26T20:00:00.000000Z", "2026-11-26T20:10:00.000000Z"
WINDOWS = 120
REASONS: dict[str, tuple[str, str] | None] = {
    "PASS": None,
    "WARN": ("slo_near", "latency_p95_ms of all in hold: 4,700 ms, limit < 5,000 ms, n=6000"),
    "SLA_BREACH": ("slo_missed", "latency_p95_ms of all in hold: 5,900 ms, limit < 5,000 ms, n=6000"),
    "REGRESSION": ("regression", "chat_simple: body +18 % (95 % 14 to 23 %), confirmed by 2 repeats"),
    "ABORTED": ("operator", "the load was stopped at 2026-11-26 20:04:00 UTC, before its planned end"),
    "INCONCLUSIVE": ("generator_died", "the generator ended with exit code -9 before the load was complete"),
}
"""A reason that gives each verdict, None where no reason decides."""
EVIL_IMAGE = '<img src=x onerror="alert(1)">'
EVIL_END = "</script><script>alert(2)</script>"
EVILS = (HOSTILE, EVIL_IMAGE, EVIL_END)


def report_bundle(folder: Path, verdict: str, *, hostile: bool = False) -> Bundle:
    """A concluded run of `peak_hours`; with `hostile`, every text that a target or a person gives is an attack."""
    bundle = Bundle(folder / f"peak_hours-{verdict.lower()}")
    said = EVIL_IMAGE if hostile else "1.4.2"
    bundle.update_manifest(
        **manifest_of("peak_hours"),
        load={"started": STARTED, "ended": ENDED},
        environment={"app_version": said, "app": EVIL_END if hostile else "pratikoai"},
        gaps=[],
    )
    reason = REASONS[verdict]
    code, text = ("too_few_runs", "0 comparable runs are there") if reason is None else reason
    outcome = {"SLA_BREACH": "missed", "WARN": "near"}.get(verdict, "met")
    slos = [
        SLO | {"limit": 5000.0, "observed": 5900.0 if outcome == "missed" else 4700.0, "outcome": outcome, "n": 6000},
        SLO | {"metric": "error_rate", "unit": "ratio", "limit": 0.01, "observed": 0.002, "outcome": "met"},
        SLO | {"metric": "host_cpu_pct", "unit": "%", "limit": 80.0, "observed": None, "outcome": "not_judged", "n": 0},
    ]
    bundle.write(
        "verdict.json",
        {"verdict": verdict, "reasons": [reason_of(code, f"{text} {EVIL_END}" if hostile else text)], "slos": slos},
    )
    bundle.write("metrics.json", {"schema": 1, "metrics": [_row(slo) for slo in slos], "stages": []})
    bundle.write("errors.json", _errors(hostile=hostile))
    bundle.write("comparison.json", _comparison())
    bundle.write("diagnosis.json", _diagnosis(EVIL_IMAGE if hostile else "20 of 20 connections in use"))
    return bundle


def _row(slo: dict[str, Any]) -> dict[str, Any]:
    return ROW | {
        "metric": slo["metric"],
        "value": slo["observed"],
        "unit": slo["unit"],
        "n": slo["n"],
        "lower_bound": False,
    }


def _errors(*, hostile: bool) -> dict[str, Any]:
    texts = EVILS if hostile else ("HTTP 503", "timeout")
    errors = [
        {
            "fingerprint": text,
            "count": 12_345 - place,
            "outcome": "http_error",
            "scenario": "simple_query",
            "endpoint": "chat_simple",
            "status": 503,
            "first_seen": STARTED,
        }
        for place, text in enumerate(texts)
    ]
    return {"schema": 1, "errors": errors, "other": {"fingerprints": 7, "count": 41}, "unreadable_parts": []}


def _comparison() -> dict[str, Any]:
    finding = {
        "scope": "endpoint:chat_simple",
        "measure": "latency_body_ms",
        "change": 0.18,
        "ci_low": 0.14,
        "ci_high": 0.23,
        "p": 0.0004,
    }
    against = {"recent": {"word": "REGRESSION", "text": "slower", "runs": ["a", "b"], "findings": [finding]}}
    test = {"word": "REGRESSION", "text": "slower", "relevant_change": 0.1, "repeats": [], "references": []}
    return {"previous_run_id": None, "change_test": {**test, "against": against, "sensitivity": []}}


def _diagnosis(text: str) -> dict[str, Any]:
    evidence = {
        "source": "postgres", "instance": "db", "metric": "connections_total", "value": 20.0, "unit": "connections",
        "compared_with": None, "comparison": "", "from": STARTED, "to": ENDED, "text": text,
    }  # fmt: skip
    cause = {
        "cause": "database_connections", "component": "Database", "strength": "strong", "sentence": text,
        "next_step": "Enlarge the pool.", "explained_by": None, "evidence": [evidence],
    }  # fmt: skip
    return {
        "state": "bottleneck", "sentence": f"Database connections: {text}.", "next_step": "Enlarge the pool.",
        "symptoms": [], "causes": [cause], "time_budget": [], "not_measured": [], "recommendations": [],
        "capacity": None,
    }  # fmt: skip


def made_charts(*, hostile: bool = False, windows: int = WINDOWS) -> dict[str, Any]:
    """A document of the shape of `reporting.chart_data.chart_data`; readings have times of their own."""
    times = [START_S + 5.0 * place for place in range(windows)]
    p95 = [None if place < 4 else 900.0 + 300.0 * math.sin(place / 9) for place in range(windows)]
    read_s = [time_s + 1.5 for time_s in times]
    end_s = times[-1] + 5.0
    place = EVIL_END if hostile else "Connections"
    said = EVIL_END if hostile else "host_cpu_pct at 93 % (alert: > 90 % for 30 s)"
    return {
        "schema": 1, "start_s": START_S, "width_s": 5.0, "rows": 6000, "unreadable_parts": 0, "t": times,
        "latency": {
            "p50_ms": [value and value * 0.4 for value in p95], "p95_ms": p95,
            "p99_ms": [value and value * 1.2 for value in p95], "max_ms": [value and value * 1.6 for value in p95],
            "p50_is_bound": [False] * windows, "p95_is_bound": [place == 50 for place in range(windows)],
            "p99_is_bound": [place in (50, 60) for place in range(windows)],
            "max_is_bound": [place in (50, 60, 70) for place in range(windows)],
        },
        "rate": {"ok_rpm": [600.0] * windows, "failed_rpm": [float(place % 3) for place in range(windows)]},
        "failed": [0] * windows, "n": [50] * windows, "singles": [[times[0], 812.0, False], [times[1], 5000.0, True]],
        "users": {"t": times, "value": [50] * windows},
        "spans": [
            {"phase": "ramp_up", "start_s": START_S, "end_s": START_S + 60},
            {"phase": "hold", "start_s": START_S + 60, "end_s": end_s},
        ],
        "stalls": [{"start_s": START_S + 200, "end_s": START_S + 215}],
        "alerts": [{"id": "a", "start_s": START_S + 300, "end_s": None, "text": said, "severity": "warning"}],
        "resources": [
            _series("host_cpu_pct", "cpu", "CPU of the target's host", "%", times=read_s, value=45.0),
            _series("postgres_connections", "database", place, "connections", times=read_s, value=20.0),
            _series("redis_memory_bytes", "redis", "Memory of Redis", "bytes", times=read_s, value=2.0**21),
        ],
        "scenarios": [_scenario("simple_query", 1.0), _scenario("document_upload", 30.0)],
        "slowest": [_slow(place, EVIL_IMAGE if hostile else "chat_simple") for place in range(20)],
    }  # fmt: skip


def _series(key: str, group: str, title: str, unit: str, *, times: list[float], value: float) -> dict[str, Any]:
    values = [value + value * 0.1 * math.sin(place / 5) for place in range(len(times))]
    return {
        "key": key, "group": group, "title": title, "unit": unit, "source": "host", "instance": "vm", "t": times,
        "value": values, "low": [one * 0.9 for one in values], "high": [one * 1.3 for one in values],
    }  # fmt: skip


def _scenario(name: str, factor: float) -> dict[str, Any]:
    percentiles = [
        {"name": "P50", "ms": 40.0 * factor, "is_bound": False, "n": 900},
        {"name": "P95", "ms": 200.0 * factor, "is_bound": False, "n": 900},
        {"name": "P99", "ms": 260.0 * factor, "is_bound": True, "n": 900},
        {"name": "P99.9", "ms": None, "is_bound": False, "n": 900},
    ]
    edges = [10.0 * factor * 1.2**place for place in range(31)]
    counts = [round(100 * math.exp(-(((place - 9) / 5) ** 2))) for place in range(30)]
    return {
        "scenario": name, "n": 900, "lower_bounds": 2, "edges_ms": edges, "counts": counts, "percentiles": percentiles,
    }  # fmt: skip


def _slow(place: int, endpoint: str) -> dict[str, Any]:
    return {
        "start": STARTED, "scenario": "simple_query", "endpoint": endpoint, "latency_ms": 9000.0 - place,
        "is_bound": place == 0, "outcome": "ok", "status": 200, "phase": "hold", "user": place, "iteration": 3,
        "trace_id": f"{place:032x}",
    }  # fmt: skip
