"""What endpoints have in common: a CPU that is slower tonight moves those that compute, and no product changed.

Where two other endpoints have gone along with an endpoint from run to run, what they tell of a run is taken out of it.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from include.loadtest.analysis.columns import Array, Column, companion_values, has_companion_values
from include.loadtest.analysis.figures import BODY, RunFigures

COMPANIONS = 2
"""More predictors than that, ten runs cannot carry."""
_RIDGE = 0.1
"""Penalty, as a share of the number of runs: a slope that few runs show is believed in part."""
_WORTH = 0.85
"""Companions are used where they leave at most this share of the variance (each run left out once)."""
_LEAST_SPREAD = 0.01
_CLIP = 3.0
"""A companion that itself changed speaks for at most 3 of its own standard deviations."""


@dataclass(frozen=True)
class Explained:
    """What companions say of a column: to be subtracted from its new runs, and the variance left between runs."""

    new: Array
    variance: float
    companions: tuple[str, ...]


def explained(
    column: Column, columns: Sequence[Column], centre: float, baseline: Sequence[RunFigures], new: Sequence[RunFigures]
) -> Explained | None:
    """The part of a body column that other endpoints go along with; None where they do not help.

    Ridge regression of the column on the two endpoints that go along with it best, judged by the residuals of each run
    when it is left out (closed form, Hastie et al. 2009, section 7.10).
    """
    if column.measure != BODY:
        return None
    runs = [*baseline, *new]
    others = [
        other.scope
        for other in columns
        if other.measure == BODY and other.scope != column.scope and has_companion_values(runs, other.scope)
    ]
    if not others:
        return None
    own = column.before - centre
    pairs = [companion_values(baseline, new, scope) for scope in others]
    before = np.array([values for values, _ in pairs])
    means = before.mean(axis=1, keepdims=True)
    spreads = np.sqrt(before.var(axis=1, ddof=1, keepdims=True) + _LEAST_SPREAD**2)
    scores = (before - means) / spreads
    best = np.sort(np.argsort(-np.abs(scores @ own), kind="stable")[:COMPANIONS])
    design = scores[best].T
    later = np.clip((np.array([values for _, values in pairs])[best] - means[best]) / spreads[best], -_CLIP, _CLIP)
    return _fitted(own, design, later.T, tuple(others[index] for index in best))


def _fitted(own: Array, design: Array, later: Array, names: tuple[str, ...]) -> Explained | None:
    n = len(own)
    inverse = np.linalg.inv(design.T @ design + _RIDGE * n * np.eye(design.shape[1]))
    hat = design @ inverse @ design.T
    left_out = (own - hat @ own) / (1 - (np.diag(hat) + 1 / n))
    alone = own / (1 - 1 / n)
    if float(left_out @ left_out) >= _WORTH * float(alone @ alone):
        return None
    slopes = inverse @ design.T @ own
    return Explained(later @ slopes, float(left_out @ left_out) / (n - 1), names)
