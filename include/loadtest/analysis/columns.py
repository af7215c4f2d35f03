"""The table that the change test works on: a row a run, a column for each endpoint's body and tail."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from include.loadtest.analysis.figures import BODY, PERCENTILES_OF, TAIL, VALUE, RunFigures

Array = NDArray[np.float64]
COMMON_SPREAD = 0.02
"""Runs of any system differ by about this much (as a share), whatever the sampling error says."""
COMPANION_PLACES = ("latency_p25_ms", "latency_p50_ms")
QUARTILES = ("latency_p25_ms", "latency_p50_ms", "latency_p75_ms")
TAIL_SHARE = 0.1
"""Part of the allowed false alarms that goes to the tails: they find little (P95 has half the power of the body)."""
_DEPENDENCE = 0.7
"""Variance of a weighted mean of percentiles of one run, as a share of what fully dependent ones would give.

Measured on 20 unchanged runs: 0.6 to 0.8 for the five endpoints whose runs differ by sampling only.
"""


@dataclass(frozen=True)
class Column:
    """One measure of one scope: `before` and `new` are logarithms, a value a run; up is worse.

    `share` of the allowed false alarms is this column's. `error` is the mean standard error within a baseline run,
    `new_errors` those of the new runs.
    """

    measure: str
    scope: str
    share: float
    before: Array
    new: Array
    error: float
    new_errors: Array


def columns(baseline: Sequence[RunFigures], new: Sequence[RunFigures]) -> list[Column]:
    """Bodies, then tails, of the scopes that all these runs have.

    A measure is the weighted mean of the logarithms of its percentiles, so of several places of the distribution; a
    place where a run's own percentile is uncertain weighs little. That keeps the gap between two populations (cache
    hits and misses) and single outliers out of it, which a mean over all requests does not.
    """
    runs = [*baseline, *new]
    found: list[tuple[str, str, Array, Array]] = []
    for measure in (BODY, VALUE, TAIL):
        for scope in _common_scopes(runs, measure):
            values, errors = _weighted(runs, len(baseline), scope, PERCENTILES_OF[measure])
            found.append((measure, scope, values, errors))
    count_of = {measure: sum(1 for own, *_ in found if own == measure) for measure, *_ in found}
    worse = -1.0 if runs[0].higher_is_better else 1.0
    n = len(baseline)
    return [
        Column(
            measure,
            scope,
            _share(measure, count_of) / count_of[measure],
            worse * values[:n],
            worse * values[n:],
            float(errors[:n].mean()),
            errors[n:],
        )
        for measure, scope, values, errors in found
    ]


def quartiles(column: Column, baseline: Sequence[RunFigures], new: Sequence[RunFigures]) -> list[Column]:
    """The quartiles of a body that all runs have, each as a column of its own."""
    n, found = len(baseline), []
    for place in _common_places([*baseline, *new], column.scope, QUARTILES):
        values, errors = _weighted([*baseline, *new], n, column.scope, (place,))
        found.append(replace(column, before=values[:n], new=values[n:], error=float(errors[:n].mean())))
    return found


def companion_values(baseline: Sequence[RunFigures], new: Sequence[RunFigures], scope: str) -> tuple[Array, Array]:
    """What an endpoint tells about the others' conditions: its quick half, which its own slow answers do not reach."""
    values, _ = _weighted([*baseline, *new], len(baseline), scope, COMPANION_PLACES)
    return values[: len(baseline)], values[len(baseline) :]


def has_companion_values(runs: Sequence[RunFigures], scope: str) -> bool:
    """Whether all runs have these places."""
    return len(_common_places(runs, scope, COMPANION_PLACES)) == len(COMPANION_PLACES)


def _share(measure: str, count_of: dict[str, int]) -> float:
    if len(count_of) == 1:
        return 1.0
    return TAIL_SHARE if measure == TAIL else 1 - TAIL_SHARE


def _common_scopes(runs: Sequence[RunFigures], measure: str) -> list[str]:
    """Scopes of which all runs have at least one and the same place of the measure."""
    return [scope for scope in runs[0].points if _common_places(runs, scope, PERCENTILES_OF[measure])]


def _common_places(runs: Sequence[RunFigures], scope: str, places: Sequence[str]) -> list[str]:
    return [place for place in places if all(place in run.points.get(scope, {}) for run in runs)]


def _weighted(runs: Sequence[RunFigures], n: int, scope: str, places: Sequence[str]) -> tuple[Array, Array]:
    """The measure and its standard error, a value a run; the weights are those of the first `n` runs, the baseline."""
    common = _common_places(runs, scope, places)
    logs = np.array([[run.points[scope][place].log for place in common] for run in runs])
    errors = np.array([[run.points[scope][place].error for place in common] for run in runs])
    weights = 1 / ((errors[:n] ** 2).mean(axis=0) + COMMON_SPREAD**2)
    weights /= weights.sum()
    return logs @ weights, np.sqrt(_DEPENDENCE) * (errors @ weights)
