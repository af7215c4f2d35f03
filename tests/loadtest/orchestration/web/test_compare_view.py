"""Words about two runs' figures: better and worse only where the intervals are apart and the runs comparable."""

from typing import Any

import pytest

from include.loadtest.orchestration.web.compare_view import (
    equal_fields,
    groups,
    obstacles,
    other_differences,
    summary,
    unknown_fields,
)
from tests.helpers.trend_runs import row

pytestmark = pytest.mark.unit


def run(*rows: dict[str, Any], run_id: str = "a", verdict: str = "PASS", key: str = "k", **load: Any) -> dict[str, Any]:
    return {
        "run_id": run_id,
        "verdict": verdict,
        "comparability_key": key,
        "comparability": {"users": 10, "hardware": None, **load},
        "environment": {"row_counts": {"user": 1}, "redis": {"version": run_id}, "app_version": run_id},
        "metrics": list(rows),
    }


def word(first: dict[str, Any], second: dict[str, Any], *, comparable: bool = True) -> tuple[str, str, str]:
    ((delta,),) = [group.deltas for group in groups(run(first), run(second), comparable=comparable)]
    return delta.sign, delta.word, delta.why


@pytest.mark.parametrize(
    ("metric", "now", "then", "expected"),
    [
        ("latency_p95_ms", 150.0, 100.0, ("▲", "worse")),
        ("latency_p95_ms", 100.0, 150.0, ("▼", "better")),
        ("throughput_rpm", 150.0, 100.0, ("▲", "better")),
        ("throughput_rpm", 100.0, 150.0, ("▼", "worse")),
        ("latency_p95_ms", 104.0, 100.0, ("▲", "unclear")),
        ("latency_p95_ms", 100.0, 100.0, ("", "equal")),
        ("llm_calls", 150.0, 100.0, ("▲", "higher")),
        ("latency_p95_ms", None, 100.0, ("", "not measured")),
    ],
)
def test_words(metric: str, now: float | None, then: float | None, expected: tuple[str, str]) -> None:
    """By the metric's own direction; overlapping intervals say nothing."""
    assert word(row(metric, now), row(metric, then))[:2] == expected


def test_touching_intervals_overlap_and_missing_ones_are_unclear() -> None:
    """What is not known is not apart."""
    first = row("latency_p95_ms", 110.0) | {"ci_low": 105.0, "ci_high": 115.0}
    second = row("latency_p95_ms", 100.0) | {"ci_low": 95.0, "ci_high": 105.0}
    assert word(first, second)[1:] == ("unclear", "the intervals overlap")
    assert word(first, second | {"ci_high": None})[1:] == ("unclear", "an interval is not known")


def test_runs_that_are_not_comparable_are_never_better() -> None:
    """Only higher or lower."""
    assert word(row("latency_p95_ms", 150.0), row("latency_p95_ms", 100.0), comparable=False)[1] == "higher"


def test_differences_with_their_unit() -> None:
    """Two shares differ by percentage points; from nothing there is no relative change."""
    ((delta,),) = [
        one.deltas for one in groups(run(row("error_rate", 0.02)), run(row("error_rate", 0.0)), comparable=True)
    ]
    assert (delta.absolute, delta.percent, delta.first, delta.second) == ("+2 points", "–", "2 %", "0 %")


def test_scopes_in_order_and_their_summary() -> None:
    """All, scenarios, endpoints; a figure that one run lacks is there too."""
    first = run(*(row("latency_p95_ms", 150.0, scope) for scope in ("endpoint:a", "scenario:z", "scenario:b", "all")))
    second = run(row("latency_p95_ms", 100.0), row("error_rate", 0.1))
    found = groups(first, second, comparable=True)
    assert [group.scope for group in found] == ["all", "scenario:b", "scenario:z", "endpoint:a"]
    assert summary(found[0]) == "1 worse (latency_p95_ms), 1 not measured"


def test_what_has_to_be_equal() -> None:
    """Known and equal, unknown of both, and what differs without mattering; the versions are told elsewhere."""
    first, second = run(engine="k6"), run(run_id="b", engine="locust")
    assert equal_fields(first, second) == ["users"]
    assert unknown_fields(first, second) == ["hardware"]
    assert other_differences(first, second) == []


def test_obstacles() -> None:
    """Another key, an invalid run, the same run twice; none for two comparable valid ones."""
    assert obstacles(run(), run(run_id="b", verdict="SLA_BREACH")) == []
    assert len(obstacles(run(), run(run_id="b", key="other", verdict="ABORTED"))) == 2
    assert obstacles(run(), run()) == ["It is the same run twice."]
