"""Judges recorded runs as the product would have: from what came before them, never from what came after."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from include.loadtest.analysis.change import Evidence, examine
from include.loadtest.analysis.figures import RunFigures
from include.loadtest.analysis.ruling import Word, rule
from include.loadtest.backtest.recorded import History, read_csv
from include.loadtest.errors import ConfigError, nearest
from include.loadtest.profile.rules import ChangeTest

ROLES = ("baseline", "candidate", "confirm")
NO_BASELINE = frozenset({Word.REGRESSION, Word.STALL, Word.HOST_NOISE})
"""A run of which this was said is part of no later baseline."""


@dataclass(frozen=True)
class Answer:
    """What is said of a case; `evidence` is that of its worst measure."""

    case: str
    word: Word
    evidence: Evidence | None = None


@dataclass
class Case:
    """Runs by their role, as the file lists them."""

    baseline: list[str] = field(default_factory=list)
    candidate: list[str] = field(default_factory=list)
    confirm: list[str] = field(default_factory=list)


def read_cases(path: Path, history: History) -> dict[str, Case]:
    """Cases from a CSV file `case,role,run_id`. Raises ConfigError with `file:line`."""
    cases: dict[str, Case] = {}
    for line, row in read_csv(path, ("case", "role", "run_id")):
        if row["role"] not in ROLES:
            raise ConfigError(f"{path}:{line}: unknown role {row['role']!r}; {nearest(row['role'], ROLES)}")
        if row["run_id"] not in history.runs:
            raise ConfigError(f"{path}:{line}: unknown run {row['run_id']!r}; {nearest(row['run_id'], history.runs)}")
        getattr(cases.setdefault(row["case"], Case()), row["role"]).append(row["run_id"])
    for name, case in cases.items():
        if len(case.candidate) != 1:
            raise ConfigError(f"{path}: case {name} has {len(case.candidate)} candidates; give one")
    return cases


def judge_cases(
    history: History, cases: Mapping[str, Case], settings: ChangeTest, stall_limit_s: float
) -> Iterator[Answer]:
    """The answer of each case, in order."""
    for name, case in cases.items():
        run = history.runs[case.candidate[0]]
        new = [history.runs[run_id].figures for run_id in (*case.candidate, *case.confirm)]
        baseline = [history.runs[run_id].figures for run_id in case.baseline]
        ruling = rule(baseline, new, settings, run.stall_limit_s or stall_limit_s)
        yield Answer(name, ruling.word, ruling.worst)


def judge_history(history: History, settings: ChangeTest, stall_limit_s: float) -> Iterator[Answer]:
    """Every run against the earlier ones that are comparable; every point of a series after its latest change."""
    for ids in history.series.values():
        yield from _judge_series([history.runs[run_id].figures for run_id in ids], settings)
    if not history.series:
        yield from _judge_runs(history, settings, stall_limit_s)


def _judge_runs(history: History, settings: ChangeTest, stall_limit_s: float) -> Iterator[Answer]:
    """In order of time; a run's repeats are its own, and judged with it."""
    earlier: dict[str, list[RunFigures]] = {}
    for run_id, run in history.runs.items():
        if run.repeat_of in history.runs:
            continue
        repeats = [other.figures for other in history.runs.values() if other.repeat_of == run_id]
        before = earlier.setdefault(run.key, [])
        ruling = rule(
            before[-settings.window_runs :], [run.figures, *repeats], settings, run.stall_limit_s or stall_limit_s
        )
        if run.is_valid and ruling.word not in NO_BASELINE:
            before.append(run.figures)
        yield Answer(run_id, ruling.word, ruling.worst)


def _judge_series(runs: Sequence[RunFigures], settings: ChangeTest) -> Iterator[Answer]:
    """After each run: whether the run `confirmations` before it began a new level, now that its repeats are there.

    In a series the later runs are the repeats, and only a suspected run has any: so the first run has to be suspicious
    by itself. From a change on, comparisons start anew.
    """
    since = 0
    for index, run in enumerate(runs):
        first = index - settings.confirmations
        before = runs[max(since, first - settings.window_runs) : max(first, 0)]
        if len(before) < settings.min_runs:
            yield Answer(run.run_id, Word.NOT_ENOUGH_RUNS)
            continue
        (evidence,) = examine(before, runs[first : index + 1], settings)
        if evidence.is_suspected(settings) and evidence.is_confirmed(settings):
            since = first
            yield Answer(run.run_id, Word.REGRESSION if evidence.is_worse else Word.IMPROVEMENT, evidence)
        else:
            yield Answer(run.run_id, Word.OK, evidence)
