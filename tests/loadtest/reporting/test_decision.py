"""A decision lists its first figures and counts the others."""

import pytest

from include.loadtest.reporting.decision import MOST_EVIDENCE, Decision, listed

pytestmark = pytest.mark.unit


def test_much_evidence_is_counted() -> None:
    """The rest stands in the tables."""
    texts = [f"figure {number}" for number in range(20)]
    assert listed(texts) == (*texts[:MOST_EVIDENCE], "and 12 more")
    assert listed(texts[:MOST_EVIDENCE]) == tuple(texts[:MOST_EVIDENCE])


def test_its_document_holds_lists() -> None:
    """As JSON has them; no date is null."""
    made = Decision("id", "What?", ("a figure",), "somebody", None, ("Do it.", "Do nothing: so be it."))
    assert made.document() == {
        "id": "id", "question": "What?", "evidence": ["a figure"], "who": "somebody", "by": None,
        "options": ["Do it.", "Do nothing: so be it."],
    }  # fmt: skip
