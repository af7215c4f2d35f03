"""Ranks and intervals. Pure arithmetic, no I/O.

Intervals are two-sided 95 % unless they say otherwise. Those of percentiles need no assumption about the
distribution: with n independent rows the number of them at or below the true percentile is binomial (n, share).
"""

import math
from bisect import bisect_left, bisect_right

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
