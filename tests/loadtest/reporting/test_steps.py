"""Steps, breaking point and recovery of stress and spike runs, in sentences with their figures."""

import pytest

from include.loadtest.reporting.steps import (
    breaking_point_sentence,
    recovery_sentence,
    saturation_sentence,
    steps_section,
)
from tests.loadtest.reporting.conftest import ROW, SLO, manifest_of

pytestmark = pytest.mark.unit
PROFILE = manifest_of("stress_test")["profile"]
RECOVERY_SLO = SLO | {"metric": "recovery_time_s", "comparator": "<=", "limit": 120.0, "unit": "s", "phase": "recovery"}


def stage(users: int, **changed) -> dict:
    return {
        "stage": f"step_{users}", "phase": "ramp_up", "users": users, "seconds": 48.0, "n": 1234,
        "latency_p95_ms": 9200.0, "lower_bound": False, "error_rate": 0.2,
        "ungraceful_error_rate": 0.01, "throughput_rpm": 1500.0,
    } | changed  # fmt: skip


def row(metric: str, value: float | None, **changed) -> dict:
    unit = "s" if metric == "recovery_time_s" else "users"
    return ROW | {"metric": metric, "value": value, "unit": unit} | changed


def report_of(profile: str, metrics: list, stages: list) -> dict:
    return {"manifest": manifest_of(profile), "metrics": metrics, "stages": stages, "slos": [RECOVERY_SLO]}


def test_the_breaking_point_is_one_sentence_with_its_figures() -> None:
    """Users, P95 and ungraceful errors, each beside its limit."""
    metrics = [row("breaking_point_users", 125.0, looked_up_to=150)]
    sentence = breaking_point_sentence(metrics, [stage(100), stage(125)], PROFILE)
    assert sentence == "**Breaks at 125 users**: P95 9,200 ms (limit < 8,000 ms), ungraceful errors 1 % (limit <= 5 %)."


def test_a_breaking_point_that_was_not_reached_names_how_far_was_looked() -> None:
    """Null is "not reached" only where somebody looked."""
    assert breaking_point_sentence([row("breaking_point_users", None, looked_up_to=150)], [], PROFILE) == (
        "Breaking point not reached up to 150 users."
    )
    assert breaking_point_sentence([row("breaking_point_users", None)], [], PROFILE) == "Breaking point: not measured."
    assert breaking_point_sentence([], [], PROFILE) == ""


def test_steps_that_could_not_be_judged_are_no_proof() -> None:
    """Looked up to 100 of 150 users: of the others nothing is claimed."""
    sentence = breaking_point_sentence([row("breaking_point_users", None, looked_up_to=100)], [], PROFILE)
    assert sentence == "Breaking point not reached up to 100 users. Of more users too little is known."


def test_saturation_is_said() -> None:
    """From where on more users bring no more."""
    assert saturation_sentence([row("saturation_users", 75.0, looked_up_to=150)], PROFILE) == "Saturated from 75 users."
    assert "not reached up to 150 users" in saturation_sentence(
        [row("saturation_users", None, looked_up_to=150)], PROFILE
    )


def test_recovery_is_said_with_its_limit() -> None:
    """After the spike or the load; a lower bound is "not recovered"."""
    metrics = [row("recovery_time_s", 34.0, phase="recovery")]
    spike = {"kind": "spike"}
    assert recovery_sentence(metrics, [RECOVERY_SLO], spike) == (
        "Recovered 34 s after the end of the spike (limit <= 120 s)."
    )
    late = [row("recovery_time_s", 180.0, phase="recovery", lower_bound=True)]
    assert recovery_sentence(late, [RECOVERY_SLO], {"kind": "steps"}).startswith(
        "**No recovery was proved**: it took at least 180 s from the end of the load"
    )
    absent = [row("recovery_time_s", None, phase="recovery")]
    assert recovery_sentence(absent, [], spike) == "Recovery: not measured."


def test_stepped_loads_have_the_section_and_steady_ones_have_not() -> None:
    """A row a step; nothing for a steady load."""
    metrics = [row("breaking_point_users", None, looked_up_to=150), row("recovery_time_s", 12.0, phase="recovery")]
    stages = [stage(25), stage(50, latency_p95_ms=None, error_rate=None, ungraceful_error_rate=None, n=0)]
    text = steps_section(report_of("stress_test", metrics, stages))
    assert "| step_25 | ramp_up | 25 | 48 s | 1,234 | 9,200 ms | 20 % | 1 % | 1,500 req/min |" in text
    assert "| 50 | 48 s | 0 | not measured | not measured | not measured |" in text
    assert "Recovered 12 s after the end of the load" in text
    assert steps_section(report_of("spike_test", metrics, stages)).startswith("## Steps")
    assert steps_section(report_of("peak_hours", metrics, stages)) == ""
