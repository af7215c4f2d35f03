"""The quarter's plan: growth where it was read, the forecast where there is one, and what it cannot rest on."""

import pytest

from include.loadtest.reporting.infrastructure import infrastructure_plan
from tests.helpers.reviewed_runs import reviewed

pytestmark = pytest.mark.unit
GROWTH = {
    "database_bytes": 700,
    "disks": [{"path": "/results", "purpose": "the bundle", "needed_bytes": 900, "free_bytes": 10_000}],
    "notes": ["disk: the target's database is on another machine, so its disk is not checked"],
}


def test_growth_is_the_difference_that_was_read() -> None:
    """Null where one end was not."""
    sizes = {"before": {"database_bytes": 100}, "after_load": {"database_bytes": 350}}
    read, unread = reviewed("peak_hours", manifest={"sizes": sizes}), reviewed("baseline")
    assert infrastructure_plan([read, unread], {}, [])["data"] == [
        {
            "run_id": "peak_hours-1",
            "profile": "peak_hours",
            "before_bytes": 100,
            "after_load_bytes": 350,
            "grown_bytes": 250,
        },
        {
            "run_id": "baseline-1",
            "profile": "baseline",
            "before_bytes": None,
            "after_load_bytes": None,
            "grown_bytes": None,
        },
    ]


def test_the_forecast_is_that_of_preflight() -> None:
    """And its absence is a note, not an empty disk."""
    plan = infrastructure_plan([], {"growth": GROWTH}, [])
    assert (plan["disks"], plan["notes"], plan["expected_database_bytes"]) == (GROWTH["disks"], GROWTH["notes"], 700)
    nothing = infrastructure_plan([], {}, [])
    assert (nothing["disks"], nothing["notes"]) == ([], ["disk: preflight left no forecast"])


def test_what_is_not_exposed_or_not_measured_is_listed() -> None:
    """Requirements without a way to measure them, limits without a judgement, triggers without a source, lost runs."""
    silent = reviewed("peak_hours", "WARN", outcomes={"redis_memory_bytes": "not_judged"})
    exposed = reviewed("smoke", "WARN", codes=("slo_near",))
    exposed.entry.verdict["reasons"].append({"code": "not_exposed", "text": "no audit query"})  # type: ignore[index]
    advice = [{"component": "Database", "triggers": [{"metric": "slow_queries_per_min", "state": "not_measured"}]}]
    plan = infrastructure_plan([silent, exposed, reviewed("baseline", None)], {}, advice)
    assert plan["not_exposed"] == ["smoke: no audit query"]
    assert plan["not_measured"] == [
        "peak_hours: redis_memory_bytes, limit not judged",
        "baseline: ended without a verdict",
        "slow_queries_per_min: the trigger of Database",
    ]
