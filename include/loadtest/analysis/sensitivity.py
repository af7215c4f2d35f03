"""How small a change this series of runs can find: what a report says beside "no change"."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from include.loadtest.analysis.change import Evidence
from include.loadtest.profile.rules import ChangeTest

POWER = 0.8
_MOST_RUNS = 50


@dataclass(frozen=True)
class Sensitivity:
    """Of one measure and scope, as ratios − 1: changes that are found four times out of five.

    `suspected` from one run, `confirmed` from it and its repeats. `runs_for_relevant`: so many new runs would have to
    be pooled for a change of just the relevant size to be significant; None: more than 50, the baseline is too short.
    """

    measure: str
    scope: str
    suspected: float
    confirmed: float
    runs_for_relevant: int | None


def sensitivities(evidence: Sequence[Evidence], settings: ChangeTest) -> list[Sensitivity]:
    """One for each column of the evidence, in its order.

    The smallest change is (t of the test + t of the power) · spread · √(1/new + 1/baseline), as for any t-test (Cohen
    1988); a confirmed one has besides to be estimated above the relevant limit.
    """
    return [_sensitivity(one, settings) for one in evidence]


def _sensitivity(one: Evidence, settings: ChangeTest) -> Sensitivity:
    relevant = math.log1p(settings.relevant_change)
    alone = _smallest(one, settings.suspicion_rate, 1)
    runs = 1 + settings.confirmations
    margin = _quantile(one.freedom, POWER) * one.spread * math.sqrt(1 / runs + 1 / one.baseline_runs)
    pooled = max(_smallest(one, settings.false_alarm_rate, runs), relevant + margin)
    needed = (n for n in range(1, _MOST_RUNS + 1) if _smallest(one, settings.false_alarm_rate, n) <= relevant)
    return Sensitivity(one.measure, one.scope, math.expm1(alone), math.expm1(pooled), next(needed, None))


def _smallest(one: Evidence, rate: float, runs: int) -> float:
    """The logarithm of the smallest change that `runs` new runs show at that rate of false alarms."""
    needed = _quantile(one.freedom, 1 - rate * one.share) + _quantile(one.freedom, POWER)
    return needed * one.spread * math.sqrt(1 / runs + 1 / one.baseline_runs)


def _quantile(freedom: int, share: float) -> float:
    from scipy.special import stdtrit

    return float(stdtrit(freedom, share))
