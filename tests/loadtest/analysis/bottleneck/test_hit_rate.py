"""How much the cache finds."""

import pytest

from include.loadtest.analysis.bottleneck import hit_rate
from include.loadtest.analysis.bottleneck.model import Span
from tests.helpers.made_cases import LOAD, START_S, Value, after, counted, made_case

pytestmark = pytest.mark.unit
HITS, MISSES = ("redis", "keyspace_hits"), ("redis", "keyspace_misses")
FALLING: dict[tuple[str, str], Value] = {HITS: counted(after(30, 5.0, 8.5)), MISSES: counted(after(30, 5.0, 1.5))}


def test_few_lookups_give_no_rate() -> None:
    """And few more give one whose upper end lies far above it."""
    assert hit_rate.hit_rate(made_case(), Span(START_S, START_S + 1)) is None
    found = hit_rate.hit_rate(made_case(), LOAD)
    assert found is not None
    assert found.value == pytest.approx(0.85)
    assert hit_rate.HitRate(0.5, 20).most == pytest.approx(0.70, abs=0.01)


def test_a_rate_that_fell_since_an_event_is_told_against_the_one_before() -> None:
    """An unchanged one is no fall, and known on both sides."""
    event = Span(START_S + 29.5, START_S + 34.5)
    found = hit_rate.fallen(made_case(FALLING), event)
    assert found is not None
    assert (found.compared_with, found.comparison) == (pytest.approx(0.85), "before that")
    assert hit_rate.fallen(made_case(), event) is None
    assert hit_rate.knows_both(made_case(), event)
    assert not hit_rate.knows_both(made_case(), Span(START_S + 1, START_S + 2))


def test_an_earlier_run_tells_a_rate_that_is_good_enough_but_lower() -> None:
    """Above what is expected, and far below what it was."""
    figures: dict[tuple[str, str], Value] = {HITS: counted(7.6), MISSES: counted(2.4)}
    assert hit_rate.low_rate(made_case(figures)) is None
    found = hit_rate.low_rate(made_case(figures, reference={"cache_hit_rate": 0.95}))
    assert found is not None
    assert found.comparison == "last comparable run"
