"""Ranks and intervals against their definitions."""

from fractions import Fraction

import pytest
from scipy.stats import binom, binomtest, poisson

from include.loadtest.metrics.statistics import (
    percentile_interval_ranks,
    percentile_low_rank,
    poisson_interval,
    rank_of,
    scaled_rank,
    wilson_interval,
)

pytestmark = pytest.mark.unit


@pytest.mark.parametrize("share", ["0.50", "0.95", "0.99"])
def test_a_rank_is_the_first_with_enough_rows_at_or_below_it(share: str) -> None:
    """For each n up to 3000 the rank is the least k with k/n >= share, in exact fractions."""
    exact = Fraction(share)
    for n in range(1, 3001):
        rank = rank_of(float(share), n)
        assert Fraction(rank, n) >= exact
        assert rank == 1 or Fraction(rank - 1, n) < exact


@pytest.mark.parametrize("share", [0.5, 0.95, 0.99])
@pytest.mark.parametrize("n", [1, 5, 20, 59, 73, 100, 299, 368, 1000, 12345])
def test_interval_ranks_are_the_narrowest_that_keep_the_confidence(share: float, n: int) -> None:
    """Each end leaves out at most 2.5 %, and one place further in would leave out more."""
    low, high = percentile_interval_ranks(share, n)
    if low is not None:
        assert binom.cdf(low - 1, n, share) <= 0.025 < binom.cdf(low, n, share)
    else:
        assert binom.cdf(0, n, share) > 0.025
    if high is not None:
        assert binom.sf(high - 1, n, share) <= 0.025 < binom.sf(high - 2, n, share)
    else:
        assert binom.sf(n - 1, n, share) > 0.025


def test_the_one_sided_bound_is_the_highest_place_that_holds() -> None:
    """It leaves out at most 5 %; two of three rows cannot bound a P95 from below better than the first does a P50."""
    for n in (2, 10, 59, 1000):
        rank = percentile_low_rank(0.95, n)
        if rank is None:
            assert binom.cdf(0, n, 0.95) > 0.05
        else:
            assert binom.cdf(rank - 1, n, 0.95) <= 0.05 < binom.cdf(rank, n, 0.95)
    assert percentile_low_rank(0.5, 4) is None
    assert percentile_low_rank(0.5, 5) == 1


@pytest.mark.parametrize(("count", "n"), [(0, 1), (0, 50), (1, 50), (25, 50), (50, 50), (3, 100000)])
def test_wilson_agrees_with_scipy(count: int, n: int) -> None:
    """The same interval as scipy's, exact at the ends."""
    expected = binomtest(count, n).proportion_ci(method="wilson")
    assert wilson_interval(count, n) == pytest.approx((expected.low, expected.high), abs=1e-12)
    assert wilson_interval(0, n)[0] == 0.0
    assert wilson_interval(n, n)[1] == 1.0


@pytest.mark.parametrize("count", [1, 7, 1000, 100_000])
def test_poisson_bounds_leave_out_one_fortieth_each(count: int) -> None:
    """At the bounds the observed count is just as unlikely as 2.5 %."""
    low, high = poisson_interval(count)
    assert poisson.sf(count - 1, low) == pytest.approx(0.025, rel=1e-6)
    assert poisson.cdf(count, high) == pytest.approx(0.025, rel=1e-6)
    assert poisson_interval(0)[0] == 0.0
    assert poisson_interval(0)[1] == pytest.approx(3.688879, rel=1e-6)


def test_a_scaled_rank_is_the_same_share_of_more_rows() -> None:
    """The 5th of 20 becomes the 10th of 40, the last stays the last, and there is none of none."""
    assert [scaled_rank(rank, 20, 40) for rank in (5, 20, None)] == [10, 40, None]
    assert scaled_rank(1, 3, 10) == 4
