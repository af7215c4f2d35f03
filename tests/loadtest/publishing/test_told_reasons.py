"""What a message says of a verdict's reasons: what decided it first, and nothing twice."""

import pytest

from include.loadtest.publishing.told_reasons import deciding_reason, told_reasons
from include.loadtest.verdict import Reason
from tests.helpers.slack_messages import MET, document, slo

pytestmark = pytest.mark.unit
NOTE = Reason("too_few_runs", "3 of 8 runs are there")


def test_a_note_decides_nothing() -> None:
    """Of a code that this program does not know, it may be that it does."""
    assert deciding_reason(document(MET, NOTE)) is None
    assert deciding_reason({}) is None
    breach = document([slo("error_rate", "missed", 0.02, 0.01)], NOTE)
    assert str(deciding_reason(breach)).startswith("slo_missed: error_rate of all")
    assert deciding_reason({"reasons": [{"code": "new_one", "text": "x"}]}) == "new_one: x"


def test_what_the_change_test_says_is_told_once() -> None:
    """Only a note, and only where the line has it."""
    verdict = document(MET, NOTE)
    assert told_reasons(verdict, "not enough: 3 of 8 runs are there (against the latest comparable runs)") == []
    assert [one["code"] for one in told_reasons(verdict, None)] == ["too_few_runs"]
    breach = document([slo("error_rate", "missed", 0.02, 0.01)])
    assert len(told_reasons(breach, breach["reasons"][0]["text"])) == 1
