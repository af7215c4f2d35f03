"""What the change test says of a run, as the part `change_test` of comparison.json."""

from collections.abc import Mapping, Sequence
from typing import Any

from include.loadtest.analysis.change import Evidence
from include.loadtest.analysis.ruling import Ruling, Word
from include.loadtest.analysis.sensitivity import sensitivities
from include.loadtest.profile.rules import ChangeTest
from include.loadtest.profile.vocabulary import BASELINES

RANK = (
    Word.STALL,
    Word.HOST_NOISE,
    Word.REGRESSION,
    Word.SUSPECTED,
    Word.IMPROVEMENT,
    Word.OK,
    Word.NOT_ENOUGH_RUNS,
)
"""Of the words against several baselines the first of these counts: a stalled or slowed run decides nothing."""


def change_document(
    rulings: Mapping[str, Ruling],
    baseline_ids: Mapping[str, Sequence[str]],
    settings: ChangeTest,
    *,
    repeats: Sequence[str] = (),
    references: Sequence[str] = (),
) -> dict[str, Any]:
    """What was found against each baseline, and what could have been found.

    `{"word", "text", "relevant_change", "confirmations", "repeats", "references", "against": {baseline: {…}},
    "sensitivity": […]}`.

    `rulings` by the name of the baseline (recent, pinned, reference), with the ids of its runs. An entry of `against`
    has `word`, `text`, `runs`, `findings` and the `worst` of them, which decided (see `finding`). `sensitivity` says
    for each measure how small a change this series can find, as a ratio − 1; it is empty with too few runs.
    """
    word, text = combined(rulings)
    evidence = next((ruling.evidence for ruling in rulings.values() if ruling.evidence), ())
    return {
        "word": str(word),
        "text": text,
        "relevant_change": settings.relevant_change,
        "confirmations": settings.confirmations,
        "repeats": list(repeats),
        "references": list(references),
        "against": {
            name: {
                "word": str(ruling.word),
                "text": ruling.text,
                "runs": list(baseline_ids.get(name, ())),
                "worst": None if ruling.worst is None else finding(ruling.worst),
                "findings": [finding(one) for one in ruling.evidence],
            }
            for name, ruling in rulings.items()
        },
        "sensitivity": [vars(one) for one in sensitivities(evidence, settings)],
    }


def combined(rulings: Mapping[str, Ruling]) -> tuple[Word, str]:
    """The word that counts, and its text with the baseline that it is about; without enough runs there is none."""
    name = min(rulings, key=lambda one: RANK.index(rulings[one].word))
    word, text = rulings[name].word, rulings[name].text
    return word, text if word is Word.NOT_ENOUGH_RUNS else f"{text} (baseline: {BASELINES[name]})"


def finding(one: Evidence) -> dict[str, Any]:
    """One measure of one endpoint: its change as a ratio − 1 with its 95 % interval, and p over all endpoints."""
    return {
        "measure": one.measure,
        "scope": one.scope,
        "change": one.change,
        "ci_low": one.ci_low,
        "ci_high": one.ci_high,
        "p": one.p,
        "direction": "worse" if one.is_worse else "better",
        "baseline_runs": one.baseline_runs,
        "companions": list(one.companions),
    }
