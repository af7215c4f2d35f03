"""Scores of a change test against what is known of its cases. Pure arithmetic; the test never reads the truth."""

import math
import statistics
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

INDEX_OFF = 3
"""A change counts as found if the alarm names its first run to so many runs."""
SPIKE_REACH = 2
"""Alarms at a spike or up to so many runs later are the spike's: so many later runs confirm an alarm."""
_SAME_CHANGE_RUNS = 5
_SIDE_RUNS = 10
_TWO_SIDED = (0.025, 0.975)


@dataclass(frozen=True)
class Rate:
    """`hits` of `cases`, which `runs` runs stand behind; the 95 % interval is None where one run alone does."""

    hits: int
    cases: int
    runs: int
    interval: tuple[float, float] | None

    @property
    def value(self) -> float | None:
        """Share of the cases; None where there is none."""
        return self.hits / self.cases if self.cases else None

    def text(self) -> str:
        """As people read it."""
        if self.value is None:
            return "no case"
        head = f"{100 * self.value:.1f} % of {self.cases} cases, {self.runs} run{'s' * (self.runs != 1)}"
        if self.interval is None:
            return f"{head} (no interval)"
        low, high = self.interval
        return f"{head} [{100 * low:.1f}-{100 * high:.1f} %]"


def rate(outcomes: Iterable[tuple[str, bool]]) -> Rate:
    """Of (run, hit): the share of hits, with an interval that counts the runs, since cases of one run are alike.

    A ratio estimate over clusters with Student's t for the number of runs (Cochran 1977, Sampling Techniques, section
    6.3). Where all cases agree there is no spread to estimate: then the exact binomial interval over the runs (Clopper
    and Pearson 1934). Cases share baseline runs as well, which no interval here counts.
    """
    counts: dict[str, list[int]] = {}
    for run, hit in outcomes:
        own = counts.setdefault(run, [0, 0])
        own[0] += hit
        own[1] += 1
    hits, cases, runs = sum(hit for hit, _ in counts.values()), sum(n for _, n in counts.values()), len(counts)
    if runs < 2:
        return Rate(hits, cases, runs, None)
    if hits in (0, cases):
        return Rate(hits, cases, runs, binomial_interval(runs if hits else 0, runs))
    return Rate(hits, cases, runs, _clustered(list(counts.values()), hits / cases))


def _clustered(counts: Sequence[Sequence[int]], share: float) -> tuple[float, float]:
    from scipy.special import stdtrit

    runs, cases = len(counts), sum(n for _, n in counts)
    squares = sum((hits - share * n) ** 2 for hits, n in counts)
    error = math.sqrt(squares * runs / (runs - 1)) / cases
    half = float(stdtrit(runs - 1, _TWO_SIDED[1])) * error
    return max(0.0, share - half), min(1.0, share + half)


def binomial_interval(hits: int, cases: int) -> tuple[float, float]:
    """Exact 95 % interval of a share of independent cases."""
    from scipy.special import betaincinv

    low = float(betaincinv(hits, cases - hits + 1, _TWO_SIDED[0])) if hits else 0.0
    high = float(betaincinv(hits + 1, cases - hits, _TWO_SIDED[1])) if hits < cases else 1.0
    return low, high


@dataclass(frozen=True)
class Alarm:
    """Raised once the run `at` was there: the level has changed from the run `since` on."""

    at: int
    since: int
    is_worse: bool


@dataclass(frozen=True)
class Change:
    """A labelled change: the first run on the new level, and whether that is the worse one."""

    index: int
    is_worse: bool


def labelled_changes(values: Sequence[float], indexes: Sequence[int], *, higher_is_better: bool) -> list[Change]:
    """Their directions from the medians of up to 10 runs on each side, as far as the neighbouring change."""
    ends = [0, *indexes, len(values)]
    found = []
    for before, index, after in zip(ends, indexes, ends[2:], strict=False):
        old = statistics.median(values[max(before, index - _SIDE_RUNS) : index])
        new = statistics.median(values[index : min(after, index + _SIDE_RUNS)])
        found.append(Change(index, (new > old) != higher_is_better))
    return found


def delay(change: Change, alarms: Iterable[Alarm]) -> int | None:
    """Runs from a change to the first alarm that names it, in its direction; None where there is none."""
    named = (
        alarm.at - change.index
        for alarm in alarms
        if alarm.is_worse == change.is_worse
        and alarm.at >= change.index
        and abs(alarm.since - change.index) <= INDEX_OFF
    )
    return min(named, default=None)


def at_spike(spike: int, alarms: Iterable[Alarm]) -> bool:
    """Whether a single odd run raised an alarm."""
    return any(spike <= alarm.at <= spike + SPIKE_REACH for alarm in alarms)


def new_alarms(replies: Sequence[Sequence[Sequence[int]]], first: int, *, higher_is_better: bool) -> list[Alarm]:
    """Alarms of a method that names all change points anew after each run, from the length `first` on.

    A change point is a new alarm if none was raised fewer than 5 runs from it before: a point may move a little when a
    run is added, and may go and come back.
    """
    alarms: list[Alarm] = []
    for length, points in enumerate(replies, start=first):
        for index, rises in points:
            if all(abs(index - alarm.since) >= _SAME_CHANGE_RUNS for alarm in alarms):
                alarms.append(Alarm(length - 1, index, bool(rises) != higher_is_better))
    return alarms


@dataclass(frozen=True)
class SeriesScore:
    """What a method did on one series; the last alarm lists are those of each flat stretch replayed alone."""

    delays: tuple[tuple[Change, int | None], ...]
    spikes: int
    spikes_alarmed: int
    creep_alarms: int
    flat_runs: int
    flat_alarms: tuple[Alarm, ...]


def score_series(
    entry: Mapping[str, Any], values: Sequence[float], alarms: Sequence[Alarm], flat: Sequence[Sequence[Alarm]]
) -> SeriesScore:
    """`entry` is that of index.json; `alarms` those of the whole series, `flat` those of its flat stretches."""
    changes = labelled_changes(values, entry["changes"], higher_is_better=entry["higher_is_better"])
    return SeriesScore(
        tuple((change, delay(change, alarms)) for change in changes),
        len(entry["spikes"]),
        sum(at_spike(spike, alarms) for spike in entry["spikes"]),
        sum(start <= alarm.at <= end for start, end in entry["creep"] for alarm in alarms),
        sum(end - start for start, end in entry["flat"]),
        tuple(alarm for own in flat for alarm in own),
    )


@dataclass(frozen=True)
class Frequency:
    """Alarms per 100 runs, with a 95 % interval that counts the series."""

    alarms: int
    runs: int
    series: int
    interval: tuple[float, float]

    @property
    def per_100(self) -> float:
        """Alarms per 100 runs."""
        return 100 * self.alarms / self.runs

    def text(self) -> str:
        """As people read it."""
        low, high = self.interval
        return f"{self.per_100:.2f} ({self.alarms} in {self.runs} runs of {self.series} series) [{low:.1f}-{high:.1f}]"


def frequency(scores: Sequence[SeriesScore], *, worse_only: bool = False) -> Frequency:
    """False alarms on flat stretches; the interval is a ratio estimate over series, without alarms Poisson's exact."""
    counts = [
        (sum(alarm.is_worse or not worse_only for alarm in score.flat_alarms), score.flat_runs)
        for score in scores
        if score.flat_runs
    ]
    alarms, runs = sum(n for n, _ in counts), sum(n for _, n in counts)
    if alarms == 0:
        return Frequency(0, runs, len(counts), (0.0, -100 * math.log(_TWO_SIDED[0]) / runs))
    low, high = _clustered(counts, alarms / runs)
    return Frequency(alarms, runs, len(counts), (100 * low, 100 * high))


def found_within(scores: Sequence[SeriesScore], runs: int, *, worse_only: bool = False) -> tuple[int, int]:
    """Labelled changes found at most `runs` runs after their first, and how many there are."""
    late = [late for score in scores for change, late in score.delays if change.is_worse or not worse_only]
    return sum(one is not None and one <= runs for one in late), len(late)
