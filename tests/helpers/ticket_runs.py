"""Runs that file issues: what their bundles would say, good and bad, and the rules."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Engine

from include.embedded.postgres import ensure_database, start_postgres, stop_postgres
from include.loadtest.history.database import connect, upgrade
from include.loadtest.profile.tickets import TicketRules, load_ticket_rules
from include.loadtest.publishing.tickets import TicketRun, file_tickets
from include.loadtest.verdict import Reason, SloResult, slo_reasons, verdict_document

RULES = load_ticket_rules()
PROFILE, TARGET = "peak_hours", "demo"
P95 = ("latency_p95_ms", "all")
ERRORS = ("error_rate", "all")
_LIMITS = {
    "latency_p95_ms": ("<", 4000.0, "ms"),
    "error_rate": ("<", 0.01, "ratio"),
    "throughput_rpm": (">=", 1000.0, "req/min"),
    "host_cpu_pct": ("<", 80.0, "%"),
}
_MEASURED = {"met": 0.5, "near": 0.95, "missed": 1.5}
Document = dict[str, Any]


def slo(metric: str, scope: str = "all", outcome: Any = "missed", factor: float | None = None) -> SloResult:
    """A limit, judged: the figure is `factor` times the limit, or less than it for one that is to be high."""
    comparator, limit, unit = _LIMITS[metric]
    times = factor or _MEASURED.get(outcome)
    observed = None if times is None else limit * times if comparator == "<" else limit / times
    ends = (None, None) if observed is None else (observed * 0.9, observed * 1.1)
    n = 0 if observed is None else 5000
    return SloResult(
        *(metric, scope, "hold", "critical", True),
        comparator=comparator,  # type: ignore[arg-type]
        observed=observed,
        n=n,
        ci_low=ends[0],
        ci_high=ends[1],
        limit=limit,
        unit=unit,
        outcome=outcome,
        close=False,
    )


def verdict(slos: list[SloResult], *reasons: Reason, run_id: str = "peak_hours-1", profile: str = PROFILE) -> Document:
    """verdict.json of a run with these limits, and with reasons beside those that they give."""
    every = [*slo_reasons(slos), *reasons]
    return verdict_document(run_id=run_id, suite=None, profile=profile, engine="locust", reasons=every, slos=slos)


def change(scope: str, by: float, measure: str = "latency_body_ms") -> Document:
    """A finding of the change test."""
    ends = {"ci_low": by - 0.02, "ci_high": by + 0.02}
    direction = "worse" if by > 0 else "better"
    found = {"measure": measure, "scope": scope, "change": by, "p": 0.0001, "direction": direction}
    return found | ends | {"baseline_runs": 10, "companions": []}


def comparison(word: str, *findings: Document, repeats: tuple[str, ...] = ()) -> Document:
    """comparison.json with a change test that says `word`; the first finding is the worst."""
    entry: Document = {"word": word, "text": "simple_query: body +20 %", "runs": ["peak_hours-a", "peak_hours-b"]}
    entry |= {"worst": findings[0] if findings else None, "findings": list(findings)}
    test: Document = {"word": word, "text": entry["text"], "relevant_change": 0.1, "confirmations": 2}
    test |= {"repeats": list(repeats), "references": [], "against": {"recent": entry}, "sensitivity": []}
    before = {"metric": "latency_p95_ms", "scope": "all", "unit": "ms", "current": 6000.0, "previous": 2100.0}
    return {"phase": "hold", "previous_run_id": "peak_hours-0", "differences": [before], "change_test": test}


def diagnosis(cause: str = "event_loop") -> Document:
    """diagnosis.json of a bottleneck."""
    sentence = "Event loop since 18:35:53 UTC: its event loop stood still for up to 3,032 ms, again and again."
    step = "Look for a blocking call in an async handler (py-spy dump while it stands still)."
    one = {"cause": cause, "component": "Application", "sentence": sentence, "next_step": step}
    return {"state": "bottleneck", "sentence": sentence, "next_step": step, "causes": [one]}


def ticket_run(run_id: str = "peak_hours-1", **changes: Any) -> TicketRun:
    """A scheduled run."""
    values: dict[str, Any] = {
        "profile": PROFILE,
        "target": TARGET,
        "parameters": {"profile": PROFILE, "overrides": {"users": 30, "duration_s": 600}, "target": TARGET},
        "started": "2026-11-26T18:00:00Z",
        "link": "http://127.0.0.1:8080/dags/load_test_nightly/runs/scheduled__1",
        "report_url": "https://example.github.io/assistant/peak_hours-1/",
        "bundle_uri": f"s3://results/{run_id}",
    }
    return TicketRun(run_id, **values | changes)


def at_hour(hour: int) -> str:
    """When a run of that day started."""
    return f"2026-11-26T{hour:02d}:00:00.000000Z"


def file(
    engine: Engine,
    run_id: str,
    document: Document,
    *,
    compared: Document | None = None,
    found: Document | None = None,
    rules: TicketRules = RULES,
    **changes: Any,
) -> list[str]:
    """File a run; returns the lines for the log."""
    return file_tickets(
        engine,
        ticket_run(run_id, **changes),
        verdict=document,
        metrics=None,
        comparison=compared,
        diagnosis=found,
        rules=rules,
    )


BAD = (slo("latency_p95_ms"), slo("error_rate", outcome="met"))
GOOD = (slo("latency_p95_ms", outcome="met"), slo("error_rate", outcome="met"))


def bad(engine: Engine, run_id: str, **changes: Any) -> list[str]:
    """File a run whose P95 misses its limit."""
    return file(engine, run_id, verdict(list(BAD), run_id=run_id), **changes)


def good(engine: Engine, run_id: str, **changes: Any) -> list[str]:
    """File a run that meets its limits."""
    return file(engine, run_id, verdict(list(GOOD), run_id=run_id), **changes)


@contextmanager
def history_database(folder: Path) -> Iterator[str]:
    """Address of a new history for the length of a block."""
    server = start_postgres(folder / "pg", settings={"fsync": "off"}, port=0)
    try:
        ensure_database(server, "tickets")
        upgrade(server.url("tickets"))
        yield server.url("tickets")
    finally:
        stop_postgres(server)


def emptied(url: str) -> Engine:
    """A history without tickets and deliveries."""
    from sqlalchemy import text

    from include.loadtest.history.database import transaction

    engine = connect(url)
    with transaction(engine) as connection:
        connection.execute(text("TRUNCATE loadtest.delivery, loadtest.ticket, loadtest.ticket_event"))
    return engine
