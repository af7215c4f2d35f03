"""A statement that an endpoint repeats is found, and none that others ask often."""

import random

import pytest

from include.loadtest.analysis.readings import Answers, Readings
from include.loadtest.analysis.recommendations.statements import is_of_statements, statements_of, texts_of

pytestmark = pytest.mark.unit
SPAN_US, SPANS = 5_000_000, 60


def load(calls_of: dict[str, float], anyway: float = 0.0, spans: int = SPANS):
    """Answers of two endpoints in each span, and a statement called so often for each, and so often anyway."""
    draw = random.Random(5)
    counts = {
        "search": [draw.randrange(2, 12) for _ in range(spans)],
        "chat": [draw.randrange(5, 40) for _ in range(spans)],
    }
    answers = {
        name: Answers([place * SPAN_US + 1000 + n for place, count in enumerate(own) for n in range(count)])
        for name, own in counts.items()
    }
    total, series = 0.0, [(0, 0.0)]
    for place in range(spans):
        total += anyway + sum(calls * counts[name][place] for name, calls in calls_of.items())
        series.append(((place + 1) * SPAN_US, total))
    labels = {"statement_calls": series, "statement_exec_ms": [(us, 2 * value) for us, value in series]}
    readings = Readings({("postgres", f'{name}{{queryid="7"}}'): own for name, own in labels.items()})
    return statements_of(readings, answers, {"7": "SELECT 1"}, 0, spans * SPAN_US + 1)


def test_the_endpoint_that_repeats_a_statement_is_named() -> None:
    """25 calls for each search, 1 for each chat, and a few anyway."""
    (found,) = load({"search": 25, "chat": 1}, anyway=3)
    assert found.is_repeated
    assert (found.endpoint, found.text) == ("search", "SELECT 1")
    assert found.calls == pytest.approx(25, abs=0.5)
    assert (found.low or 0) <= 25 <= (found.high or 0)


def test_a_statement_of_a_frequent_endpoint_is_not_taken_for_the_rare_ones() -> None:
    """3 calls for each chat are more than 10 for each search, and no search makes them."""
    (found,) = load({"chat": 3})
    assert found.calls_an_answer > 1
    assert not found.is_repeated


def test_what_runs_anyway_is_nobodys_request() -> None:
    """500 calls in every 5 s, whatever is asked."""
    (found,) = load({"chat": 1}, anyway=500)
    assert not found.is_repeated


def test_too_short_a_hold_tells_no_endpoint() -> None:
    """Eight times between readings for two endpoints and the rest."""
    (found,) = load({"search": 25}, spans=8)
    assert (found.endpoint, found.is_repeated) == (None, False)


def test_time_is_counted_for_one_answer() -> None:
    """2 ms a call, 1 call for each chat: 2 ms times the share of chats."""
    (found,) = load({"chat": 1})
    assert found.exec_ms_an_answer == pytest.approx(2 * found.calls_an_answer)
    assert 1 < found.exec_ms_an_answer < 2


def test_labels_and_texts() -> None:
    """Only statements' readings; texts by the id that the readings have."""
    assert is_of_statements(("postgres", 'statement_calls{queryid="-12"}'))
    assert not is_of_statements(("postgres", "statement_calls"))
    assert not is_of_statements(("app", 'statement_calls{queryid="1"}'))
    assert texts_of([{"kind": "statement", "queryid": "1", "text": "x"}, {"kind": "lock_wait", "queryid": "2"}]) == {
        "1": "x"
    }
