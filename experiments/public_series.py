"""The histories of public projects: replayed by a method run by run, and scored by their labels."""

import json
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from experiments.claims import Claim
from experiments.scoring import Alarm, SeriesScore, binomial_interval, found_within, frequency, score_series
from include.loadtest.analysis.figures import VALUE
from include.loadtest.analysis.ruling import Word
from include.loadtest.backtest.recorded import History, read_history
from include.loadtest.backtest.replay import judge_history
from include.loadtest.profile.reference import requirements
from include.loadtest.profile.vocabulary import SCOPE_ALL

PUBLIC = Path(__file__).parent / "data" / "public"
MOST_ALARMS_PER_100, LEAST_WITHIN_5, LEAST_WITHIN_3, MOST_SPIKES = 0.4, 16, 13, 2


@dataclass(frozen=True)
class Part:
    """A whole series, or a flat stretch of it that is replayed alone; `ids` are its runs."""

    ids: Sequence[str]
    values: Sequence[float]
    higher_is_better: bool


@dataclass(frozen=True)
class PublicSeries:
    """`parts`: of each entry of the index in turn the whole series, then its flat stretches."""

    history: History
    index: Mapping[str, Mapping[str, Any]]
    parts: Sequence[Part]


def public_series() -> PublicSeries:
    """The histories of public projects, with their labels."""
    history = read_history(PUBLIC)
    index = json.loads((PUBLIC / "index.json").read_text(encoding="utf-8"))
    parts = []
    for name, entry in index.items():
        ids = history.series[name]
        values = [math.exp(history.runs[run_id].figures.points[SCOPE_ALL][VALUE].log) for run_id in ids]
        for start, end in ((0, len(ids)), *entry["flat"]):
            parts.append(Part(ids[start:end], values[start:end], entry["higher_is_better"]))
    return PublicSeries(history, index, parts)


def rule_alarms(series: PublicSeries, ids: Sequence[str]) -> list[Alarm]:
    """The change test's own, as `make backtest` gives them; the later runs that confirm an alarm are its delay."""
    rules = requirements()
    answers = judge_history(History(series.history.runs, {"": ids}), rules.change_test, rules.stall_limit_s)
    return [
        Alarm(at, at - rules.change_test.confirmations, answer.word is Word.REGRESSION)
        for at, answer in enumerate(answers)
        if answer.word in (Word.REGRESSION, Word.IMPROVEMENT)
    ]


def scored_by(series: PublicSeries, alarms: Sequence[Sequence[Alarm]]) -> list[SeriesScore]:
    """`alarms` of each part, in their order."""
    scores, position = [], 0
    for entry in series.index.values():
        end = position + 1 + len(entry["flat"])
        whole, *flat = alarms[position:end]
        scores.append(score_series(entry, series.parts[position].values, whole, flat))
        position = end
    return scores


def claimed(name: str, scores: Sequence[SeriesScore]) -> Iterator[Claim]:
    """What is expected of the change test here."""
    often = frequency(scores)
    yield Claim(
        name,
        "public series: alarms per 100 flat runs, either direction",
        f"<= {MOST_ALARMS_PER_100}",
        often.text(),
        often.per_100 <= MOST_ALARMS_PER_100,
    )
    for runs, least in ((5, LEAST_WITHIN_5), (3, LEAST_WITHIN_3)):
        found, labelled = found_within(scores, runs)
        yield Claim(
            name,
            f"public series: labelled changes found within {runs} later runs",
            f">= {least} of {labelled}",
            _counted(found, labelled),
            found >= least,
        )
    spikes, alarmed = sum(score.spikes for score in scores), sum(score.spikes_alarmed for score in scores)
    yield Claim(
        name,
        "public series: single odd runs that raise an alarm",
        f"<= {MOST_SPIKES} of {spikes}",
        _counted(alarmed, spikes),
        alarmed <= MOST_SPIKES,
    )


def _counted(hits: int, cases: int) -> str:
    low, high = binomial_interval(hits, cases)
    return f"{hits} of {cases} [{100 * low:.0f}-{100 * high:.0f} %]"


Text = Callable[[Sequence[SeriesScore]], str]


def compared(name: str, scores: Mapping[str, Sequence[SeriesScore]]) -> Iterator[Claim]:
    """A row a figure, with all methods in it."""
    rows: dict[str, Text] = {
        "alarms per 100 flat runs": lambda own: frequency(own).text(),
        "alarms for the worse per 100 flat runs": lambda own: frequency(own, worse_only=True).text(),
        "changes found within 1, 3, 5 later runs": _delays,
        "single odd runs that raise an alarm": lambda own: _counted(
            sum(score.spikes_alarmed for score in own), sum(score.spikes for score in own)
        ),
        "alarms on the creep of tigerbeetle": lambda own: str(sum(score.creep_alarms for score in own)),
    }
    for title, text in rows.items():
        shown = "; ".join(f"{method} {text(own)}" for method, own in scores.items())
        yield Claim(name, f"compared, public series: {title}", "shown", shown, True)


def _delays(scores: Sequence[SeriesScore]) -> str:
    within = [found_within(scores, runs) for runs in (1, 3, 5)]
    worse, all_worse = found_within(scores, 5, worse_only=True)
    found = ", ".join(str(count) for count, _ in within)
    return f"{found} of {within[0][1]} (those for the worse within 5: {worse} of {all_worse})"
