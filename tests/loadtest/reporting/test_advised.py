"""Recommendations are shown with what they rest on; the document's gains are its own."""

import pytest

from include.loadtest.reporting.advised import recommendations_section, review_changes_section
from tests.loadtest.reporting.conftest import HOSTILE

pytestmark = pytest.mark.unit
ENTRY = {
    "id": "pool_size", "text": "Increase connection pool size", "component": "Database",
    "current": "a pool of 2 connections", "recommended": "7 connections", "priority": "HIGH", "cost": "no purchase",
    "effort": "LOW", "improvement": "mean time of a request 0 to 40 % shorter", "improvement_range": None,
    "documents_assumption": None, "trigger": "2.0 of 2 in use", "cause": "database_connections",
}  # fmt: skip


def test_each_entry_is_a_row_with_its_trigger() -> None:
    """What, now, cost, effort, gain and why."""
    text = recommendations_section({"diagnosis": {"recommendations": [ENTRY]}})
    assert (
        "| 7 connections | Database | a pool of 2 connections | HIGH | no purchase | LOW "
        "| mean time of a request 0 to 40 % shorter | 2.0 of 2 in use |"
    ) in text


def test_the_documents_gain_is_marked_as_its_assumption() -> None:
    """Beside "not estimated", never as ours."""
    entry = ENTRY | {"improvement": "not estimated", "documents_assumption": "40% performance gain"}
    text = recommendations_section({"diagnosis": {"recommendations": [entry]}})
    assert "| not estimated (the document's assumption: 40% performance gain) |" in text


@pytest.mark.parametrize("report", [{}, {"diagnosis": None}, {"diagnosis": {"recommendations": []}}])
def test_nothing_recommended_is_no_section(report: dict) -> None:
    """Nor a run without a diagnosis."""
    assert recommendations_section(report) == ""


def test_a_statement_of_the_target_is_harmless() -> None:
    """It is another program's text."""
    text = recommendations_section({"diagnosis": {"recommendations": [ENTRY | {"current": HOSTILE}]}})
    assert "<script>" not in text
    assert "\x1b" not in text


def test_a_review_names_the_profile_and_what_people_review() -> None:
    """Once, in one sentence."""
    review = {"changes": [ENTRY | {"profile": "peak_hours"}], "manual_review": ["Optimize serialization", "Batching"]}
    text = review_changes_section(review)
    assert "| peak_hours | 7 connections |" in text
    assert text.endswith(
        "Left to a manual review, since no load test shows whether it helps: Optimize serialization; Batching."
    )


def test_a_review_without_changes_says_so() -> None:
    """No empty table."""
    text = review_changes_section({"changes": [], "manual_review": []})
    assert text == "## What to change\n\nNo run's diagnosis recommends a change."
