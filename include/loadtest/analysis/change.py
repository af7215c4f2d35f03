"""The test itself: is a run, with its repeats, worse or better than runs of an unchanged system differ by?

Runs of an unchanged system differ mostly *between* runs, so the unit is the run: requests within one run only say how
exact its own percentiles are. docs/statistics.md has the method with its sources and limits.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from include.loadtest.analysis.columns import Array, Column, columns, quartiles
from include.loadtest.analysis.companions import explained
from include.loadtest.analysis.figures import BODY, RunFigures
from include.loadtest.analysis.probe import has_usual_cpu
from include.loadtest.analysis.spread import borrowed_variance, level, shrunk
from include.loadtest.profile.rules import ChangeTest

FLOOR = 0.5
"""Part of the relevant change that a run alone has to show."""
_REPEATS_ALONE = 0.05
"""Repeats have to be worse by themselves at this level, since the first run was picked for being bad."""
_TWO_SIDED = 0.975
_ONE_SIDED = 1.6448536269514722
"""A run denies a change where that is outside of its own sampling error, one-sided 95 %."""


@dataclass(frozen=True)
class Evidence:
    """What one column says, with what the `companions` explain taken out.

    `change` is the mean of all new runs against the baseline's level, as a ratio − 1 of the measured figures (0.13 is
    +13 %), with its 95 % interval; `log_change` and `first_log_change` (of the first new run alone) are logarithms that
    are positive in the direction of the change, whether that is worse or better. `p` and `first_p` are one-sided in
    that direction and corrected for all columns; `largest_log_change` is the largest of the body's and its quartiles',
    which decides what is relevant; `repeats_p` is that of the repeats by themselves, uncorrected.
    `supported`: every new run shows it, given its own sampling error; `raw_agrees`: so do the figures as they are.
    `spread` is the standard deviation between runs (of logarithms), with its degrees of `freedom`; `share` is the part
    of the allowed false alarms that is this column's.
    """

    measure: str
    scope: str
    is_worse: bool
    change: float
    ci_low: float
    ci_high: float
    log_change: float
    largest_log_change: float
    first_log_change: float
    p: float
    first_p: float
    repeats_p: float | None
    supported: bool
    raw_agrees: bool
    spread: float
    freedom: int
    baseline_runs: int
    share: float
    companions: tuple[str, ...]

    def is_suspected(self, settings: ChangeTest) -> bool:
        """The first run alone is unlike the baseline by more than half of what is relevant, and no repeat denies it."""
        return (
            self.first_p < settings.suspicion_rate
            and self.first_log_change > FLOOR * math.log1p(settings.relevant_change)
            and self.raw_agrees
            and (self.repeats_p is None or self.supported)
        )

    def is_confirmed(self, settings: ChangeTest) -> bool:
        """All new runs together are relevantly and significantly unlike the baseline, and the repeats by themselves."""
        return (
            self.repeats_p is not None
            and self.repeats_p < _REPEATS_ALONE
            and self.supported
            and self.raw_agrees
            and self.p < settings.false_alarm_rate
            and self.largest_log_change > math.log1p(settings.relevant_change)
        )


def examine(baseline: Sequence[RunFigures], new: Sequence[RunFigures], settings: ChangeTest) -> list[Evidence]:
    """Evidence of every column that all these runs have; `new` is the run in question and its repeats, in order."""
    table = columns(baseline, new)
    return [_with_quartiles(column, table, baseline, new, settings) for column in table]


def _with_quartiles(
    column: Column,
    table: Sequence[Column],
    baseline: Sequence[RunFigures],
    new: Sequence[RunFigures],
    settings: ChangeTest,
) -> Evidence:
    """The evidence; where all but its size is shown, the quartiles are looked at too.

    A body that is 9 % slower because its median is 12 % slower is a relevant change.
    """
    evidence = _evidence(column, table, baseline, new, settings)
    relevant = math.log1p(settings.relevant_change)
    if column.measure != BODY or evidence.p >= settings.false_alarm_rate or evidence.log_change > relevant:
        return evidence
    each = [_evidence(one, table, baseline, new, settings) for one in quartiles(column, baseline, new)]
    same_way = (one.log_change for one in each if one.is_worse == evidence.is_worse)
    return replace(evidence, largest_log_change=max(evidence.log_change, *same_way, -math.inf))


def _evidence(
    column: Column,
    table: Sequence[Column],
    baseline: Sequence[RunFigures],
    new: Sequence[RunFigures],
    settings: ChangeTest,
) -> Evidence:
    borrowed = borrowed_variance(column.error)
    centre, own_variance = level(column.before, borrowed)
    runs = len(baseline)
    noise = Noise(*shrunk(own_variance, runs, borrowed), runs)
    raw = column.new - centre
    helped = None if has_usual_cpu(baseline, new) else explained(column, table, centre, baseline, new)
    if helped is None:
        return measured(column, Moved(raw, raw), noise, settings, better_up=new[0].higher_is_better)
    noise = Noise(*shrunk(helped.variance, runs, min(borrowed, noise.spread**2)), runs)
    moved = Moved(raw - helped.new, raw, helped.companions)
    return measured(column, moved, noise, settings, better_up=new[0].higher_is_better)


@dataclass(frozen=True)
class Noise:
    """Standard deviation between runs (of logarithms), its degrees of freedom, and the runs behind the level."""

    spread: float
    freedom: int
    runs: int


@dataclass(frozen=True)
class Moved:
    """How far the new runs lie from that level: without what companions explain, and as they are."""

    own: Array
    raw: Array
    companions: tuple[str, ...] = ()


def measured(column: Column, moved: Moved, noise: Noise, settings: ChangeTest, *, better_up: bool = False) -> Evidence:
    """The evidence of new runs that lie so far from a level, by Student's t with the given noise."""
    k, mean, first = len(moved.own), float(moved.own.mean()), float(moved.own[0])
    sign = 1.0 if mean > 0 else -1.0
    half = _quantile(noise.freedom) * _error(noise, k)
    worse = -1.0 if better_up else 1.0
    change, *ends = (math.expm1(worse * log) for log in (mean, mean - half, mean + half))
    floor = FLOOR * math.log1p(settings.relevant_change)
    return Evidence(
        measure=column.measure,
        scope=column.scope,
        is_worse=sign > 0,
        change=change,
        ci_low=min(ends),
        ci_high=max(ends),
        log_change=sign * mean,
        largest_log_change=sign * mean,
        first_log_change=sign * first,
        p=min(1.0, _upper(sign * mean / _error(noise, k), noise.freedom) / column.share),
        first_p=min(1.0, _upper(sign * first / _error(noise, 1), noise.freedom) / column.share),
        repeats_p=_upper(sign * float(moved.own[1:].mean()) / _error(noise, k - 1), noise.freedom) if k > 1 else None,
        supported=bool(np.all(sign * moved.own > floor - _ONE_SIDED * column.new_errors[:k])),
        raw_agrees=bool(sign * moved.raw.mean() > 0),
        spread=noise.spread,
        freedom=noise.freedom,
        baseline_runs=noise.runs,
        share=column.share,
        companions=moved.companions,
    )


def _error(noise: Noise, new_runs: int) -> float:
    return noise.spread * math.sqrt(1 / new_runs + 1 / noise.runs)


def _upper(t: float, freedom: int) -> float:
    """Probability that Student's t lies above."""
    from scipy.special import stdtr

    return float(stdtr(freedom, -t))


def _quantile(freedom: int) -> float:
    from scipy.special import stdtrit

    return float(stdtrit(freedom, _TWO_SIDED))
