"""The LLM: late, refusing, or not measured."""

import pytest

from include.loadtest.analysis.bottleneck import llm
from include.loadtest.analysis.bottleneck.case import Silence
from include.loadtest.analysis.bottleneck.model import Span
from tests.helpers.made_cases import START_S, Value, after, counted, made_case, made_requests

pytestmark = pytest.mark.unit
WAIT = ("llm", "llm_wait_seconds_sum")
LATE_ANSWERS = made_requests(lambda at_s, _, ms: ms + (2500 if ms > 500 and at_s >= 30 else 0))


def test_calls_that_got_slower_are_named_with_since_when() -> None:
    """Against what they took before, by the LLM's own figures."""
    (found,) = llm.slow(made_case({WAIT: counted(after(30, 5.0, 1.0))}, requests=LATE_ANSWERS))
    assert (found.cause, found.strength, found.plain) == ("llm_slow", "strong", True)
    assert found.since_s == pytest.approx(START_S + 30, abs=6)
    assert "(before:" in found.facts


def test_calls_that_leave_the_limits_no_room_are_slow_from_the_beginning() -> None:
    """More than half of the limit on such a request; or more than in the last comparable run."""
    (found,) = llm.slow(made_case({WAIT: counted(4.0)}))
    assert (found.since_s, found.plain) == (None, True)
    (worse,) = llm.slow(made_case({WAIT: counted(1.6)}, reference={"llm_wait_mean_ms": 500.0}))
    assert "last comparable run" in worse.facts


def test_more_calls_of_a_usual_length_are_no_slow_llm() -> None:
    """What a cache's misses bring about."""
    figures: dict[tuple[str, str], Value] = {
        WAIT: counted(after(30, 5.0, 1.0)),
        ("llm", "llm_wait_seconds_count"): counted(after(30, 7.5, 1.5)),
    }
    assert llm.slow(made_case(figures, requests=made_requests(new_share=0.6))) == []
    assert llm.slow(made_case()) == []


def test_an_llm_that_nobody_measures_is_told_by_its_new_answers() -> None:
    """Kept answers and other requests stay quick: moderately sure. Where they are slow too, nothing is said."""
    (found,) = llm.slow(made_case(without=["llm"], requests=LATE_ANSWERS))
    assert (found.cause, found.strength) == ("llm_slow", "moderate")
    assert found.weight == pytest.approx(0.79, abs=0.03)  # of the chat's time, what came on top of 0.65 s an answer
    everything = made_requests(lambda _, __, ms: ms + 2500)
    assert llm.slow(made_case(without=["llm"], requests=everything)) == []
    assert llm.slow(made_case(without=["llm"])) == []


def test_a_call_that_takes_longer_for_the_application_than_for_the_llm_is_slow_on_its_way() -> None:
    """The application's own figures count then; where both agree the LLM's do."""
    figures: dict[tuple[str, str], Value] = {
        ("app", "llm_wait_seconds_sum"): counted(after(30, 5.0, 1.1)),
        ("app", "llm_wait_seconds_count"): counted(1.5),
    }
    (found,) = llm.slow(made_case(figures, requests=LATE_ANSWERS))
    assert found.evidence[0].source == "app"
    figures["app", "llm_wait_seconds_sum"] = counted(1.1)
    assert llm.slow(made_case(figures)) == []


def test_an_llm_that_answers_the_monitoring_no_more_is_slow() -> None:
    """While the servers answered; its page's permissions say nothing."""
    span = Span(START_S + 20, START_S + 50)
    (found,) = llm.slow(made_case(silences=[Silence("llm", span, "/metrics: no answer within 4 s")]))
    assert (found.strength, found.since_s) == ("moderate", START_S + 20)
    assert llm.slow(made_case(silences=[Silence("llm", span, "/metrics: status 403")])) == []
    assert llm.slow(made_case(silences=[Silence("llm", span, "/metrics: Connection refused")])) == []


def test_refused_calls_are_named_with_their_share() -> None:
    """Since when; one refusal is none."""
    (found,) = llm.errors(made_case({("llm", "llm_refusals"): counted(after(20, 0.5))}))
    assert "20 of 90 calls of the LLM were refused (429)" in found.facts
    assert found.since_s == pytest.approx(START_S + 20, abs=5)
    assert "failed" in llm.errors(made_case({("llm", "llm_errors"): counted(0.5)}))[0].facts
    assert llm.errors(made_case({("llm", "llm_refusals"): after(30, 1.0)})) == []


def test_an_open_circuit_breaker_is_told() -> None:
    """Where the calls themselves are not counted."""
    (found,) = llm.errors(made_case({("app", "circuit_breaker_open"): 1.0}, without=["llm"]))
    assert found.strength == "moderate"


def test_error_sentences_of_the_chat_alone_point_at_an_uncounted_llm() -> None:
    """Other requests succeed; where they fail as well, or the LLM counts no errors, it is not the LLM."""
    chat = made_requests(outcome=lambda at_s, name: "wrong_answer" if name == "chat_simple" and at_s > 30 else "ok")
    assert [one.strength for one in llm.errors(made_case(without=["llm"], requests=chat))] == ["moderate"]
    assert llm.errors(made_case(requests=chat)) == []
    both = made_requests(outcome=lambda at_s, _: "wrong_answer" if at_s > 30 else "ok")
    assert llm.errors(made_case(without=["llm"], requests=both)) == []
