"""The CPU probe: a fixed piece of work before and after each load, on the target's host."""

import math
from collections.abc import Sequence

import numpy as np

from include.loadtest.analysis.columns import COMMON_SPREAD
from include.loadtest.analysis.figures import RunFigures

LEAST_RUNS = 6
_FAR = 3.0
_RELEVANT = 0.05
"""A probe that is slower by less is noise of the probe."""
_SLOW, _QUICK = 0.25, 0.25
"""A probe that is a quarter slower than the baseline's lower quartile: the CPU was shared, however often it is."""


def has_usual_cpu(baseline: Sequence[RunFigures], new: Sequence[RunFigures]) -> bool:
    """Whether the probe says of all new runs that the CPU was as quick as on the baseline's quicker nights.

    Then there is no slow CPU that companions could explain, and endpoints that are all slower are the product's.
    """
    before = _logs(baseline)
    if len(before) < LEAST_RUNS:
        return False
    limit = float(np.quantile(before, _QUICK)) + math.log1p(_RELEVANT)
    return all(run.cpu_probe_ms and math.log(run.cpu_probe_ms) <= limit for run in new)


def slow_probe(baseline: Sequence[RunFigures], run: RunFigures) -> str | None:
    """What the probe says of a slow CPU: beyond what probes differ by, or far above those of the quicker nights."""
    before = _logs(baseline)
    if run.cpu_probe_ms is None or len(before) < LEAST_RUNS:
        return None
    now = math.log(run.cpu_probe_ms)
    spread = math.sqrt(float(np.var(before, ddof=1)) + COMMON_SPREAD**2)
    is_unusual = now - float(np.median(before)) > max(_FAR * spread, math.log1p(_RELEVANT))
    slower = now - float(np.quantile(before, _QUICK))
    if not is_unusual and slower < math.log1p(_SLOW):
        return None
    longer = 100 * math.expm1(slower)
    return f"a fixed piece of CPU work took {longer:.0f} % longer than on the baseline's quicker nights"


def _logs(runs: Sequence[RunFigures]) -> list[float]:
    return [math.log(run.cpu_probe_ms) for run in runs if run.cpu_probe_ms]
