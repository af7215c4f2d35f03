"""The level of earlier runs, and how much runs of an unchanged system differ."""

import numpy as np

from include.loadtest.analysis.columns import COMMON_SPREAD, Array

BORROWED_RUNS = 6
"""Weight of the borrowed spread, in runs: so many of its own runs a column needs to speak as loud as long histories."""
_WINSOR = 2.0
_SHORTENED = 1.1
"""Variance of a normal sample is 1.1 times that of the sample with its ends pulled in to 2 standard deviations."""
_SCALED = 1.4826  # median absolute deviation of a normal sample, in standard deviations
_ROUNDS, _ENOUGH = 10, 1e-7


def borrowed_variance(error: float) -> float:
    """Variance between runs of which nothing is known but their sampling error: that, and what all systems have."""
    return error**2 + COMMON_SPREAD**2


def level(before: Array, borrowed: float) -> tuple[float, float]:
    """Centre and variance of earlier runs, with outliers pulled in to 2 standard deviations (Huber 1964).

    One odd night among the baseline's runs neither moves its level nor widens its spread.
    """
    centre = float(np.median(before))
    scale = max(_SCALED * float(np.median(np.abs(before - centre))), float(np.sqrt(borrowed / 2)))
    kept = before
    for _ in range(_ROUNDS):
        kept = np.clip(before, centre - _WINSOR * scale, centre + _WINSOR * scale)
        moved = float(kept.mean())
        if abs(moved - centre) < _ENOUGH:
            break
        centre = moved
    return centre, _SHORTENED * float(kept.var(ddof=1))


def shrunk(own: float, runs: int, borrowed: float) -> tuple[float, int]:
    """Standard deviation between runs, the own variance shrunk towards the borrowed one, and its degrees of freedom.

    The weighted mean of both variances by their degrees of freedom (Smyth 2004, the moderated t-test).
    """
    freedom = runs - 1 + BORROWED_RUNS
    return float(np.sqrt((BORROWED_RUNS * borrowed + (runs - 1) * own) / freedom)), freedom
