"""Distributions of the hold by scenario: every latency in one bucket, percentiles of metrics.json."""

from itertools import pairwise
from typing import Any

import pytest

from include.loadtest.bundle import Bundle
from include.loadtest.reporting.distribution import distributions
from include.loadtest.reporting.sample_counts import count_samples
from tests.loadtest.reporting.conftest import made_sample, write_part_of

pytestmark = pytest.mark.unit


def row(metric: str, scope: str, value: float | None, n: int, **more: Any) -> dict[str, Any]:
    return {"metric": metric, "scope": scope, "phase": "hold", "value": value, "n": n, **more}


def found_for(bundle: Bundle, rows: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    counts = count_samples(bundle)
    assert counts is not None
    return {one["scenario"]: one for one in distributions(counts, rows)}


@pytest.fixture
def run_of(tmp_path) -> Bundle:
    """700 answers and 6 timeouts in the hold; failures and other phases are no part of a distribution."""
    bundle = Bundle(tmp_path / "smoke-1")
    rows = [made_sample(number / 10, 1000 + 137 * number, scenario="a") for number in range(700)]
    rows += [made_sample(number, 30_000_000, scenario="a", outcome="timeout") for number in range(6)]
    rows += [made_sample(number, 5, scenario="a", outcome="http_error") for number in range(9)]
    rows += [made_sample(number, 7, scenario="a", phase="ramp_up") for number in range(9)]
    write_part_of(bundle, [*rows, made_sample(1, 0, scenario="b")])
    return bundle


def test_each_latency_of_the_hold_lies_between_the_edges_of_one_bucket(run_of: Bundle) -> None:
    """Counts add up, edges grow by a tenth; timeouts are counted as lower bounds."""
    found = found_for(run_of, [])
    one = found["a"]
    assert (one["n"], sum(one["counts"]), one["lower_bounds"]) == (706, 706, 6)
    edges, latencies = one["edges_ms"], [1 + 0.137 * number for number in range(700)] + [30_000.0] * 6
    assert len(edges) == len(one["counts"]) + 1
    assert all(1.1 < after / before < 1.11 for before, after in pairwise(edges))
    inside = [sum(low <= latency < high for latency in latencies) for low, high in pairwise(edges)]
    assert sum(abs(own - counted) for own, counted in zip(inside, one["counts"], strict=True)) <= 2  # on an edge
    assert (found["b"]["n"], found["b"]["counts"]) == (1, [1])


def test_percentiles_are_those_of_the_metrics_with_their_n_and_bound(run_of: Bundle) -> None:
    """A value that is a lower bound says so; no value is null and no bound; a scenario that was not asked is empty."""
    rows = [
        row("latency_p50_ms", "scenario:a", 51.5, 706, lower_bound=False),
        row("latency_p99_ms", "scenario:a", 30_000.0, 706, lower_bound=True),
        row("latency_p95_ms", "scenario:b", None, 1, lower_bound=True),
        row("latency_p95_ms", "scenario:never", None, 0, lower_bound=False),
        {**row("latency_p95_ms", "scenario:a", 1.0, 9), "phase": "ramp_up"},
        row("error_rate", "scenario:a", 0.1, 700),
    ]
    found = found_for(run_of, rows)
    assert found["a"]["percentiles"] == [
        {"name": "P50", "ms": 51.5, "is_bound": False, "n": 706},
        {"name": "P99", "ms": 30_000.0, "is_bound": True, "n": 706},
    ]
    assert found["b"]["percentiles"] == [{"name": "P95", "ms": None, "is_bound": False, "n": 1}]
    assert (found["never"]["n"], found["never"]["counts"], found["never"]["edges_ms"]) == (0, [], [])


def test_a_spike_test_has_the_distributions_of_its_spike(run_of: Bundle) -> None:
    """And the percentiles of it, though it has a hold too."""
    write_part_of(run_of, [made_sample(1000 + number, 40_000, scenario="a", phase="spike") for number in range(20)])
    rows = [row("latency_p95_ms", "scenario:a", 90.0, 706)]
    spike = {**row("latency_p95_ms", "scenario:a", 40.0, 20), "phase": "spike"}
    found = found_for(run_of, [*rows, spike])
    assert (found["a"]["n"], [one["ms"] for one in found["a"]["percentiles"]]) == (20, [40.0])
    assert found_for(run_of, rows)["a"]["n"] == 706
