"""A review in which there is something of everything, for the tests of its page."""

from datetime import timedelta
from typing import Any

from include.loadtest import run
from include.loadtest.reporting.decision import Standing
from include.loadtest.reporting.review import Trends
from tests.helpers.reviewed_runs import hold_row, reviewed, step
from tests.helpers.reviews import NOW, review_of
from tests.loadtest.reporting.conftest import HOSTILE

KEY = "0123456789abcdef"
BUY = {
    "id": "scale_cpu", "component": "CPU", "purchase": "now", "current": "2 cores", "recommended": "4 cores",
    "cost": "EUR 50-100 a month", "documents_assumption": "40%",
}  # fmt: skip
CHANGE = {
    "id": "pool", "component": "Database", "current": "20 connections", "recommended": "40 connections",
    "priority": "HIGH", "cost": "none", "effort": "LOW", "improvement": "P95 -12 %", "trigger": HOSTILE,
}  # fmt: skip
UNSTATED = {
    "sentence": "50 users now: the growth is not stated, so when it meets the limit is not known.",
    "growth_pct_a_month": None, "limit_users": {}, "loads": {},
}  # fmt: skip
CAPACITY = {
    "sentence": "It breaks at 125 users.", "maximum": {"text": "1,900 req/min at 100 users"}, "plan": UNSTATED,
    "resources": [], "limits": [], "usl": None,
}  # fmt: skip


def open_things(**changes: Any) -> Standing:
    """A regression that nobody accepted, a proposed and a pinned baseline, a ticket."""
    at = run.utc_text(NOW - timedelta(days=5))
    who = {"comparability_key": KEY, "profile": "peak_hours", "runs": 8, "at": at, "reason": HOSTILE}
    document = {
        "target": "pratikoai",
        "at": run.utc_text(NOW),
        "regressions": [{"run_id": "normal_day-7", "profile": "normal_day", "users": 30, "started": at}],
        "baselines": [
            {"id": 7, "status": "proposed", "by": "quarterly review", **who},
            {"id": 3, "status": "pinned", "by": HOSTILE, **who},
        ],
        "tickets": [
            {"profile": "peak_hours", "scope": "all", "metric": "latency_p95_ms", "number": 12, "repository": "own/er",
             "opened_at": at, "last_bad_run_id": "peak_hours-7"},
        ],
        **changes,
    }  # fmt: skip
    return Standing(document, next_deadline="IVA: deadline Tue 2027-03-16")


def nothing_open() -> Standing:
    """A history in which nothing waits for anybody."""
    return open_things(regressions=[], baselines=[], tickets=[])


def drawn_trends(runs: int = 8) -> Trends:
    """Two series with a run a week over two windows, the second of a hostile name."""
    window = {"before": _window(62, 31), "last": _window(31, 0)}
    series = [_series(name, 50) for name in ("peak_hours", HOSTILE)]
    points = [_points(name, metric, runs) for name in ("peak_hours", HOSTILE) for metric in ("latency_p95_ms",)]
    return Trends({"target": "pratikoai", "days": 31, **window, "series": series}, points=points)


def _window(first_day: int, last_day: int) -> dict[str, str]:
    return {name: run.utc_text(NOW - timedelta(days=days)) for name, days in (("from", first_day), ("to", last_day))}


def _series(profile: str, users: int) -> dict[str, Any]:
    moved = {"last": {"median": 4300.0, "n": 5}, "before": {"median": 4100.0, "n": 4}, "change": 4300 / 4100 - 1}
    metric = {"metric": "latency_p95_ms", "unit": "ms", "direction": "lower", "note": None, **moved}
    load = {"users": users, "engine": "locust", "load_s": 630.0}
    return {"profile": profile, "comparability_key": KEY, **load, "metrics": [metric]}


def _points(profile: str, metric: str, runs: int) -> dict[str, Any]:
    verdicts = ("PASS", "WARN", "REGRESSION", "SLA_BREACH")
    points = [
        {"run_id": f"peak_hours-{number}", "at": run.utc_text(NOW - timedelta(days=7 * (runs - number))),
         "verdict": verdicts[number % 4], "value": 4000.0 + 60 * number}
        for number in range(runs)
    ]  # fmt: skip
    return {"profile": profile, "comparability_key": KEY, "users": 50, "metric": metric, "unit": "ms", "points": points}


def full_review(days: int = 92, target: str = "pratikoai") -> dict[str, Any]:
    """Limits missed and near, a purchase, a change, a regression, steps without a stated growth, open things."""
    steps = (step(25), step(75), step(125, "hold"))
    return review_of(
        reviewed("peak_hours", "WARN", rows=(hold_row("host_cpu_pct", 82.0),), stages=(step(50, "hold"),),
                 outcomes={"latency_p95_ms": "near"}, diagnosis={"recommendations": [BUY, CHANGE]}),
        reviewed("tax_deadline", "SLA_BREACH", outcomes={"latency_p95_ms": "missed"}),
        reviewed("normal_day", "REGRESSION", codes=("regression",)),
        reviewed("baseline", "INCONCLUSIVE", outcomes={"cache_hit_rate": "not_judged"}),
        reviewed("stress_test", rows=(hold_row("breaking_point_users", 125.0, looked_up_to=125),), stages=steps,
                 diagnosis={"capacity": CAPACITY}),
        days=days, target=target, trends=drawn_trends(), standing=open_things(),
    )  # fmt: skip
