"""The run's own requests: how many wait at a time, and which of them ask the LLM."""

import pytest

from include.loadtest.analysis.bottleneck.model import Span
from include.loadtest.analysis.bottleneck.requests import Requests
from tests.helpers.made_cases import requests_of

pytestmark = pytest.mark.unit


def _requests(*rows: tuple[float, float], endpoint: str = "a", streamed: bool = False) -> Requests:
    return requests_of([(start, taken, "tax_calculation", endpoint, "ok", 200, streamed) for start, taken in rows])


def test_requests_in_flight_are_their_waiting_by_the_time() -> None:
    """Only what lies within the span counts: 2 s of one and 4 s of another in 10 s."""
    own = _requests((0, 2), (8, 6))
    assert own.in_flight(Span(0, 10)) == pytest.approx(0.4)
    assert own.ended(Span(0, 10)) == 1


def test_the_excess_over_a_level_is_exact() -> None:
    """Three requests at once for 2 s of 10 s: one more than two."""
    own = _requests((0, 2), (0, 2), (0, 5))
    assert own.above(2, Span(0, 10)) == pytest.approx((0.2, 0.2))
    assert own.above(3, Span(0, 10)) == (0.0, 0.0)
    assert (own.most_at_once(Span(0, 10)), own.most_at_once(Span(3, 10)), own.most_at_once(Span(6, 10))) == (3, 1, 0)


def test_a_thinned_run_stands_for_all_its_requests() -> None:
    """Each row counts as often as it stands for."""
    rows = [(0.0, 5.0, "simple_query", "chat", "ok", 200, True)]
    assert requests_of(rows, each=4).in_flight(Span(0, 10)) == pytest.approx(2.0)


def test_endpoints_that_stream_ask_the_llm() -> None:
    """All their requests, also those without an answer; without any stream the scenarios that ask questions do."""
    rows = [
        (0.0, 1.0, "simple_query", "chat", "ok", 200, True),
        (1.0, 1.0, "simple_query", "chat", "timeout", 0, False),
        (2.0, 1.0, "complex_query", "form", "ok", 200, False),
    ]
    assert requests_of(rows).asks_llm.tolist() == [True, True, False]
    assert requests_of([(*row[:6], False) for row in rows]).asks_llm.tolist() == [True, True, True]


def test_a_run_without_requests_has_no_figures() -> None:
    """Nothing is divided by nothing."""
    own = requests_of([])
    assert (own.share_failed(), own.mean_ms(), own.in_flight(Span(0, 10)), own.endpoints) == (0.0, 0.0, 0.0, [])
