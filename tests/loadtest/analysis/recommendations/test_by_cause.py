"""An entry without a condition says what its cause names, and no more than its layer can save."""

import pytest

from include.loadtest.analysis.recommendations.by_cause import LAYER_OF, of_cause
from include.loadtest.analysis.recommendations.facts import Facts
from include.loadtest.causes import CAUSES
from tests.loadtest.analysis.recommendations.conftest import case_of, cause

pytestmark = pytest.mark.unit


def test_a_lock_names_who_holds_it_and_who_waits() -> None:
    """No time was measured for locks: not estimated."""
    found = cause("locks", statement="UPDATE a", blocking_statement="UPDATE b")
    detail = of_cause(case_of(found), found)
    assert detail.recommended == "the lock is held by UPDATE b, what waits is UPDATE a"
    assert (detail.trigger, detail.improvement.text) == ("the decisive figure", "not estimated")


def test_an_llm_is_shown_with_its_calls() -> None:
    """And 40 % of a request's time is the bound."""
    found = cause("llm_slow")
    facts = Facts(figures={"llm_calls": 100.0, "llm_refusals": 3.0, "llm_retries": 4.0})
    detail = of_cause(case_of(found, facts=facts), found)
    assert detail.recommended == "of 100 calls in the hold 3 refused, 4 tried again"
    assert detail.improvement.high == pytest.approx(0.4)


def test_texts_of_the_target_are_cut_and_cleaned() -> None:
    """A statement with control characters and a thousand letters."""
    found = cause("growing_data", statement="SELECT\x1b[31m " + "x" * 1000, sentence="It\ngrew.", evidence=[])
    detail = of_cause(case_of(found), found)
    assert "\x1b" not in detail.recommended
    assert len(detail.recommended) < 350
    assert detail.trigger == "It grew."


def test_layers_belong_to_causes_that_exist() -> None:
    """A renamed cause is noticed."""
    assert set(LAYER_OF) <= set(CAUSES)
