"""What saturates, as people read it."""

import re
from typing import Any

import pytest

from include.loadtest.reporting.diagnosis import diagnosis_section
from tests.loadtest.reporting.conftest import HOSTILE

pytestmark = pytest.mark.unit
EVIDENCE = {
    "source": "postgres", "instance": "db", "metric": "lock_waits", "value": 3.0, "unit": "locks",
    "compared_with": 0.5, "comparison": "before 14:03:20", "from": "2026-03-01T14:03:20Z",
    "to": "2026-03-01T14:04:00Z", "text": "3 statements waited for a lock",
}  # fmt: skip


def _cause(**changes: Any) -> dict[str, Any]:
    cause = {
        "cause": "locks", "component": "Database", "strength": "strong", "since": "2026-03-01T14:03:20Z",
        "sentence": "Locks since 14:03:20: 3 statements waited.", "next_step": "End the transaction.",
        "statement": "UPDATE tariffs", "blocking_statement": "SELECT 1", "plan": None, "evidence": [EVIDENCE],
    }  # fmt: skip
    return {**cause, **changes}


def _document(**changes: Any) -> dict[str, Any]:
    document = {
        "schema": 1, "state": "bottleneck", "sentence": "Locks since 14:03:20: 3 statements waited.",
        "next_step": "End the transaction.",
        "symptoms": [{"kind": "errors", "text": "5.0 % of the requests failed", "since": None}],
        "causes": [_cause(), _cause(cause="cpu", sentence="CPU: 95 % of a core.", strength="moderate")],
        "time_budget": [{"layer": "locks", "ms_per_request": 1234.0, "share": 0.8}],
        "not_measured": ["the LLM"], "recommendations": [], "capacity": None,
    }  # fmt: skip
    return {**document, **changes}


def test_sentence_evidence_second_candidate_budget_and_gaps_are_shown() -> None:
    """In this order, with the statements and both windows of time."""
    text = diagnosis_section(_document())
    parts = [
        "## What saturates", "🔎 **Locks since 14:03:20", "Next step: End the transaction.",
        "What users see:", "5.0 % of the requests failed", "Evidence (seen directly):",
        "| 3 statements waited for a lock (postgres: `lock_waits`) | 3 locks | 0.5 locks (before 14:03:20) "
        "| 2026-03-01 14:03:20 – 14:04:00 UTC |",
        "Statement: `UPDATE tariffs`",
        "Held by: `SELECT 1`", "Second candidate: **CPU: 95 % of a core.**", "| waiting for locks | 1,234 ms | 80 % |",
        "Not measured: the LLM.",
    ]  # fmt: skip
    places = [text.index(part) for part in parts]
    assert places == sorted(places)


def test_a_run_without_a_diagnosis_has_no_section() -> None:
    """And one without a bottleneck says so in one line."""
    assert diagnosis_section(None) == ""
    calm = _document(state="no_bottleneck", sentence="No bottleneck.", causes=[], symptoms=[], next_step="")
    assert "✅ **No bottleneck.**" in diagnosis_section(calm)
    assert "Evidence" not in diagnosis_section(calm)


def test_hostile_text_is_harmless() -> None:
    """Statements, sentences, units and gaps come from the target."""
    evidence = {
        **EVIDENCE,
        "metric": HOSTILE,
        "unit": HOSTILE,
        "comparison": HOSTILE,
        "source": HOSTILE,
        "text": HOSTILE,
    }
    cause = _cause(sentence=HOSTILE, statement=HOSTILE, blocking_statement=HOSTILE, plan=HOSTILE, evidence=[evidence])
    text = diagnosis_section(
        _document(sentence=HOSTILE, next_step=HOSTILE, causes=[cause, cause], not_measured=[HOSTILE], symptoms=[
            {"kind": "errors", "text": HOSTILE, "since": HOSTILE}
        ])
    )  # fmt: skip
    outside = "".join(part for number, part in enumerate(text.split("`")) if number % 2 == 0)
    assert "<script>" not in outside
    assert not re.search(r"(?<!\\)\[x\]", outside)
    assert "@everyone" not in outside
    assert "\x1b" not in text


def test_every_figure_has_its_words() -> None:
    """Several of one counter are told apart; a correlation has no unit, and next to none is told as that."""
    several = [
        {**EVIDENCE, "text": "a connection was held for 78 ms", "value": 78.12, "unit": "ms", "compared_with": None},
        {
            **EVIDENCE,
            "text": "it moved with the latency",
            "value": 0.9027,
            "unit": "correlation",
            "compared_with": None,
        },
        {**EVIDENCE, "text": "1.3 requests waited", "value": 1.3, "unit": "requests", "compared_with": 0.0008},
    ]
    text = diagnosis_section(_document(causes=[_cause(evidence=several)]))
    assert "| a connection was held for 78 ms (postgres: `lock_waits`) | 78.12 ms | – |" in text
    assert "| it moved with the latency (postgres: `lock_waits`) | 0.90 | – |" in text
    assert "| 1.3 requests | ≈ 0 requests (before 14:03:20) |" in text


def test_more_than_the_time_of_a_request_is_explained() -> None:
    """Only where the layers together are more than that."""
    layers = [
        {"layer": "locks", "ms_per_request": 1000.0, "share": 1.0},
        {"layer": "llm", "ms_per_request": 150.0, "share": 0.15},
    ]
    assert "users who have given up" in diagnosis_section(_document(time_budget=layers))
    assert "users who have given up" not in diagnosis_section(_document(time_budget=layers[:1]))


def test_a_window_over_midnight_has_both_days() -> None:
    """And a time that is none is shown harmlessly."""
    over = {**EVIDENCE, "to": "2026-03-02T00:00:10Z"}
    text = diagnosis_section(_document(causes=[_cause(evidence=[over])]))
    assert "2026-03-01 14:03:20 UTC – 2026-03-02 00:00:10 UTC" in text
