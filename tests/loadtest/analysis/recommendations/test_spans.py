"""Growth between readings, and intervals that keep together what happened together."""

import random

import pytest

from include.loadtest.analysis.recommendations.spans import growths, interval

pytestmark = pytest.mark.unit
SECOND_US = 1_000_000


def test_counters_are_read_at_the_moments_that_all_have() -> None:
    """The moment that the second lacks is left out for both, and so is the time in which one fell."""
    first = [(0, 1.0), (5 * SECOND_US, 3.0), (10 * SECOND_US, 6.0), (15 * SECOND_US, 1.0)]
    second = [(0, 0.0), (10 * SECOND_US, 4.0), (15 * SECOND_US, 5.0)]
    assert growths([first, second]) == [(10.0, 5.0, 4.0)]
    assert growths([]) == []


def test_the_interval_of_a_mean_holds_it() -> None:
    """100 times between readings around 10, with a spread of 1: the mean is known to about 0.2."""
    draw = random.Random(1)
    rows = [(5.0, draw.gauss(10, 1)) for _ in range(100)]
    low, high = interval(rows, lambda own: sum(row[1] for row in own) / len(own)) or (0, 0)
    assert 9.5 < low < 10.1 < high < 10.5
    assert 0.2 < high - low < 0.7


def test_few_rows_or_an_unknown_figure_have_no_interval() -> None:
    """Five times between readings; a figure that some draws do not have."""
    assert interval([(5.0, 1.0)] * 5, lambda _: 1.0) is None
    assert interval([(5.0, 1.0)] * 50, lambda _: None) is None
