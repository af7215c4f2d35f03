"""Confirmation: a suspected run is repeated before anything is final, in turns with the current release if known.

A repeat is a run of its own, with its own bundle, metrics and limits; it files nothing and tells nobody.
"""

import logging
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import replace
from datetime import UTC, datetime

from include.loadtest import run
from include.loadtest.analysis.figures import RunFigures
from include.loadtest.analysis.ruling import Word
from include.loadtest.bundle import Bundle
from include.loadtest.errors import LoadTestError
from include.loadtest.history import store as history
from include.loadtest.orchestration.change import (
    CHANGE_CODES,
    NOT_JUDGED,
    SECTION,
    change_reasons,
    figures_of,
    judge_change,
)
from include.loadtest.orchestration.context import RunContext
from include.loadtest.orchestration.deadline import StageTimeoutError
from include.loadtest.orchestration.target_use import remove_users
from include.loadtest.reporting.report import write_reports
from include.loadtest.validation.conclusion import amend
from include.loadtest.verdict import Reason

LOG = logging.getLogger("loadtest")
RunStage = Callable[[RunContext, str], None]
"""Runs one stage of a run, as the pipeline does."""
LOAD_STAGES = ("warm_cache", "run_profile", "collect_metrics", "validate_sla")


def is_suspected(context: RunContext) -> bool:
    """Whether the change test suspects the run."""
    if not context.bundle.has(run.COMPARISON):
        return False
    document = context.bundle.read(run.COMPARISON).get(SECTION) or {}
    return document.get("word") == Word.SUSPECTED


def confirm(context: RunContext, run_stage: RunStage) -> None:
    """Repeat a suspected run as often as its profile says, then decide; the verdict is written anew.

    Repeats that are not valid do not count. With too few valid ones the suspicion stays, and the verdict as it is. A
    run that is not suspected is not repeated.
    """
    if not is_suspected(context):
        return
    context.refuse_if_stopped()
    count = context.profile().change_test.confirmations
    reference = context.target.file.reference_target
    repeats: list[RunFigures] = []
    references: list[RunFigures] = []
    with ExitStack() as opened:
        bundles: list[Bundle] = []
        for number in range(1, count + 1):
            repeat = _child(context, f"r{number}", context.target_name, opened)
            LOG.info("suspected: repeat %d of %d, run %s", number, count, repeat.bundle.run_id)
            bundles.append(repeat.bundle)
            repeats += _measured(repeat, _repeat_stages(context), run_stage)
            if reference:
                other = _child(context, f"c{number}", reference, opened)
                LOG.info("the current release on %s in turn: run %s", reference, other.bundle.run_id)
                references += _measured(other, _reference_stages, run_stage)
        document = judge_change(context, repeats, references)
        _rewrite(context, bundles, change_reasons(document, context.bundle.read(run.COMPARISON)))


def _child(context: RunContext, suffix: str, target_name: str, opened: ExitStack) -> RunContext:
    """The context of a repeat: another bundle, and perhaps another target."""
    run_id = f"{context.bundle.run_id}-{suffix}"
    bundle = opened.enter_context(context.repeat_bundle(run_id))
    order = replace(context.order, target=target_name, reason=f"repeat of {context.bundle.run_id}")
    child = replace(
        context,
        bundle=bundle,
        bundle_uri=f"{context.bundle_uri}-{suffix}",
        target_name=target_name,
        order=order,
        suite=context.suite if target_name == context.target_name else None,
        work_dir=context.work_dir if target_name == context.target_name else context.work_dir / suffix,
    )
    child.bundle.update_manifest(repeat_of=context.bundle.run_id)
    return child


def _repeat_stages(parent: RunContext) -> Callable[[RunContext, RunStage], None]:
    """On the same target the users of the suspected run are still there."""

    def run_all(child: RunContext, run_stage: RunStage) -> None:
        run_stage(child, "preflight")
        child.bundle.update_manifest(seed=parent.manifest()["seed"])
        for name in LOAD_STAGES:
            run_stage(child, name)

    return run_all


def _reference_stages(child: RunContext, run_stage: RunStage) -> None:
    """Another target has no users yet, and keeps none."""
    run_stage(child, "preflight")
    try:
        for name in ("seed_users", *LOAD_STAGES):
            run_stage(child, name)
    finally:
        remove_users(child)


def _measured(
    child: RunContext, stages: Callable[[RunContext, RunStage], None], run_stage: RunStage
) -> list[RunFigures]:
    """The figures of a repeat; none where it was not valid. What failed stands in its own bundle."""
    try:
        stages(child, run_stage)
    except StageTimeoutError:
        raise
    except LoadTestError as error:
        LOG.warning("run %s does not count: %s", child.bundle.run_id, error)
        return []
    finally:
        if child.bundle.has(run.VERDICT):
            write_reports(child.bundle, datetime.now(UTC), child.not_configured)
    if child.bundle.read(run.VERDICT)["verdict"] in NOT_JUDGED:
        LOG.warning("run %s does not count: it was not valid", child.bundle.run_id)
        return []
    return [figures_of(child.bundle)]


def _rewrite(context: RunContext, repeats: Sequence[Bundle], reasons: Sequence[Reason]) -> None:
    """Rewrite the run's verdict, and in the history; what is decided of the run holds for its repeats as well."""
    profile = context.profile()
    document = amend(context.bundle, reasons, without=CHANGE_CODES)
    LOG.info("verdict after the repeats: %s", document["verdict"])
    history.store_bundle(context.history_url, context.bundle, profile, context.bundle_uri)
    decisive = [reason for reason in reasons if reason.kind == "regression"]
    for bundle in repeats:
        if bundle.has(run.VERDICT):
            amend(bundle, decisive)
            history.store_bundle(context.history_url, bundle, profile)
