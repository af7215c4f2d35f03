"""Reviews of made-up runs and trends."""

import json
from datetime import UTC, datetime
from typing import Any

from include.loadtest.profile.costs import load_costs
from include.loadtest.reporting.decision import Standing
from include.loadtest.reporting.review import ReviewHead, Trends, review_document
from include.loadtest.reporting.reviewed_run import ReviewedRun
from tests.helpers.reviewed_runs import hold_row, reviewed, step

NOW = datetime(2027, 3, 1, 4, 5, 6, tzinfo=UTC)
NO_TRENDS = Trends(None, "the history gave no answer")


NO_STANDING = Standing(None, "the history gave no answer")


def review_of(
    *runs: ReviewedRun,
    days: int = 31,
    target: str = "pratikoai",
    trends: Trends = NO_TRENDS,
    standing: Standing = NO_STANDING,
) -> dict[str, Any]:
    """A review document, which JSON can hold."""
    head = ReviewHead("monthly-1", "monthly", "Monthly capacity review", target, days, NOW, "/results/monthly-1")
    made = review_document(head, runs, load_costs(), trends, {}, standing=standing)
    json.dumps(made, allow_nan=False)
    return made


def trends_of(*metrics: dict[str, Any]) -> Trends:
    """Trends of one series with these metrics."""
    window = {"from": "2027-01-29T04:05:06.000000Z", "to": "2027-03-01T04:05:06.000000Z"}
    series = {"profile": "peak_hours", "users": 50, "engine": "locust", "load_s": 630.0, "metrics": list(metrics)}
    return Trends({"target": "pratikoai", "days": 31, "last": window, "before": window, "series": [series]})


def p95(change: float | None) -> dict[str, Any]:
    """The P95 in both windows; None: of too few runs."""
    moved = {"last": {"median": 4300.0, "n": 5}, "before": {"median": 4100.0, "n": 4}, "change": change}
    note = None if change is not None else "too few runs"
    return {"metric": "latency_p95_ms", "unit": "ms", "direction": "lower", "note": note, **moved}


def steps_run(broken: float | None, looked_up_to: int | None) -> ReviewedRun:
    """A stress test of three steps."""
    rows = (hold_row("breaking_point_users", broken, looked_up_to=looked_up_to),)
    return reviewed("stress_test", rows=rows, stages=(step(25), step(50), step(75, "hold")))
