"""Percentiles of concatenated rows, by a rule of their own."""

import pytest

from experiments.bench.workers import _concatenated

pytestmark = pytest.mark.unit


def test_percentiles_are_of_all_workers_rows_of_the_hold() -> None:
    """The smallest value with at least that share of the rows at or below it; errors are no latencies."""
    rows = [(f"w{at % 2}", "hold", "ok", at * 1000) for at in range(1, 201)]
    rows += [("w0", "ramp_up", "ok", 10**9), ("w1", "hold", "http_error", 10**9)]
    expected = {"latency_p50_ms": 100.0, "latency_p95_ms": 190.0, "latency_p99_ms": 198.0}
    assert _concatenated(rows) == expected
