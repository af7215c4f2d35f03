"""Candidate and current release, measured in turns on the same night: a slow host hits both and cancels out."""

import math
from collections.abc import Sequence

from include.loadtest.analysis.change import Evidence, Moved, Noise, measured
from include.loadtest.analysis.columns import columns
from include.loadtest.analysis.figures import RunFigures
from include.loadtest.analysis.ruling import Ruling, Word, stalled, told
from include.loadtest.analysis.spread import borrowed_variance, level, shrunk
from include.loadtest.profile.rules import ChangeTest


def rule_paired(
    baseline: Sequence[RunFigures],
    candidates: Sequence[RunFigures],
    references: Sequence[RunFigures],
    settings: ChangeTest,
    stall_limit_s: float,
) -> Ruling:
    """Judge the candidate's runs against the reference's; the baseline only says how much runs differ by themselves.

    Each run of one arm has its neighbour in the other. A stalled run is left out. With fewer valid runs of an arm than
    the profile's confirmations, or too few baseline runs to know the noise, the suspicion stays.
    """
    known = [run for run in baseline if not stalled(run, stall_limit_s)]
    if len(known) < settings.min_runs:
        text = f"{len(known)} earlier runs tell how much runs differ by themselves, {settings.min_runs} are needed"
        return Ruling(Word.SUSPECTED, text)
    ours = [run for run in candidates if not stalled(run, stall_limit_s)]
    theirs = [run for run in references if not stalled(run, stall_limit_s)]
    least = min(len(ours), len(theirs))
    if least < settings.confirmations:
        text = f"{least} valid pairs of runs are there, {settings.confirmations} are needed"
        return Ruling(Word.SUSPECTED, text)
    evidence = tuple(_evidence(known, ours, theirs, settings))
    worse = sorted((one for one in evidence if _differs(one, settings) and one.is_worse), key=lambda one: one.p)
    if worse:
        text = f"{told(worse[0])} against {len(theirs)} runs of the reference, measured in turns by {len(ours)}"
        return Ruling(Word.REGRESSION, text, worse[0], evidence)
    least_p = min(evidence, key=lambda one: one.p, default=None)
    return Ruling(Word.OK, "measured in turns with the reference, it is not slower", least_p, evidence)


def _differs(one: Evidence, settings: ChangeTest) -> bool:
    return one.p < settings.false_alarm_rate and one.log_change > math.log1p(settings.relevant_change)


def _evidence(
    baseline: Sequence[RunFigures], ours: Sequence[RunFigures], theirs: Sequence[RunFigures], settings: ChangeTest
) -> list[Evidence]:
    found = []
    for column in columns(baseline, [*ours, *theirs]):
        borrowed = borrowed_variance(column.error)
        _, variance = level(column.before, borrowed)
        noise = Noise(*shrunk(variance, len(baseline), borrowed), len(theirs))
        apart = column.new[: len(ours)] - column.new[len(ours) :].mean()
        found.append(measured(column, Moved(apart, apart), noise, settings))
    return found
