"""Differences between two runs, and why there are none."""

from typing import Any

import pytest

from include.loadtest.history.comparison import compare, nearest_difference

pytestmark = pytest.mark.unit


def test_changes_are_ratios_and_null_where_unknown(metric: Any) -> None:
    """Null now, null then, zero then, only now, only then, a growth around zero; the ramp is not compared."""
    now = [
        metric("latency_p95_ms", 1200.0),
        metric("latency_p99_ms", None),
        metric("latency_p50_ms", 5.0),
        metric("error_rate", 0.1),
        metric("throughput_rpm", 0.0),
        metric("ttft_p95_ms", 5.0),
        metric("redis_memory_growth_pct_per_h", 0.4),
        metric("latency_p95_ms", 1.0, phase="ramp_up"),
    ]
    then = [
        metric("latency_p95_ms", 1000.0),
        metric("latency_p99_ms", 1.0),
        metric("latency_p50_ms", None),
        metric("error_rate", 0.0),
        metric("throughput_rpm", 100.0),
        metric("cache_hit_rate", 0.5),
        metric("redis_memory_growth_pct_per_h", 0.1),
    ]
    found = {row["metric"]: row["change"] for row in compare({"metrics": now}, then)}
    assert found == {
        "latency_p95_ms": pytest.approx(0.2),
        "latency_p99_ms": None,
        "latency_p50_ms": None,
        "error_rate": None,
        "throughput_rpm": -1.0,
        "ttft_p95_ms": None,
        "cache_hit_rate": None,
        "redis_memory_growth_pct_per_h": None,
    }


def test_scopes_are_compared_each_with_itself(metric: Any) -> None:
    """A scenario's figure never stands beside that of all."""
    scope = "scenario:simple_query"
    found = compare(
        {"metrics": [metric("error_rate", 0.2), metric("error_rate", 0.3, scope)]}, [metric("error_rate", 0.1, scope)]
    )
    assert [(row["scope"], row["previous"]) for row in found] == [("all", None), (scope, 0.1)]


def test_the_reason_for_no_comparison_is_one_sentence() -> None:
    """No earlier run; other conditions, at most five of them written out; equal conditions, but no normal run."""
    assert nearest_difference("smoke", {}, None) == ("There is no earlier run of smoke to compare with.", [])
    latest = {"run_id": "smoke-1", "verdict": "PASS", "comparability": {f"f{n}": 1 for n in range(7)}}
    text, fields = nearest_difference("smoke", {f"f{n}": 2 for n in range(7)}, latest)
    assert "smoke-1, differs: f0 is 2, was 1; " in text
    assert text.endswith("f4 is 2, was 1 (and 2 more).")
    assert len(fields) == 7
    text, fields = nearest_difference(
        "smoke", {"a": 1}, {"run_id": "smoke-1", "verdict": "SLA_BREACH", "comparability": {"a": 1}}
    )
    assert (text, fields) == ("Not compared: smoke-1, the latest run with equal conditions, ended SLA_BREACH.", [])


def test_stages_that_differ_are_told_in_seconds_and_users() -> None:
    """A person reads the line at night; the fields have it all."""
    stage = {"name": "hold", "phase": "hold", "start_s": 5.0, "end_s": 65.0, "users_from": 10, "users_to": 10}
    latest = {"run_id": "smoke-1", "verdict": "PASS", "comparability": {"stages": [stage | {"end_s": 20.0}]}}
    text, _ = nearest_difference("smoke", {"stages": [stage]}, latest)
    assert text.endswith("differs: stages is hold 60 s to 10 users, was hold 15 s to 10 users.")
