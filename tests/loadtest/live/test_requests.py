"""Figures of the requests that ended in the window are those that metrics.json would have of them."""

import random

import pytest

from include.loadtest.live.requests import RequestGroup, Requests, bounds_s, class_ms
from include.loadtest.profile.thresholds import load_thresholds

pytestmark = pytest.mark.unit
NOW = 1_000_000.0


def group(second: int, latency_ms: float, outcome: str = "ok", requests: int = 1) -> RequestGroup:
    latency_us = round(1000 * latency_ms)
    return RequestGroup(second, "simple_query", outcome, class_ms(latency_us), requests, latency_us * requests)


def made(*groups: RequestGroup) -> Requests:
    requests = Requests(bounds_s(load_thresholds().thresholds), 60)
    requests.note(groups)
    return requests


def test_a_latencys_class_is_on_its_side_of_a_limit() -> None:
    """At most 1 % above the latency, whatever it is; a limit of three digits is never crossed by rounding."""
    draws = random.Random(7)
    for _ in range(2000):
        latency_us = int(10 ** draws.uniform(1, 8))
        assert latency_us / 1000 <= class_ms(latency_us) <= max(1.01 * latency_us / 1000 + 1, 1)
        assert (class_ms(latency_us) > 5000) == (latency_us > 5_000_000)


@pytest.mark.parametrize(("slow", "p95_ms"), [(5, 100.0), (6, 6000.0)])
def test_the_p95_is_the_smallest_value_with_that_share_at_or_below(slow: int, p95_ms: float) -> None:
    """Of 100 requests the 95th."""
    requests = made(group(999_990, 100, requests=100 - slow), group(999_990, 6000, requests=slow))
    assert requests.figures(NOW)["latency_p95_ms"] == p95_ms


def test_errors_are_a_share_of_all_that_were_not_cut_and_are_no_latencies() -> None:
    """A request that was cut counts as a latency it has at least, and as no error."""
    requests = made(
        group(999_990, 100, requests=97),
        group(999_990, 10, "http_error", requests=2),
        group(999_990, 60_000, "timeout"),
        group(999_990, 60_000, "censored", requests=50),
    )
    figures = requests.figures(NOW)
    assert figures["error_rate"] == pytest.approx(3 / 100)
    assert figures["latency_p95_ms"] == 60_000


def test_too_few_requests_have_no_figures() -> None:
    """Nineteen say nothing, and nothing is no zero."""
    assert made(group(999_990, 9000, "http_error", requests=19)).figures(NOW) == {}
    assert made(group(999_990, 9000, requests=20)).figures(NOW) == {"error_rate": 0.0, "latency_p95_ms": 9000.0}


def test_what_left_the_window_stays_in_the_totals_only() -> None:
    """The window is of the last 60 s by the end of a request; memory holds no more of the rest than its sums."""
    requests = made(group(999_930, 9000, requests=500), group(999_945, 100, requests=60))
    requests.forget_before(NOW)
    assert requests.figures(NOW)["latency_p95_ms"] == 100
    assert requests.rate_per_s(NOW) == 1.0
    assert requests.totals["simple_query", "ok"] == 560
    assert len(requests._seconds) == 1


def test_the_histogram_splits_at_each_limit_of_a_latency() -> None:
    """Requests at the limit lie below it, slower ones above; errors without a latency in no bucket."""
    requests = made(
        group(999_990, 5000), group(999_990, 5000.001), group(999_990, 90_000, "timeout"), group(999_990, 1, "rejected")
    )
    durations = requests.durations["simple_query"]
    at = requests.bounds_s.index(5.0)
    assert (durations.counts[at], durations.counts[at + 1], durations.counts[-1]) == (1, 1, 1)
    assert sum(durations.counts) == 3
    assert durations.sum_s == pytest.approx(100.000001)
