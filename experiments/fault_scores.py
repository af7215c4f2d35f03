"""Diagnoses held to what was planted: the matrix's scores, and its confusion table. Pure but for reading bundles."""

import json
import math
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from experiments.fault_matrix import BARE, FAULTS, HEALTHY, PAIR, SINGLE
from experiments.fault_truth import read_truth
from include.loadtest import run
from include.loadtest.bundle import Bundle
from include.loadtest.causes import CAUSES
from include.loadtest.profile import Profile
from include.loadtest.profile.reference import requirements

FIRST_SHARE, FIRST_TWO_SHARE = 63 / 70, 68 / 70
"""The goals: of the faulty runs, the cause named first, and among the first two."""
AMONG_FIRST = 3
FOUND, NOTHING = "bottleneck", "no_bottleneck"
STATES = {NOTHING: "no bottleneck", "not_known": "not known"}


@dataclass(frozen=True)
class Diagnosed:
    """One run: what was planted, and what was said. `causes`: those named, best first; none unless there is one."""

    name: str
    group: str
    planted: tuple[str, ...]
    state: str
    causes: tuple[str, ...]
    sentence: str

    @property
    def wanted(self) -> frozenset[str]:
        """The causes of what was planted."""
        return frozenset(FAULTS[fault].cause for fault in self.planted)

    def has_named(self, among: int) -> bool:
        """Whether every planted fault's cause is among the first so many."""
        return self.wanted <= set(self.causes[:among])

    @property
    def first(self) -> str:
        """The first cause, or the word for none."""
        return self.causes[0] if self.causes else self.state


def diagnosed_runs(folder: Path) -> list[Diagnosed]:
    """Diagnose every recorded bundle below `folder` anew; each gets its diagnosis.json."""
    return [_diagnosed(folder / name, truth) for name, truth in read_truth(folder).items()]


def _diagnosed(path: Path, truth: Mapping[str, Any]) -> Diagnosed:
    from include.loadtest.analysis.bottleneck import diagnose
    from include.loadtest.orchestration.diagnosis import reference_of

    bundle = Bundle(path)
    stored = requirements().completed(bundle.read(run.MANIFEST)["profile"])
    document = diagnose(bundle, Profile.model_validate_json(json.dumps(stored)), reference_of(bundle))
    bundle.write(run.DIAGNOSIS, document)
    return answer_of(path.name, truth, document)


def answer_of(name: str, truth: Mapping[str, Any], document: Mapping[str, Any]) -> Diagnosed:
    """What a diagnosis says of a run; causes that it lists without calling one the bottleneck are not named."""
    causes = [cause["cause"] for cause in document["causes"]] if document["state"] == FOUND else []
    return Diagnosed(
        name, truth["group"], tuple(truth["faults"]), document["state"], tuple(causes), document["sentence"]
    )


@dataclass(frozen=True)
class Score:
    """`hits` of `runs`; at least `goal` are wanted, None where there is no goal. `others`: what was said instead."""

    title: str
    hits: int
    runs: int
    goal: int | None
    others: tuple[str, ...]

    @property
    def holds(self) -> bool:
        """Whether the goal is met; nothing at all never meets one."""
        return self.goal is None or (self.runs > 0 and self.hits >= self.goal)

    @property
    def expected(self) -> str:
        """The goal, for a claim."""
        return "shown, without a goal" if self.goal is None else f">= {self.goal} of {self.runs}"

    @property
    def measured(self) -> str:
        """The figure and what was wrong, for a claim."""
        return "; ".join([f"{self.hits} of {self.runs}", *self.others])


def scores(answers: Sequence[Diagnosed]) -> Iterator[Score]:
    """All scores of the matrix, in the order of its claims; groups without a run are left out, but the faulty ones."""
    groups = {group: [answer for answer in answers if answer.group == group] for group in (SINGLE, HEALTHY, PAIR, BARE)}
    single, runs = groups[SINGLE], len(groups[SINGLE])
    yield _named("the planted cause is named first", single, 1, math.ceil(FIRST_SHARE * runs))
    yield _named("the planted cause is among the first two", single, 2, math.ceil(FIRST_TWO_SHARE * runs))
    if groups[HEALTHY]:
        yield _silent(groups[HEALTHY])
    if groups[PAIR]:
        title = f"two faults at once: both causes are among the first {AMONG_FIRST}"
        yield _named(title, groups[PAIR], AMONG_FIRST, len(groups[PAIR]))
    if groups[BARE]:
        yield _named("a target that exposes little: the planted cause is named first", groups[BARE], 1, None)


def _named(title: str, answers: Sequence[Diagnosed], among: int, goal: int | None) -> Score:
    wrong = [answer for answer in answers if not answer.has_named(among)]
    others = tuple(f"{answer.name}: {', '.join(answer.causes) or answer.state}" for answer in wrong)
    return Score(title, len(answers) - len(wrong), len(answers), goal, others)


def _silent(answers: Sequence[Diagnosed]) -> Score:
    """Healthy runs of which nothing is said; how many of them are called healthy stands beside it."""
    wrong = [answer for answer in answers if answer.causes or answer.state == FOUND]
    sure = sum(answer.state == NOTHING for answer in answers)
    others = (
        f"{sure} of them called free of a bottleneck",
        *(f"{answer.name}: {', '.join(answer.causes)}" for answer in wrong),
    )
    return Score("healthy runs without a diagnosis", len(answers) - len(wrong), len(answers), len(answers), others)


def confusion_table(answers: Sequence[Diagnosed]) -> list[str]:
    """Markdown: a row for each planted fault and for the healthy runs, a column for each cause that was named first."""
    rows = {fault.title: [one for one in answers if one.planted == (name,) and one.group == SINGLE]
            for name, fault in FAULTS.items()}  # fmt: skip
    rows["nothing"] = [one for one in answers if one.group == HEALTHY]
    counted = {title: Counter(one.first for one in runs) for title, runs in rows.items() if runs}
    named = {name for counts in counted.values() for name in counts}
    columns = [name for name in (*CAUSES, *STATES) if name in named]
    titles = [CAUSES[name].title if name in CAUSES else STATES[name] for name in columns]
    head = ["planted", *titles, "first", "first two"]
    lines = [_row(head), _row(["---"] + ["--:"] * (len(head) - 1))]
    for title, counts in counted.items():
        lines.append(_row([title, *(str(counts[name] or "") for name in columns), *_ratios(rows[title])]))
    return lines


def _ratios(runs: Sequence[Diagnosed]) -> tuple[str, str]:
    """Named first and among the first two, of how many; a healthy run is right where nothing is said of it."""
    if not runs[0].planted:
        right = f"{sum(not one.causes and one.state != FOUND for one in runs)}/{len(runs)}"
        return right, right
    first, two = (sum(one.has_named(among) for one in runs) for among in (1, 2))
    return f"{first}/{len(runs)}", f"{two}/{len(runs)}"


def _row(fields: Sequence[str]) -> str:
    return f"| {' | '.join(fields)} |"
