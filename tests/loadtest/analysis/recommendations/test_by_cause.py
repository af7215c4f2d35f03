"""An entry without a condition says what its cause names."""

import pytest

from include.loadtest.analysis.recommendations.by_cause import of_cause, processes_text
from include.loadtest.analysis.recommendations.facts import Facts
from tests.loadtest.analysis.recommendations.conftest import EVIDENCE, case_of, cause

pytestmark = pytest.mark.unit


def test_a_lock_names_who_holds_it_and_who_waits() -> None:
    """All of a request's time in locks bounds nothing: not estimated."""
    found = cause("locks", statement="UPDATE a", blocking_statement="UPDATE b")
    budget = [{"layer": "locks", "ms_per_request": 1181.0, "share": 1.0}]
    detail = of_cause(case_of(found, time_budget=budget), found)
    assert detail.recommended == "it is held by UPDATE b; what waits is UPDATE a"
    assert (detail.trigger, detail.improvement.text) == ("locks it is", "not estimated")


def test_the_current_state_is_what_the_sentence_leaves_out() -> None:
    """Not its words again, and not how well a figure moved with the latency."""
    more = [EVIDENCE | {"text": "a call took 4 s"}, EVIDENCE | {"text": "74 % of their time waiting"}]
    moved = EVIDENCE | {"text": "it moved with the mean latency", "unit": "correlation"}
    found = cause("llm_slow", sentence="Slow LLM: a call took 4 s.", evidence=[*more, moved])
    assert of_cause(case_of(found), found).current == "74 % of their time waiting"
    alone = cause("llm_slow", sentence="Slow LLM: a call took 4 s.", evidence=[more[0], moved])
    assert of_cause(case_of(alone), alone).current == "a call took 4 s"


def test_processes_and_cores_are_named_where_they_were_counted() -> None:
    """One process, several, or nothing."""
    figures = {"app_processes": 1.0, "host_cores": 2.0}
    found = cause("event_loop")
    detail = of_cause(case_of(found, facts=Facts(figures=figures)), found)
    assert (detail.current, detail.recommended) == (
        "1 process on a machine of 2 cores",
        "for the call that stops the event loop",
    )
    assert processes_text(case_of(facts=Facts(figures={"app_processes": 3.0}))) == "3 processes"
    assert processes_text(case_of()) is None
    assert of_cause(case_of(found), found).current == "the decisive figure"


def test_texts_of_the_target_are_cut_and_cleaned() -> None:
    """A statement with control characters and a thousand letters ends with a mark."""
    found = cause("growing_data", statement="SELECT\x1b[31m " + "x" * 1000, sentence="It\ngrew.", evidence=[])
    detail = of_cause(case_of(found), found)
    assert "\x1b" not in detail.recommended
    assert len(detail.recommended) < 350
    assert detail.recommended.endswith("x…")
    assert (detail.trigger, detail.current) == ("It grew", "It grew")
