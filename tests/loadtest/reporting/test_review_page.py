"""The page of a review is one file that asks nobody, and holds foreign text as text."""

import base64
import hashlib
import re
from dataclasses import replace

import pytest

from include.loadtest.reporting.decisions import decisions_missing
from include.loadtest.reporting.review_page import review_html
from tests.helpers.planted_review import drawn_trends, full_review, nothing_open
from tests.helpers.reviewed_runs import hold_row, reviewed, step
from tests.helpers.reviews import NO_STANDING, review_of

pytestmark = pytest.mark.unit


def digest(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


def shorts(page: str) -> list[str]:
    return re.findall(r'<p class="short">(.*?)</p>', page)


def test_the_policy_allows_exactly_its_own_style_and_script() -> None:
    """The hashes are those of what stands in the page; nothing else may run or be fetched."""
    page = review_html(full_review())
    policy = re.search(r'Content-Security-Policy" content="([^"]*)"', page)
    style, script = re.search(r"<style>(.*?)</style>", page, re.S), re.search(r"<script>(.*?)</script>", page, re.S)
    assert policy is not None
    assert style is not None
    assert script is not None
    allowed = policy[1].replace("&#39;", "'")
    assert f"script-src {digest(script[1])};" in allowed
    assert f"style-src {digest(style[1])};" in allowed
    assert allowed.startswith("default-src 'none'")


def test_nothing_in_it_leads_elsewhere() -> None:
    """No address of another host, no inline handler, no inline style; reports are linked relatively."""
    page = review_html(full_review())
    assert not re.search(r'(src|href)="(https?:)?//', page)
    assert not re.search(r"<[a-z][^>]* (on[a-z]+|style)=", page)
    assert 'href="../tax_deadline-1/report.html"' in page


def test_foreign_text_is_escaped_everywhere() -> None:
    """In answers, decisions, pictures and tables."""
    page = review_html(full_review())
    assert page.count("<script>") == 1
    assert "&lt;script&gt;alert(1)" in page
    assert "\x1b" not in page


def test_the_answers_in_a_word() -> None:
    """Users with the plan, the part, the largest move, the number of decisions."""
    assert shorts(review_html(full_review())) == [
        "50 users (planned 50 to 100)", "CPU", "P95 +4.9 % (peak_hours)", "8 decisions",
    ]  # fmt: skip


def test_what_is_not_known_is_said_in_a_word() -> None:
    """No run, no history, no trigger measured."""
    assert shorts(review_html(review_of())) == [
        "Not known (planned 50 to 100)", "Nothing known to be needed", "Not known", "At least 1 decision",
    ]  # fmt: skip


def test_without_a_history_no_decision_is_not_none() -> None:
    """What is open in it may hold some; so may a silence that could not be judged."""
    values = {"host_cpu_pct": 40.0, "host_memory_pct": 50.0, "postgres_connections": 30.0, "slow_queries_per_min": 1.0}
    rows = tuple(hold_row(name, value) for name, value in values.items())
    run = reviewed("tax_deadline", rows=rows, stages=(step(100, "hold"),))
    unjudged = replace(nothing_open(), silence_missing="calendar: no free night")
    for standing in (NO_STANDING, unjudged):
        page = review_html(review_of(run, standing=standing))
        assert shorts(page)[3] == "Not known"
        assert decisions_missing(standing) in page
    assert shorts(review_html(review_of(run, standing=nothing_open())))[3] == "No decisions"


def test_nothing_to_buy_and_nothing_to_decide() -> None:
    """All triggers measured with the planned users, none crossed; nothing open, nothing near."""
    values = {"host_cpu_pct": 40.0, "host_memory_pct": 50.0, "postgres_connections": 30.0, "slow_queries_per_min": 1.0}
    rows = tuple(hold_row(name, value) for name, value in values.items())
    run = reviewed("tax_deadline", rows=rows, stages=(step(100, "hold"),))
    page = review_html(review_of(run, trends=drawn_trends(), standing=nothing_open()))
    assert shorts(page)[1::2] == ["Nothing", "No decisions"]
    assert "Nothing has to be decided: no figure of this review asks for it." in page


def test_each_chapter_of_the_markdown_is_a_section() -> None:
    """The quarterly ones too; a monthly review has neither baselines nor plan."""
    titles = re.findall(r"<h2>(.*?)</h2>", review_html(full_review()))
    assert {"Decisions to take", "Capacity", "Recommendations", "Baselines", "Infrastructure plan"} < set(titles)
    monthly = re.findall(r"<h2>(.*?)</h2>", review_html(full_review(days=31)))
    assert {"Baselines", "Infrastructure plan"}.isdisjoint(monthly)


def test_a_series_with_one_run_has_no_picture() -> None:
    """And the page says that there are too few."""
    assert "No series has two valid runs in the last 62 days." in review_html(review_of(trends=drawn_trends(runs=1)))
