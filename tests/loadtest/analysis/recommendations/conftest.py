from typing import Any

from include.loadtest.analysis.recommendations.case import Case
from include.loadtest.analysis.recommendations.facts import Facts
from include.loadtest.profile.costs import load_costs

BUDGET = [
    {"layer": "database", "ms_per_request": 300.0, "share": 0.3},
    {"layer": "cpu", "ms_per_request": 100.0, "share": 0.1},
    {"layer": "llm", "ms_per_request": 400.0, "share": 0.4},
    {"layer": "elsewhere", "ms_per_request": 200.0, "share": 0.2},
]
EVIDENCE = {
    "source": "postgres", "instance": "db", "metric": "x", "value": 1.0, "unit": "ms", "compared_with": None,
    "comparison": "limit", "from": "2026-11-20T09:00:00Z", "to": "2026-11-20T09:10:00Z", "text": "the decisive figure",
}  # fmt: skip


def cause(name: str, **parts: Any) -> dict[str, Any]:
    """A cause of a diagnosis."""
    base = {
        "cause": name, "component": "Database", "strength": "strong", "since": None, "sentence": f"{name} it is.",
        "next_step": "do", "statement": None, "blocking_statement": None, "plan": None, "evidence": [EVIDENCE],
    }  # fmt: skip
    return base | parts


def diagnosis(*causes: dict[str, Any], **parts: Any) -> dict[str, Any]:
    """A diagnosis with these causes, best first."""
    base = {
        "schema": 1, "state": "bottleneck" if causes else "no_bottleneck", "sentence": "", "next_step": "",
        "symptoms": [], "causes": list(causes), "time_budget": BUDGET, "not_measured": [], "capacity": None,
    }  # fmt: skip
    return base | parts


def hold_metrics(**values: float | None) -> dict[str, Any]:
    """metrics.json with rows of all requests of the hold."""
    rows = [
        {"metric": name, "scope": "all", "phase": "hold", "value": value, "unit": "%", "n": 100}
        for name, value in values.items()
    ]
    return {"metrics": rows}


def case_of(*causes: dict[str, Any], facts: Facts | None = None, **parts: Any) -> Case:
    """What recommendations are made from; `metrics` are values of the hold."""
    metrics = parts.pop("metrics", {})
    return Case(diagnosis(*causes, **parts), hold_metrics(**metrics), load_costs(), facts or Facts())
