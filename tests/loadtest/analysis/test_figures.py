"""A run as the change test sees it, from rows of metrics.json."""

import math
from typing import Any

import pytest

from include.loadtest.analysis.figures import run_figures, series_run

pytestmark = pytest.mark.unit


def _row(metric: str, value: float | None, scope: str = "endpoint:chat", **more: Any) -> dict[str, Any]:
    return {"metric": metric, "scope": scope, "phase": "hold", "value": value, "ci_low": None, "ci_high": None} | more


def test_percentiles_of_endpoints_in_the_hold_count() -> None:
    """Other scopes, other phases, other metrics, and figures that are null or 0 are left out."""
    rows = [
        _row("latency_p50_ms", 100.0, ci_low=90.0, ci_high=110.0),
        _row("latency_p50_ms", 1.0, "all"),
        _row("latency_p50_ms", 1.0, "scenario:chat"),
        _row("latency_p50_ms", 1.0, "endpoint:ramp", phase="ramp_up"),
        _row("latency_p90_ms", None, ci_low=90.0, ci_high=110.0),
        _row("latency_p95_ms", 1.0, ci_low=0.0, ci_high=2.0),
        _row("error_rate", 0.5),
    ]
    run = run_figures("r", rows)
    assert list(run.points) == ["endpoint:chat"]
    assert list(run.points["endpoint:chat"]) == ["latency_p50_ms"]
    point = run.points["endpoint:chat"]["latency_p50_ms"]
    assert point.log == math.log(100)
    assert point.error == pytest.approx(math.log(110 / 90) / 3.92, rel=1e-3)


def test_a_percentile_with_too_few_requests_beyond_it_is_left_out() -> None:
    """Its interval is open: a P99 of 200 requests says too little to be compared from run to run."""
    for low, high in ((90.0, None), (None, 120.0)):
        assert run_figures("r", [_row("latency_p99_ms", 100.0, ci_low=low, ci_high=high)]).points == {}


def test_what_was_not_measured_is_none() -> None:
    """CPU time, probe and stall of scope all; null stays null."""
    run = run_figures("r", [_row("longest_stall_s", 1.5, "all"), _row("cpu_probe_ms", None, "all")])
    assert (run.stall_s, run.cpu_probe_ms, run.target_cpu_ms_per_request) == (1.5, None, None)


def test_a_series_has_one_value_a_run() -> None:
    """Its logarithm, without an error of its own."""
    run = series_run("s:3", 50.0, higher_is_better=True)
    assert run.points["all"]["value"].log == math.log(50)
    assert run.points["all"]["value"].error == 0
    assert run.higher_is_better
