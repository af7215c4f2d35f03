import pytest

from include.demo_target.merging import merged

pytestmark = pytest.mark.unit

FIRST = """# HELP llm_requests_total Attempts.
# TYPE llm_requests_total counter
llm_requests_total{status="200"} 3.0
# TYPE event_loop_lag_seconds gauge
event_loop_lag_seconds 0.5
process_start_time_seconds 100.5
cache_hit_ratio 0.75
"""
SECOND = """# TYPE llm_requests_total counter
llm_requests_total{status="200"} 4.0
llm_requests_total{status="a b"} 1.0
# TYPE event_loop_lag_seconds gauge
event_loop_lag_seconds 0.25
process_start_time_seconds 99.5
cache_hit_ratio 0.5
"""


def test_counters_add_up_and_gauges_that_do_not_are_put_together_by_their_own_rule() -> None:
    """As one process would expose it: sums, the longest standstill, the oldest start, the ratio of the first page."""
    lines = merged([FIRST, SECOND]).splitlines()
    assert lines == [
        "# HELP llm_requests_total Attempts.",
        "# TYPE llm_requests_total counter",
        'llm_requests_total{status="200"} 7.0',
        "# TYPE event_loop_lag_seconds gauge",
        "event_loop_lag_seconds 0.5",
        "process_start_time_seconds 99.5",
        "cache_hit_ratio 0.75",
        'llm_requests_total{status="a b"} 1.0',
    ]


def test_one_page_stays_as_it_is() -> None:
    """Nothing is added to a single page."""
    assert merged([FIRST]) == FIRST
