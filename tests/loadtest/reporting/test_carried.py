"""The capacity of a stepped load in a report and in a review."""

import pytest

from include.loadtest.reporting.carried import capacity_section, outlook_section, outlook_sentences

pytestmark = pytest.mark.unit
RESOURCE = {
    "resource": "host_cpu", "title": "the CPU of the target's machine", "unit": "cores", "servers": 2.0,
    "busy_at_top": 1.5, "busy_share_at_top": 0.75, "demand_ms": 30.0, "demand_low_ms": 28.0, "demand_high_ms": 32.0,
    "steps": 5, "max_rpm": 4000.0, "max_low_rpm": 3700.0, "max_high_rpm": 4300.0,
    "beyond_reach": False,
}  # fmt: skip
UNKNOWN = RESOURCE | {
    "title": "calls of the LLM in progress", "unit": "calls", "servers": None, "busy_share_at_top": None,
    "demand_ms": None, "max_rpm": None, "max_low_rpm": None, "max_high_rpm": None,
}  # fmt: skip
LIMIT = {
    "metric": "latency_p95_ms", "limit": 5000.0, "unit": "ms", "of": "the row of 50 users",
    "within_users": 50, "beyond_users": 75, "interpolated_users": 62.5,
}  # fmt: skip
FOUND = {
    "sentence": "Breaking point between 50 and 75 users: a limit is broken.",
    "maximum": {"text": "predicted: 4,000 req/min"},
    "plan": {"sentence": "With 5 % more users a month it meets the limit in 2028-02."},
    "resources": [RESOURCE, UNKNOWN],
    "limits": [LIMIT, LIMIT | {"within_users": None, "beyond_users": None, "interpolated_users": None}],
    "usl": None,
}


def test_a_report_has_the_answer_first_then_what_ends_and_each_limit() -> None:
    """Intervals in brackets; what is not known says so."""
    text = capacity_section({"diagnosis": {"capacity": FOUND}})
    assert text.startswith("## Capacity\n\nBreaking point between 50 and 75 users: a limit is broken.")
    assert (
        "| the CPU of the target's machine | 2 cores | 1.5 cores (75 %) | 30 (28 to 32) ms "
        "| 4,000 (3,700 to 4,300) req/min |"
    ) in text
    far = capacity_section({"diagnosis": {"capacity": FOUND | {"resources": [UNKNOWN | {"beyond_reach": True}]}}})
    assert "| beyond what may be said |" in far
    assert "| calls of the LLM in progress | not known | 1.5 calls | not known | not known |" in text
    assert "| the row of 50 users | 50 users | 75 users | about 62 users |" in text
    assert "| the row of 50 users | not known | not reached | – |" in text
    assert "scalability law" not in text


def test_the_scalability_law_is_shown_where_its_interval_is_known() -> None:
    """With both of its intervals."""
    peak = {"users": 70.0, "users_low": 65.0, "users_high": 76.0, "rpm": 900.0, "rpm_low": 880.0, "rpm_high": 930.0}
    text = capacity_section({"diagnosis": {"capacity": FOUND | {"usl": peak}}})
    assert "the peak at 900 req/min with 70 users (95 % 880 to 930 req/min, 65 to 76 users)." in text


@pytest.mark.parametrize("report", [{}, {"diagnosis": None}, {"diagnosis": {"capacity": None}}])
def test_other_loads_have_no_section(report: dict) -> None:
    """Steady runs, runs without a diagnosis."""
    assert capacity_section(report) == ""


def test_a_review_tells_throughput_and_growth_of_each_stepped_load() -> None:
    """One that was not analysed says nothing."""
    rows = [{"profile": "capacity", "analysis": FOUND}, {"profile": "stress_test", "analysis": None}]
    assert outlook_sentences(rows) == [
        "Highest throughput predicted: 4,000 req/min (capacity).",
        "With 5 % more users a month it meets the limit in 2028-02.",
    ]
    assert outlook_section(rows).startswith("## What ends first, and when\n\ncapacity:\n\n| what |")
    assert outlook_section(rows[1:]) == ""
