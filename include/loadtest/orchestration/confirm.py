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
from include.loadtest.errors import LoadTestError
from include.loadtest.history import store as history
from include.loadtest.history.comparability import comparability, differing_fields
from include.loadtest.orchestration.change import (
    CHANGE_CODES,
    NOT_JUDGED,
    SECTION,
    change_reasons,
    decided_change,
    figures_of,
    judge_change,
)
from include.loadtest.orchestration.context import RunContext
from include.loadtest.orchestration.deadline import StageTimeoutError
from include.loadtest.orchestration.reports import write_run_reports
from include.loadtest.orchestration.target_use import remove_users
from include.loadtest.publishing.services import Services
from include.loadtest.validation.conclusion import amend
from include.loadtest.verdict import GREEN, Reason

LOG = logging.getLogger("loadtest")
RunStage = Callable[[RunContext, str], None]
"""Runs one stage of a run, as the pipeline does."""
LOAD_STAGES = ("warm_cache", "run_profile", "collect_metrics", "validate_sla")


def is_suspected(context: RunContext) -> bool:
    """Whether the change test suspects the run, and a repeat could change its verdict: a breach stays one."""
    if not context.bundle.has(run.COMPARISON):
        return False
    document = context.bundle.read(run.COMPARISON).get(SECTION) or {}
    if document.get("word") != Word.SUSPECTED:
        return False
    return context.bundle.read(run.VERDICT)["verdict"] in GREEN


def repeats(context: RunContext) -> bool:
    """Whether this run may be repeated by the task `confirm`, which has one machine: not where several share a load."""
    return context.repeats and context.profile().generators == 1


def needs_repeats(context: RunContext) -> bool:
    """Whether the run is repeated: it is suspected, or a candidate that is measured against the current release."""
    if not repeats(context):
        return False
    if is_suspected(context):
        return True
    if context.order.current_target is None or not context.bundle.has(run.COMPARISON):
        return False
    return context.bundle.read(run.VERDICT)["verdict"] in GREEN


def close_suspicion(context: RunContext) -> bool:
    """Say so in the verdict where its repeats, being over, have decided nothing; returns whether that is new.

    Either it is still suspected, or it had to be measured against the current release and was not. A run that is never
    repeated stays as it is: its suspicion is a note.
    """
    text = _undecided(context) if repeats(context) else None
    before = context.bundle.read(run.VERDICT)
    if text is None or amend(context.bundle, [Reason("not_confirmed", text)]) == before:
        return False
    history.store_bundle(context.history_url, context.bundle, context.profile(), context.bundle_uri)
    return True


def _undecided(context: RunContext) -> str | None:
    if is_suspected(context):
        return f"suspected of being slower, and not decided: {context.bundle.read(run.COMPARISON)[SECTION]['text']}"
    current = context.order.current_target
    is_green = context.bundle.read(run.VERDICT)["verdict"] in GREEN
    if current is None or not is_green or decided_change(context.bundle) is not None:
        return None
    return f"it was not compared with the current release on {current}: the task confirm says why"


def confirm(context: RunContext, run_stage: RunStage) -> None:
    """Repeat a suspected run as often as its profile says, then decide; the verdict is written anew.

    Repeats that are not valid do not count. With too few valid ones the suspicion stays, and the verdict as it is. A
    run that is not suspected is repeated only to measure it in turns with the current release.
    """
    if not needs_repeats(context):
        return
    context.refuse_if_stopped()
    count = context.profile().change_test.confirmations
    reference = context.order.current_target or context.target.file.reference_target
    repeats: list[RunFigures] = []
    references: list[RunFigures] | None = [] if reference else None
    with ExitStack() as opened:
        children: list[RunContext] = []
        for number in range(1, count + 1):
            repeat = _child(context, f"repeat{number}", context.target_name, opened)
            LOG.info("repeat %d of %d, run %s", number, count, repeat.bundle.run_id)
            children.append(repeat)
            repeats += _measured(repeat, _repeat_stages(context), run_stage)
            if reference and references is not None:
                other = _child(context, f"current{number}", reference, opened)
                LOG.info("the current release on %s in turn: run %s", reference, other.bundle.run_id)
                references += _comparable(context, other, _measured(other, _reference_stages, run_stage))
        document = judge_change(context, repeats, references)
        _rewrite(context, children, change_reasons(document, context.bundle.read(run.COMPARISON)))


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
        holds_parents_target=target_name == context.target_name,
        find_services=Services,
        files_tickets=False,
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
    """Another target has no users yet, and keeps none; a clean-up that fails makes the run no less valid."""
    run_stage(child, "preflight")
    try:
        for name in ("seed_users", *LOAD_STAGES):
            run_stage(child, name)
    finally:
        try:
            remove_users(child)
        except LoadTestError as error:
            LOG.error("test users are left on %s: %s; its next run removes them", child.target_name, error)


def _measured(
    child: RunContext, stages: Callable[[RunContext, RunStage], None], run_stage: RunStage
) -> list[RunFigures]:
    """The figures of a repeat; none where it was not valid. What failed stands in its own bundle.

    A repeat that an earlier try of this task has made is not made again.
    """
    try:
        if not child.bundle.has(run.VERDICT):
            stages(child, run_stage)
    except StageTimeoutError:
        raise
    except LoadTestError as error:
        LOG.warning("run %s does not count: %s", child.bundle.run_id, error)
        return []
    finally:
        if child.bundle.has(run.VERDICT):
            write_run_reports(child, datetime.now(UTC))
    if child.bundle.read(run.VERDICT)["verdict"] in NOT_JUDGED:
        LOG.warning("run %s does not count: it was not valid", child.bundle.run_id)
        return []
    return [figures_of(child.bundle)]


def _comparable(context: RunContext, other: RunContext, found: list[RunFigures]) -> list[RunFigures]:
    """The reference's figures, if it runs under the candidate's conditions; a slower machine would excuse anything."""
    if not found:
        return found
    conditions = [comparability(one.profile(), one.manifest()) for one in (context, other)]
    fields = [one for one in differing_fields(*conditions) if one["field"] != "target"]
    for one in fields:
        LOG.warning("%s is no measure: %s is %s there, here %s", other.target_name, one["field"], one["other"],
                    one["current"])  # fmt: skip
    return [] if fields else found


def _rewrite(context: RunContext, children: Sequence[RunContext], reasons: Sequence[Reason]) -> None:
    """Rewrite the run's verdict; what is decided of the run holds for its repeats as well, and for their reports."""
    document = amend(context.bundle, reasons, without=CHANGE_CODES)
    LOG.info("verdict after the repeats: %s", document["verdict"])
    decisive = [reason for reason in reasons if reason.kind == "regression"]
    for child in children:
        if child.bundle.has(run.VERDICT):
            before = child.bundle.read(run.VERDICT)
            if amend(child.bundle, decisive) != before:
                write_run_reports(child, datetime.now(UTC))
    store_decided(context)


def store_decided(context: RunContext) -> None:
    """Put the run and its repeats into the history as they are decided now. Repeating it changes nothing."""
    history.store_bundle(context.history_url, context.bundle, context.profile(), context.bundle_uri)
    section = context.bundle.read(run.COMPARISON).get(SECTION) or {}
    for run_id in section.get("repeats") or ():
        with context.repeat_bundle(run_id) as bundle:
            uri = context.bundle_uri + run_id.removeprefix(context.bundle.run_id)
            history.store_bundle(context.history_url, bundle, context.profile(), uri)
