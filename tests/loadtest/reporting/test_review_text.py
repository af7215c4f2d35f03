"""The review for people: the answer comes first, tables follow, and foreign text is harmless."""

import re
from typing import Any

import pytest

from include.loadtest.reporting.review import Trends
from include.loadtest.reporting.review_text import review_markdown
from tests.helpers.planted_review import full_review
from tests.helpers.reviewed_runs import hold_row, reviewed, step
from tests.helpers.reviews import p95, review_of, steps_run, trends_of
from tests.loadtest.reporting.conftest import HOSTILE

pytestmark = pytest.mark.unit


def lines_of(review: dict[str, Any]) -> list[str]:
    return review_markdown(review).splitlines()


def test_the_answer_comes_first() -> None:
    """Title, users, purchases, changes, decisions, then where it is from."""
    shown = [line for line in lines_of(review_of(reviewed("peak_hours"))) if line]
    assert shown[0] == "# Load test review: Monthly capacity review"
    asked = ["How many users.", "What to buy.", "What changed.", "What to decide."]
    assert [line.split("**")[1] for line in shown[1:5]] == asked
    assert shown[5].startswith("Suite `monthly` · `monthly-1` · target `pratikoai` · 2027-03-01 04:05:06 UTC")


def test_each_load_has_its_row() -> None:
    """Steady ones by users, stepped ones with where they broke."""
    lines = lines_of(review_of(reviewed("tax_deadline", "SLA_BREACH"), reviewed("peak_hours"), steps_run(75.0, 75)))
    steady = [line for line in lines if "| 10 min |" in line or "| tax_deadline |" in line]
    assert steady[0] == "| peak_hours | 50 | 10 min | ✅ PASS | ✅ all met | – |"
    assert steady[1].startswith("| tax_deadline | 100 |")
    assert "❌ missed" in steady[1]
    stress = next(line for line in lines if line.startswith("| stress_test |"))
    assert "| 50 users | not known | 75 users | P95 < 8,000 ms, ungraceful errors ≤ 5 % |" in stress


def test_a_recommendation_shows_its_trigger_price_and_whose_assumption() -> None:
    """The gain is the document's."""
    part = {"component": "CPU", "purchase": "now", "current": "2 cores", "recommended": "4 cores", "cost": "€50"}
    diagnosis = {"recommendations": [part]}
    rows = (hold_row("host_cpu_pct", 82.0),)
    run = reviewed("peak_hours", rows=rows, stages=(step(50, "hold"),), diagnosis=diagnosis)
    text = review_markdown(review_of(run))
    assert "| CPU | **buy** | 2 cores → 4 cores | EUR 50–100 a month | HIGH | LOW | 40% performance gain |" in text
    assert "| CPU | host_cpu_pct | 82 % in peak_hours with 50 users, trigger > 70 % | crossed |" in text
    assert "assumptions of that document, not measured and no prediction" in text
    assert "| Database | slow_queries_per_min | not measured, trigger > 10 queries/min | not measured |" in text


def test_trends_show_medians_counts_and_changes() -> None:
    """Relative for times, in points for shares, one line for a series with too few runs."""
    rate = {"last": {"median": 0.012, "n": 5}, "before": {"median": 0.002, "n": 4}, "change": 5.0, "note": None}
    moved = trends_of(p95(0.0488), {"metric": "error_rate", "unit": "ratio", "direction": "lower", **rate})
    text = review_markdown(review_of(trends=moved))
    assert "| peak_hours | 50 | 10.5 min | latency_p95_ms | 4,100 ms (4) | 4,300 ms (5) | +4.9 % |" in text
    assert "| peak_hours | 50 | 10.5 min | error_rate | 0.2 % (4) | 1.2 % (5) | +1.00 points |" in text
    few = review_markdown(review_of(trends=trends_of(p95(None))))
    assert "| peak_hours | 50 | 10.5 min | all | (4) | (5) | too few runs |" in few


def test_no_trends_are_said() -> None:
    """Without a history, and without a run in it."""
    assert "## Trends\n\nNot known: the history gave no answer" in review_markdown(review_of())
    empty = trends_of()
    assert empty.document is not None
    assert "No valid run in either window." in review_markdown(
        review_of(trends=Trends({**empty.document, "series": []}))
    )


def test_the_plan_is_shown_for_a_quarter() -> None:
    """Growth, and what is not measured; a month has none."""
    sizes = {"before": {"database_bytes": 2**20}, "after_load": {"database_bytes": 3 * 2**20}}
    text = review_markdown(review_of(reviewed("peak_hours", manifest={"sizes": sizes}), reviewed("baseline"), days=92))
    assert "| peak_hours | 1.0 MiB | 3.0 MiB | +2.0 MiB |" in text
    assert "| baseline | not measured | not measured | not measured |" in text
    assert "- disk: preflight left no forecast" in text
    assert "- slow_queries_per_min: the trigger of Database" in text
    assert "Infrastructure plan" not in review_markdown(review_of())


def test_hostile_text_is_harmless() -> None:
    """Of the suite, the history's error and the target's notes."""
    review = review_of(reviewed("peak_hours"), days=92, trends=Trends(None, HOSTILE))
    review["title"] = review["target"] = HOSTILE
    review["infrastructure_plan"]["notes"] = review["infrastructure_plan"]["not_exposed"] = [HOSTILE]
    text = re.sub("`[^`]*`", "", review_markdown(review))
    assert "alert(1)" in text
    for escaped in ("\\[x](", "\\*bold\\*"):
        assert escaped in text
        text = text.replace(escaped, "")
    for markup in ("<script", "[x](", "*bold*", "@everyone", "\x1b"):
        assert markup not in text


def test_decisions_have_their_evidence_and_options() -> None:
    """A heading each, who decides by when, lists; runs are linked where their page lies beside the suite."""
    text = review_markdown(full_review())
    assert "### How are the planned 50 to 100 users served within the limits?" in text
    assert "Decided by the person responsible for the product. By when: IVA: deadline Tue 2027-03-16." in text
    assert "- limits missed with 100 users (tax_deadline, tax_deadline-1)" in text
    assert "[tax_deadline-1](../tax_deadline-1/report.html)" in text
    assert "<script>" not in text


def test_nothing_to_decide_is_said() -> None:
    """With the history's state, where that is not known."""
    values = ("host_cpu_pct", "host_memory_pct", "postgres_connections", "slow_queries_per_min")
    rows = tuple(hold_row(name, 1.0) for name in values)
    text = review_markdown(review_of(reviewed("tax_deadline", rows=rows, stages=(step(100, "hold"),))))
    assert "## Decisions to take\n\nNothing has to be decided" in text
    assert "What is open in the history is not known" in text
