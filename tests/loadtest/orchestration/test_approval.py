"""A WARN and the person who answers for it."""

import pytest
from airflow.sdk.exceptions import AirflowFailException

from include.loadtest.orchestration.approval import MAX_REASONS, question, refuse_unapproved

pytestmark = pytest.mark.unit
BY = {"responded_by_user": {"id": "1", "name": "giulia"}, "responded_at": "2027-01-04T09:00:00Z"}


def test_an_approved_warning_is_green_and_the_log_says_who(caplog) -> None:
    """The answer is kept where the on-call person looks."""
    with caplog.at_level("INFO", logger="loadtest"):
        refuse_unapproved("WARN", {"chosen_options": ["Approve"], **BY})
    assert "approved by giulia at 2027-01-04T09:00:00Z" in caplog.text


@pytest.mark.parametrize("answer", [None, {}, {"chosen_options": ["Reject"], **BY}, {"chosen_options": [], **BY}])
def test_a_warning_without_an_approval_is_red(answer) -> None:
    """Rejected, or not answered in time: silence is no approval."""
    with pytest.raises(AirflowFailException, match="WARN, and not approved"):
        refuse_unapproved("WARN", answer)


def test_a_pass_needs_no_answer() -> None:
    """Nobody is asked about it."""
    refuse_unapproved("PASS", None)


def test_the_question_has_every_reason_and_hostile_text_stays_text() -> None:
    """A person decides by what is written there; a target's text must not become a link or a heading."""
    reasons = [{"code": "close", "text": "[click](http://127.0.0.1/) **now**"}] * (MAX_REASONS + 5)
    text = question({"reasons": reasons}, "results/smoke-1")
    assert text.count("close") == MAX_REASONS
    assert text.count("\\[click](") == text.count("[click](") == MAX_REASONS
    assert "results/smoke-1" in text
