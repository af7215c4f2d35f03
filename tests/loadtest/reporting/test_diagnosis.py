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
        "5.0 % of the requests failed",
        "| postgres | `lock_waits` | 3 locks | 0.5 locks (before 14:03:20) |",
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
