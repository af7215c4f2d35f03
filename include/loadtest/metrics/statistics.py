"""Ranks and intervals. Pure arithmetic, no I/O.

Intervals are two-sided 95 % unless they say otherwise. Those of percentiles need no assumption about the
distribution: with n independent rows the number of them at or below the true percentile is binomial (n, share).
"""

import math
from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Sequence
from itertools import combinations
from statistics import median

TAIL = 0.025
"""Probability on each side that a two-sided 95 % interval leaves out."""
ONE_SIDED_TAIL = 0.05
_Z = 1.959963984540054  # the normal distribution's 97.5 % point
_SHARE_STEPS = 10_000


def rank_of(share: float, n: int) -> int:
    """Place, from 1, of the smallest of n sorted rows with at least `share` of the rows at or below it: ceil(share·n).

    Integer arithmetic: 0.95 * 20 as floating point lies above 19 or below it, depending on the factors.
    """
    return max(1, -(-round(share * _SHARE_STEPS) * n // _SHARE_STEPS))


def percentile_interval_ranks(share: float, n: int) -> tuple[int | None, int | None]:
    """Places of the rows that enclose the true percentile with at least 95 % confidence; None where no row does."""
    return _low_rank(share, n, TAIL), _high_rank(share, n, TAIL)


def percentile_low_rank(share: float, n: int) -> int | None:
    """Place of the largest row that lies at or below the true percentile with at least 95 % confidence (one-sided)."""
    return _low_rank(share, n, ONE_SIDED_TAIL)


def scaled_rank(rank: int | None, of: int, n: int) -> int | None:
    """The place among n rows that is the same share of them as `rank` is of `of` rows, rounded up."""
    return None if rank is None else -(-rank * n // of)


def _low_rank(share: float, n: int, tail: float) -> int | None:
    """Largest place k with P(fewer than k rows at or below the percentile) <= tail."""
    places = range(1, n + 1)
    return bisect_right(places, tail, key=lambda place: _binomial_cdf(place - 1, n, share)) or None


def _high_rank(share: float, n: int, tail: float) -> int | None:
    """Smallest place k with P(k or more rows at or below the percentile) <= tail."""
    index = bisect_left(range(1, n + 1), 1 - tail, key=lambda place: _binomial_cdf(place - 1, n, share))
    return index + 1 if index < n else None


def _binomial_cdf(successes: int, n: int, share: float) -> float:
    # scipy.special, not scipy.stats: a quarter of the import time.
    from scipy.special import bdtr

    return float(bdtr(successes, n, share))


def wilson_interval(count: int, n: int) -> tuple[float, float]:
    """Interval of the share count/n (Wilson 1927); n > 0."""
    share = count / n
    centre = share + _Z**2 / (2 * n)
    half = _Z * math.sqrt(share * (1 - share) / n + _Z**2 / (4 * n**2))
    scale = 1 + _Z**2 / n
    # At 0 and 1 the bound is exactly there; the subtraction leaves a rounding rest.
    low = 0.0 if count == 0 else max(0.0, (centre - half) / scale)
    high = 1.0 if count == n else min(1.0, (centre + half) / scale)
    return low, high


def poisson_interval(count: int) -> tuple[float, float]:
    """Exact interval of a Poisson mean from one count, through the chi-square distribution (Garwood 1936)."""
    from scipy.special import chdtri

    low = float(chdtri(2 * count, 1 - TAIL)) / 2 if count else 0.0
    return low, float(chdtri(2 * count + 2, TAIL)) / 2


def theil_sen(points: Sequence[tuple[float, float]]) -> tuple[float, float, float]:
    """The slope of a straight line through points with different x, and its interval; three points or more.

    The median of the slopes of all pairs, which outliers among up to 29 % of the points do not carry away (Theil 1950,
    Proc. KNAW 53; Sen 1968, J. Am. Stat. Assoc. 63, 1379-1389). The ends of the interval are the pairs' slopes at the
    ranks that Kendall's statistic gives, by its normal approximation with Sen's correction for ties (equation 2.6).
    """
    slopes = sorted((y2 - y1) / (x2 - x1) for (x1, y1), (x2, y2) in combinations(points, 2))
    n, pairs = len(points), len(slopes)
    ties = sum(_kendall_term(count) for count in Counter(y for _, y in points).values())
    half_width = _Z * math.sqrt(max(0, _kendall_term(n) - ties) / 18) / 2
    low = max(0, math.floor(pairs / 2 - half_width) - 1)
    high = min(pairs - 1, math.ceil(pairs / 2 + half_width))
    return median(slopes), slopes[low], slopes[high]


def _kendall_term(n: int) -> int:
    return n * (n - 1) * (2 * n + 5)
