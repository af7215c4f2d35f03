"""From the evidence to one word: what a run, with its repeats, says of the product against its baseline."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

from include.loadtest.analysis.figures import RunFigures
from include.loadtest.profile.rules import ChangeTest

if TYPE_CHECKING:
    from include.loadtest.analysis.change import Evidence  # numpy: whoever only reads a word does without it


class Word(StrEnum):
    """What is said. SUSPECTED: would be repeated, and too few repeats are here. HOST_NOISE: undecided, repeat."""

    REGRESSION = "REGRESSION"
    SUSPECTED = "SUSPECTED"
    IMPROVEMENT = "IMPROVEMENT"
    STALL = "STALL"
    HOST_NOISE = "HOST_NOISE"
    OK = "OK"
    NOT_ENOUGH_RUNS = "NOT_ENOUGH_RUNS"


@dataclass(frozen=True)
class Ruling:
    """The word, the evidence that decided (`worst`, where there is any), all evidence, and what a person is told."""

    word: Word
    text: str
    worst: "Evidence | None" = None
    evidence: "tuple[Evidence, ...]" = field(default=())


def rule(
    baseline: Sequence[RunFigures], new: Sequence[RunFigures], settings: ChangeTest, stall_limit_s: float
) -> Ruling:
    """Judge `new`, a run and its repeats in order, against the baseline's runs (oldest first).

    A stalled run, or a repeat that stalled, is an incident and no measure of the product's speed; a repeat on a slow
    host is none either. With fewer repeats than the profile asks for nothing is final.
    """
    from include.loadtest.analysis.change import examine

    run = new[0]
    if stalled(run, stall_limit_s):
        return Ruling(Word.STALL, f"nothing was finished for {run.stall_s:.1f} s while users waited")
    usable = [other for other in baseline if not stalled(other, stall_limit_s)]
    if len(usable) < settings.min_runs:
        there = "1 comparable run is" if len(usable) == 1 else f"{len(usable)} comparable runs are"
        text = f"{there} there, {settings.min_runs} are needed: only the limits count so far"
        return Ruling(Word.NOT_ENOUGH_RUNS, text)
    repeats = [other for other in new[1:] if not stalled(other, stall_limit_s)]
    evidence = examine(usable, [run, *repeats], settings)
    if not evidence:
        return Ruling(Word.NOT_ENOUGH_RUNS, "no endpoint has enough requests in all these runs to be compared")
    return _ruled(usable, run, repeats, evidence, settings)


def stalled(run: RunFigures, limit_s: float) -> bool:
    """Whether users waited for longer than that while nothing was finished."""
    return run.stall_s is not None and run.stall_s > limit_s


def _ruled(
    baseline: Sequence[RunFigures],
    run: RunFigures,
    repeats: Sequence[RunFigures],
    evidence: Sequence["Evidence"],
    settings: ChangeTest,
) -> Ruling:
    is_final = len(repeats) >= settings.confirmations
    found = [one for one in evidence if (one.is_confirmed if is_final else one.is_suspected)(settings)]
    worse = sorted((one for one in found if one.is_worse), key=lambda one: one.p)
    better = sorted((one for one in found if not one.is_worse), key=lambda one: one.p)
    everything = tuple(evidence)
    noise = _host_noise(baseline, run, worse)
    if noise is not None:
        return Ruling(Word.HOST_NOISE, f"not compared, the host was slow: {noise}", worse[0], everything)
    kept = [repeat for repeat in repeats if _host_noise(baseline, repeat, worse) is None]
    if len(kept) < len(repeats):
        from include.loadtest.analysis.change import examine

        return _ruled(baseline, run, kept, examine(baseline, [run, *kept], settings), settings)
    if worse:
        word = Word.REGRESSION if is_final else Word.SUSPECTED
        return Ruling(word, f"{told(worse[0])} {_counted(worse[0], len(repeats))}", worse[0], everything)
    if better and is_final:
        return Ruling(Word.IMPROVEMENT, f"{told(better[0])} {_counted(better[0], len(repeats))}", better[0], everything)
    least = min(evidence, key=lambda one: one.p if one.is_worse else 2 - one.p)
    return Ruling(Word.OK, "no change beyond what runs of an unchanged system differ by", least, everything)


def _host_noise(baseline: Sequence[RunFigures], run: RunFigures, worse: Sequence["Evidence"]) -> str | None:
    if not worse:
        return None
    from include.loadtest.analysis.columns import columns
    from include.loadtest.analysis.host import slow_host

    table = {(column.measure, column.scope): column for column in columns(baseline, [run])}
    reasons = (
        slow_host(table[one.measure, one.scope], baseline, run, has_companions=bool(one.companions)) for one in worse
    )
    return next((reason for reason in reasons if reason is not None), None)


def told(evidence: "Evidence") -> str:
    """What changed, by how much, for a person."""
    what = evidence.measure.removeprefix("latency_").removesuffix("_ms")
    return (
        f"{evidence.scope}: {what} {100 * evidence.change:+.1f} % "
        f"(95 %: {100 * evidence.ci_low:+.1f} to {100 * evidence.ci_high:+.1f} %)"
    )


def _counted(evidence: "Evidence", repeats: int) -> str:
    return f"against {evidence.baseline_runs} runs, measured by {repeats + 1}"
