"""The stages of one run, in plain Python: each reads and writes the bundle, so a later stage needs nothing else.

A stage that fails leaves its fault in the manifest before it raises; `conclude_run` turns what is there into a verdict.
"""

import logging
import platform
from collections.abc import Callable
from datetime import UTC, datetime
from importlib.metadata import version
from typing import Any

from include.loadtest import run
from include.loadtest.collectors.gaps import read_gaps
from include.loadtest.collectors.snapshots import snapshots
from include.loadtest.doc_pages import page_place
from include.loadtest.errors import ConfigError, InvalidTestError
from include.loadtest.history import store as history
from include.loadtest.observations import log_lines
from include.loadtest.orchestration.announcements import announce_start, announce_verdict
from include.loadtest.orchestration.change import (
    CHANGE_CODES,
    SECTION,
    change_reasons,
    decided_change,
    judge_change,
)
from include.loadtest.orchestration.conclusion import conclude_run
from include.loadtest.orchestration.confirm import close_suspicion, confirm, store_decided
from include.loadtest.orchestration.context import Context, RunContext, SuiteContext
from include.loadtest.orchestration.deliveries import harmless
from include.loadtest.orchestration.diagnosis import diagnosed
from include.loadtest.orchestration.faults import stage
from include.loadtest.orchestration.lease import kept_lease
from include.loadtest.orchestration.live_file import shown_live
from include.loadtest.orchestration.llm_watch import check_counted, note_cap
from include.loadtest.orchestration.load import note_load, send_load, warm
from include.loadtest.orchestration.load_stop import await_load_end
from include.loadtest.orchestration.load_text import load_sentence
from include.loadtest.orchestration.once import refuse_second_load
from include.loadtest.orchestration.progress import told
from include.loadtest.orchestration.reports import write_run_reports
from include.loadtest.orchestration.target_use import (
    leave_target,
    lock_target,
    released_on_failure,
    remove_users,
)
from include.loadtest.profile import Profile
from include.loadtest.reasons import REASON_CODES
from include.loadtest.reporting.baseline import write_performance_baseline
from include.loadtest.reporting.plot import write_plot
from include.loadtest.runners.engines import check_engine
from include.loadtest.runners.process import read_result
from include.loadtest.target.growth import check_disk, check_open_files
from include.loadtest.target.preflight import check_target
from include.loadtest.target.users import seed_users
from include.loadtest.validation.conclusion import amend
from include.loadtest.verdict import SloResult, shown

LOG = logging.getLogger("loadtest")
KILLED = -9
"""Exit code that stands for a generator whose end nobody saw."""
TOOLS = ("apache-airflow", "locust", "duckdb", "great-expectations", "pyarrow")


def began(context: RunContext) -> bool:
    """Whether preflight got as far as a valid profile: without it there is no run, and no verdict."""
    return "profile" in context.manifest()


def may_have_users(context: Context) -> bool:
    """Whether preflight let the target be used: before that there is nothing of this run's to remove from it."""
    return "environment" in context.manifest()


def load_began(context: RunContext) -> bool:
    """Whether a generator was started, so that there may be something to measure."""
    return "load" in context.bundle.read(run.MANIFEST) or any(context.bundle.samples_dir.glob("*.parquet"))


def preflight(context: RunContext) -> None:
    """Check the order and the target, take the target's lock. Raises before any load if something is not right."""
    profile = context.order.load_profile()
    engine = check_engine(profile)
    suite = context.suite
    context.bundle.update_manifest(
        suite=suite.suite.name if suite else None,
        suite_run_id=suite.bundle.run_id if suite else None,
        profile=profile.model_dump(mode="json"),
        parameters=context.order.document(),
        target={"name": context.target_name},
        started=run.utc_text(datetime.now(UTC)),
        dag_run=context.link,
        services=list(context.services.names),
        tools={"python": platform.python_version(), **{name: version(name) for name in TOOLS}, **engine},
    )
    context.refuse_if_stopped()
    context.refuse_in_blackout(profile.load_s)
    context.refuse_own_rival()
    target = context.target
    context.bundle.update_manifest(
        target={"name": target.file.name, "base_url": target.base_url, "shares_host": target.shares_host}
    )
    _log_order(context, profile)
    check_open_files(profile)
    note_cap(context, profile)
    lock_target(context)
    with released_on_failure(context):
        facts = check_target(target, context.bundle.run_id)
        check_counted(context, profile)
        context.bundle.update_manifest(environment=facts.document(), sizes={"before": facts.sizes()})
        growth = check_disk(target, [profile], context.bundle.path.parent)
        context.bundle.update_manifest(growth=growth.document())
        for line in (*facts.lines(), *growth.lines()):
            LOG.info("%s", line)
        if suite:
            _take_users(context, suite)
    announce_start(context)


def _log_order(context: RunContext, profile: Profile) -> None:
    """Who, how much, where to; what load to expect."""
    file, base_url = context.target.file, context.target.base_url
    LOG.info("run %s: profile %s, %d users, %d s hold, target %s (%s)", context.bundle.run_id, profile.name,
             profile.users, profile.duration_s, file.name, base_url)  # fmt: skip
    for line in (load_sentence(profile, file), *profile.notes):
        LOG.info("%s", line)


def _take_users(context: RunContext, suite: SuiteContext) -> None:
    """The users that the suite made. Raises InvalidTestError (`setup_failed`) where it could not."""
    manifest = suite.manifest()
    if "seed" not in manifest:
        faults = manifest.get("faults") or {}
        cause = "; ".join(f"{name}: {fault['text']}" for name, fault in faults.items()) or "seed_users left no result"
        raise InvalidTestError("setup_failed", f"the suite has no test users ({cause})")
    context.bundle.update_manifest(seed=manifest["seed"])


def seed(context: RunContext) -> None:
    """Make the test users."""
    make_users(context, context.profile().users)


def make_users(context: Context, needed: int) -> None:
    """Make the test users and note them. Raises InvalidTestError (`setup_failed`) where they are too few."""
    context.refuse_if_stopped()
    result = seed_users(context.target, context.bundle.run_id, on_progress=LOG.info)
    context.bundle.update_manifest(seed=result.document())
    for line in result.lines():
        LOG.info("%s", line)
    if len(result.usable) < needed:
        text = f"only {len(result.usable)} test users can be used, {needed} are needed; the others belong to somebody"
        raise InvalidTestError("setup_failed", text)


def measure(context: RunContext) -> None:
    """Compute the metrics, once, from the samples and readings; name the times without readings."""
    from include.loadtest.metrics.engine import compute_metrics
    from include.loadtest.metrics.errors_table import write_errors

    profile = context.profile()
    await_load_end(context)
    if "load" not in context.bundle.read(run.MANIFEST):  # the process that watched the generator was killed
        note_load(context, profile, read_result(context.bundle, profile, KILLED))
    document = compute_metrics(context.bundle, profile)
    write_errors(context.bundle)
    snapshots(context.bundle)
    gaps = read_gaps(context.bundle)
    context.bundle.update_manifest(gaps=gaps, target_log=log_lines(context.bundle))
    for gap in gaps:
        LOG.warning("no readings of %s from %s to %s: %s", gap["source"], gap["start"], gap["end"], gap["reason"])
    for row in document["metrics"]:
        if row["scope"] == "all" and row["phase"] == "hold":
            LOG.info("%s = %s %s (n=%d)", row["metric"], shown(row["value"]), row["unit"], row["n"])


def judge(context: RunContext) -> None:
    """Judge the limits and write the verdict."""
    from include.loadtest.validation.suite import validate

    profile = context.profile()
    results: list[SloResult] = []
    if context.bundle.has(run.METRICS):
        shares_host = context.manifest()["target"]["shares_host"]
        results, _ = validate(context.bundle, profile, shares_host=shares_host)
    for result in results:
        LOG.info("%s %s of %s: %s %s (limit %s %s, n=%d)", result.outcome.upper(), result.metric, result.scope,
                 shown(result.observed), result.unit, result.comparator, shown(result.limit), result.n)  # fmt: skip
    conclude_run(context.bundle, profile, results)


def verdict_of(context: RunContext) -> dict[str, Any]:
    """The run's verdict; concluded now where the stages that should have done it did not live to."""
    return (
        context.bundle.read(run.VERDICT)
        if context.bundle.has(run.VERDICT)
        else conclude_run(context.bundle, context.profile())
    )


def compare_and_store(context: RunContext) -> None:
    """Put the run into the history, show the differences to the last comparable run, and test for a change.

    A change is at most suspected here: the verdict stays as it is until `confirm`.
    """
    verdict_of(context)
    profile = context.profile()
    decided = decided_change(context.bundle)
    document = history.record_and_compare(context.history_url, context.bundle, profile, context.bundle_uri)
    LOG.info("%s", document.get("text") or f"compared with {document.get('previous_run_id')}: shown, not judged")
    if decided is None:
        change = judge_change(context)
    else:  # the task was cleared: repeats have been made, and what they showed stays
        context.bundle.write(run.COMPARISON, document | decided)
        change = decided[SECTION]
    amend(context.bundle, change_reasons(change, document), without=CHANGE_CODES)


def diagnose(context: RunContext) -> None:
    """Say what is saturated and what to do about it. It judges nothing: the verdict stays as it is."""
    verdict_of(context)
    for line in diagnosed(context):
        LOG.info("%s", line)


def publish(context: RunContext) -> None:
    """Write the reports, then tell whom it concerns; who does not hear of it changes nothing else.

    The reports are written once more with what arrived where. A suite's run is published before its repeats: what they
    leave undecided is said after them.
    """
    verdict_of(context)
    if context.suite is None:
        close_suspicion(context)
    verdict = verdict_of(context)
    for name in context.not_configured:
        LOG.info("not configured: %s", name)
    write_performance_baseline(context.bundle, context.profile())
    with harmless("there is no plot of the load"):
        write_plot(context.bundle, context.profile())
    now = datetime.now(UTC)
    charts = write_run_reports(context, now)
    announce_verdict(context, verdict)
    if context.services.any:
        write_run_reports(context, now, charts)
    if decided_change(context.bundle) is not None:
        store_decided(context)  # once more, in case the history was away when the repeats decided


def settled_verdict(context: RunContext) -> dict[str, Any]:
    """The run's verdict when all is over: what stayed undecided is said in it, and in its reports."""
    verdict_of(context)
    if close_suspicion(context):
        publish(context)
    return verdict_of(context)


def close(context: RunContext) -> dict[str, Any]:
    """The run's verdict, for the gate; tokens and lock are given up whatever the clean-up, or a full disk, allowed."""
    try:
        verdict = settled_verdict(context)
    finally:
        leave_target(context)
    for reason in verdict["reasons"]:
        page = page_place(context.link, REASON_CODES[reason["code"]].page)
        LOG.info("%s: %s; what to do: %s", reason["code"], reason["text"], page)
    return verdict


STAGES: dict[str, Callable[[RunContext], None]] = {
    "preflight": preflight,
    "seed_users": seed,
    "warm_cache": warm,
    "run_profile": send_load,
    "collect_metrics": measure,
    "validate_sla": judge,
    "diff_history": compare_and_store,
    "diagnose": diagnose,
    "confirm": lambda context: confirm(context, run_stage),
    "publish": publish,
    "cleanup_users": remove_users,
}

SENDING = frozenset({"preflight", "seed_users", "warm_cache", "run_profile"})
"""Stages up to the load."""


def run_stage(context: RunContext, name: str) -> None:
    """One stage, with its fault noted. Raises what the stage raised.

    A run that has sent its load sends none again; that refusal is no fault of its own, so its verdict stays.
    """
    if name in SENDING:
        refuse_second_load(context)
    removed = context.manifest().get(run.SAMPLES_REMOVED)
    if removed and name != "cleanup_users":
        raise ConfigError(
            f"run {context.bundle.run_id}: its samples were removed on {removed}, so nothing is computed anew; "
            "what it found stays"
        )
    with shown_live(context, name), stage(context, name), kept_lease(context, name), told(context, name):
        STAGES[name](context)
