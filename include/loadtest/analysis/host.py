"""A slow host told from a slow product: the same product looks slower where its CPU was taken away."""

import math
from collections.abc import Sequence

import numpy as np

from include.loadtest.analysis.columns import COMMON_SPREAD, Column
from include.loadtest.analysis.figures import RunFigures
from include.loadtest.analysis.probe import LEAST_RUNS, slow_probe

_COMPUTES = 0.6
"""An endpoint computes where its latency goes along with the target's CPU time from run to run, correlated so much."""
_BORROWED = 4
"""Runs that the borrowed spread of the target's CPU time counts as."""
_FAR = 3.0


def slow_host(column: Column, baseline: Sequence[RunFigures], run: RunFigures, *, has_companions: bool) -> str | None:
    """Why a suspected column tells of the host and not of the product; None where nothing says so.

    Two things show it. A fixed piece of work, run before and after the load, took longer than beside the baseline's
    runs. Or an endpoint that computes took longer while the target did not use the CPU time that computing longer
    would have cost: then its CPU was given to somebody else. (A CPU that only clocks lower costs CPU time as a slower
    product does; that one the companions and the probe show.) `has_companions`: other endpoints go along with this one;
    one that has none, and goes along with the CPU time, mostly does so by chance.
    """
    slow = slow_probe(baseline, run)
    if slow is None and has_companions:
        return _missing_cpu_time(column, baseline, run)
    return slow


def _missing_cpu_time(column: Column, baseline: Sequence[RunFigures], run: RunFigures) -> str | None:
    known = [index for index, other in enumerate(baseline) if other.target_cpu_ms_per_request]
    if len(known) < LEAST_RUNS or not run.target_cpu_ms_per_request:
        return None
    latency = column.before[known]
    spent = np.array([math.log(baseline[index].target_cpu_ms_per_request or math.nan) for index in known])
    if latency.std() == 0 or spent.std() == 0 or float(np.corrcoef(latency, spent)[0, 1]) < _COMPUTES:
        return None
    apart = latency - latency.mean()
    squares = float(apart @ apart)
    slope = float(apart @ spent) / squares
    rest = spent - spent.mean() - slope * apart
    n = len(known)
    spread = math.sqrt((float(rest @ rest) + _BORROWED * COMMON_SPREAD**2) / (n - 2 + _BORROWED))
    moved = float(column.new[0] - latency.mean())
    expected = float(spent.mean()) + slope * moved
    error = spread * math.sqrt(1 + 1 / n + moved**2 / squares)
    missing = expected - math.log(run.target_cpu_ms_per_request)
    if missing < _FAR * error:
        return None
    return (
        f"{column.scope} computes, and took longer, but the target used only "
        f"{100 * math.exp(-missing):.0f} % of the CPU time a request that computing so long costs"
    )
