"""What the live page is made of, as a running stage writes it."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from include.loadtest.live.history import History
from include.loadtest.live.page_figures import MAIN, RESOURCES, TITLES
from include.loadtest.profile.vocabulary import METRICS
from include.loadtest.run import utc_text

BEGAN_AGO_S, LOAD_S = 40, 65
VALUES = {
    "users": 10.0, "throughput_rpm": 480.0, "failed_rpm": 6.0, "latency_p95_ms": 880.0, "error_rate": 0.0125,
    "host_cpu_pct": 35.0, "host_memory_pct": 10.0, "postgres_connections": 8.0, "redis_memory_bytes": 1_300_000.0,
    "cache_hit_rate": 0.85, "slow_queries_per_min": 0.0,
}  # fmt: skip


def live_document(
    run_id: str,
    load: dict[str, Any] | None = None,
    *,
    at: datetime | None = None,
    stage: str = "run_profile",
    state: str = "running",
    text: str | None = None,
) -> dict[str, Any]:
    """live.json as of `at`."""
    moment = at or datetime.now(UTC)
    ended = None if state == "running" else utc_text(moment)
    began = utc_text(moment - timedelta(seconds=BEGAN_AGO_S + 2))
    return {
        "schema": 1,
        "run_id": run_id,
        "profile": "smoke",
        "title": "Smoke",
        "target": "demo",
        "at": utc_text(moment),
        "stages": [{"name": stage, "state": state, "began": began, "ended": ended, "text": text}],
        "load": load,
    }


def load_document(
    *,
    p95_ms: float | None = 880.0,
    requests: int = 600,
    alerts: Sequence[dict[str, Any]] = (),
    ended: bool = False,
    scenario: str = "simple_query",
) -> dict[str, Any]:
    """The load's part: of a run whose load began 40 s ago; `p95_ms` None: too few requests."""
    now = datetime.now(UTC)
    began = now - timedelta(seconds=BEGAN_AGO_S)
    counts = {"n": requests, "ok": requests - 6, "failed": 6, "cut": 0}
    known = {key: value for key, value in (VALUES | {"latency_p95_ms": p95_ms}).items() if value is not None}
    return {
        "at": utc_text(now),
        "began": utc_text(began),
        "until": utc_text(began + timedelta(seconds=LOAD_S)),
        "ended": utc_text(now) if ended else None,
        "left_s": None if ended else LOAD_S - BEGAN_AGO_S,
        "may_end_sooner": False,
        "phase": None if ended else {"name": "hold", "stage": "hold", "left_s": LOAD_S - BEGAN_AGO_S},
        "phases": [
            _span("ramp_up", began, began + timedelta(seconds=5)),
            _span("hold", began + timedelta(seconds=5), began + timedelta(seconds=LOAD_S)),
        ],
        "window_s": 60,
        "rate_window_s": 10,
        "figures": [_figure(key, None if ended else known.get(key)) for key in MAIN],
        "resources": [_figure(key, None if ended else known.get(key)) for key in RESOURCES],
        "requests": counts | {"scenarios": [{"scenario": scenario} | counts]},
        "alerts": list(alerts),
        "alerts_left_out": 0,
        "unreadable_parts": 0,
        "history": _history(now, known),
    }


def _span(name: str, start: datetime, end: datetime) -> dict[str, Any]:
    return {"name": name, "stage": name, "start": utc_text(start), "end": utc_text(end)}


def _figure(key: str, value: float | None) -> dict[str, Any]:
    unit = METRICS[key].unit if key in METRICS else "users" if key == "users" else "req/min"
    limit = {"of": "critical limit in hold", "text": "< 4,000 ms", "value": 4000.0, "beyond": (value or 0) > 4000}
    return {
        "key": key,
        "title": TITLES[key],
        "value": value,
        "unit": unit,
        "text": None if value is None else f"{value:g} {unit}",
        "why": None if value is not None else "12 requests in the last 60 s, 20 are needed",
        "note": None,
        "planned": 10 if key == "users" and value is not None else None,
        "limits": [limit] if key == "latency_p95_ms" else [],
    }


def _history(now: datetime, known: dict[str, float]) -> dict[str, Any]:
    history = History()
    for look in range(20):
        history.note(now.timestamp() - 2 * (20 - look), {key: value * (1 + look % 3) for key, value in known.items()})
    return history.document()
