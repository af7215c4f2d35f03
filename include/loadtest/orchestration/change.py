"""The change test of a run: its baselines from the history, the ruling, and what the verdict says of it."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Engine

from include.loadtest import run
from include.loadtest.analysis.figures import RunFigures, run_figures
from include.loadtest.analysis.ruling import Ruling, Word, rule
from include.loadtest.bundle import Bundle
from include.loadtest.history import baselines
from include.loadtest.history import store as history
from include.loadtest.orchestration.context import RunContext
from include.loadtest.profile import Profile
from include.loadtest.verdict import GREEN, Reason, Verdict

LOG = logging.getLogger("loadtest")
SECTION = "change_test"
RECENT, PINNED, REFERENCE = "recent", "pinned", "reference"
NOT_JUDGED = frozenset({Verdict.INCONCLUSIVE, Verdict.ABORTED})
CODES: dict[Word, str] = {
    Word.REGRESSION: "regression",
    Word.SUSPECTED: "regression_suspected",
    Word.IMPROVEMENT: "improved",
    Word.HOST_NOISE: "host_noise",
    Word.NOT_ENOUGH_RUNS: "too_few_runs",
}
"""Reason codes; a stall has a reason of its own already, and no change needs none."""
CHANGE_CODES = frozenset({*CODES.values(), "regression_disproved", "not_confirmed", "not_comparable"})
BY_ITSELF = "change test"


@dataclass(frozen=True)
class Baselines:
    """Runs of equal conditions (`key`), oldest first: the latest ones, and the pinned set (empty: none is pinned)."""

    key: str
    recent: tuple[RunFigures, ...]
    pinned: tuple[RunFigures, ...]


def decided_change(bundle: Bundle) -> dict[str, Any] | None:
    """The part of comparison.json that repeats have decided; None where there were none."""
    comparison = bundle.read(run.COMPARISON) if bundle.has(run.COMPARISON) else {}
    document = comparison.get(SECTION) or {}
    return {SECTION: document} if document.get("repeats") else None


def figures_of(bundle: Bundle) -> RunFigures:
    """A run as the change test sees it. Raises FileNotFoundError where it has no metrics."""
    return run_figures(bundle.run_id, bundle.read(run.METRICS)["metrics"])


def baselines_of(engine: Engine, context: RunContext, profile: Profile) -> Baselines:
    """What the run is compared with: earlier runs of its key, none older than the last intended change."""
    record = history.record_of(context.bundle, profile)
    since = baselines.last_intended_change(engine, record.target, record.profile, record.started)
    recent = history.last_comparable_runs(
        engine,
        record.key,
        record.started,
        limit=profile.change_test.window_runs,
        exclude_run_id=record.run_id,
        since=since,
    )
    pinned = [
        row
        for row in baselines.pinned_runs(engine, record.key, since=since)
        if row["run_id"] != record.run_id and row["started"] < record.started
    ]
    return Baselines(record.key, _figures(recent), _figures(pinned))


def _figures(rows: Sequence[dict[str, Any]]) -> tuple[RunFigures, ...]:
    """Oldest first; the history gives the newest first."""
    return tuple(run_figures(row["run_id"], row["metrics"]) for row in reversed(rows))


def judge_change(
    context: RunContext, repeats: Sequence[RunFigures] = (), references: Sequence[RunFigures] | None = None
) -> dict[str, Any] | None:
    """Judge the run with its repeats, put it into comparison.json; None where the test itself was not valid.

    `references`: valid runs of the current release that were measured in turns; None: no such release is configured.
    """
    if context.bundle.read(run.VERDICT)["verdict"] in NOT_JUDGED or not context.bundle.has(run.METRICS):
        return None
    profile = context.profile()
    engine = history.connect(context.history_url)
    found = baselines_of(engine, context, profile)
    own = figures_of(context.bundle)
    rulings = _rulings(found, own, repeats, references, profile)
    ids = {
        RECENT: [other.run_id for other in found.recent],
        PINNED: [other.run_id for other in found.pinned],
        REFERENCE: [other.run_id for other in references or ()],
    }
    from include.loadtest.analysis.document import change_document  # numpy, which other stages do without

    document = change_document(
        rulings,
        ids,
        profile.change_test,
        repeats=[other.run_id for other in repeats],
        references=ids[REFERENCE],
    )
    context.bundle.write(run.COMPARISON, context.bundle.read(run.COMPARISON) | {SECTION: document})
    LOG.info("change test: %s: %s", document["word"], document["text"])
    if context.bundle.read(run.VERDICT)["verdict"] in GREEN:
        _propose_baseline(engine, profile, found, own)
    return document


def _rulings(
    found: Baselines,
    own: RunFigures,
    repeats: Sequence[RunFigures],
    references: Sequence[RunFigures] | None,
    profile: Profile,
) -> dict[str, Ruling]:
    """Against the reference alone where it was measured in turns, else against the recent and the pinned runs."""
    settings, stall_limit_s = profile.change_test, profile.stall_limit_s
    new = [own, *repeats]
    if references is not None:
        from include.loadtest.analysis.paired import rule_paired  # numpy

        baseline = max(found.recent, found.pinned, key=len)
        return {REFERENCE: rule_paired(baseline, repeats, references, settings, stall_limit_s)}
    rulings = {RECENT: rule(found.recent, new, settings, stall_limit_s)}
    if found.pinned:
        rulings[PINNED] = rule(found.pinned, new, settings, stall_limit_s)
    if not repeats and rulings[RECENT].word is Word.OK:
        rulings[RECENT] = _improved(found.recent, own, profile) or rulings[RECENT]
    return rulings


def _improved(recent: Sequence[RunFigures], own: RunFigures, profile: Profile) -> Ruling | None:
    """An improvement that began some runs ago: the later runs are its repeats, so that nothing is run twice for it."""
    count = profile.change_test.confirmations
    ruling = rule(recent[:-count], [*recent[-count:], own], profile.change_test, profile.stall_limit_s)
    return ruling if ruling.word is Word.IMPROVEMENT else None


def _propose_baseline(engine: Engine, profile: Profile, found: Baselines, own: RunFigures) -> None:
    """Propose a new baseline once so many runs as one needs are all better than the pinned one."""
    wanted = profile.change_test.min_runs
    latest = [*found.recent, own][-wanted:]
    if not found.pinned or len(latest) < wanted:
        return
    ruling = rule(found.pinned, latest, profile.change_test, profile.stall_limit_s)
    is_open = any(
        entry["status"] == "proposed" and entry["comparability_key"] == found.key
        for entry in baselines.list_baselines(engine)
    )
    if ruling.word is not Word.IMPROVEMENT or is_open:
        return
    number = baselines.propose_baseline(
        engine, found.key, [other.run_id for other in latest], BY_ITSELF, ruling.text, least=wanted
    )
    LOG.info("proposed as the new baseline: number %d, the latest %d runs (%s)", number, wanted, ruling.text)


def change_reasons(document: dict[str, Any] | None, comparison: dict[str, Any]) -> list[Reason]:
    """What the change test adds to the verdict's reasons."""
    if document is None:
        return []
    fields = comparison.get("differing_fields") or []
    reasons = [Reason("not_comparable", comparison["text"])] if fields else []
    word = Word(document["word"])
    if document["repeats"] and word is Word.OK:
        made, wanted = len(document["repeats"]), document["confirmations"]
        if made >= wanted:
            return [*reasons, Reason("regression_disproved", document["text"])]
        text = f"{made} of {wanted} repeats were valid, which did not show it: {document['text']}"
        return [*reasons, Reason("regression_suspected", text)]
    if word in CODES:
        reasons.append(Reason(CODES[word], document["text"], **_worst(document, word)))
    return reasons


def _worst(document: dict[str, Any], word: Word) -> dict[str, Any]:
    """The finding that decided, for a word that is about one."""
    if word not in (Word.REGRESSION, Word.SUSPECTED, Word.IMPROVEMENT):
        return {}
    worst = next(entry["worst"] for entry in document["against"].values() if entry["word"] == word)
    if worst is None:
        return {}
    return {
        "metric": worst["measure"],
        "scope": worst["scope"],
        "observed": worst["change"],
        "limit": document["relevant_change"],
        "unit": "ratio",
    }
