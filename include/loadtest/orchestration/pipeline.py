"""The stages of one run, in plain Python: each reads and writes the bundle, so a later stage needs nothing else.

A stage that fails leaves its fault in the manifest before it raises; `conclude_run` turns what is there into a verdict.
"""

import json
import logging
import platform
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from importlib.metadata import version
from pathlib import Path
from typing import Any

from include.loadtest import run
from include.loadtest.bundle import Bundle
from include.loadtest.collectors.process import start_collectors
from include.loadtest.collectors.snapshots import snapshots
from include.loadtest.errors import ConfigError, InvalidTestError, LoadTestError
from include.loadtest.history import store as history
from include.loadtest.history.locks import acquire_lock, extend_lock, release_lock
from include.loadtest.orchestration.conclusion import conclude_run
from include.loadtest.orchestration.order import RunOrder
from include.loadtest.profile import Profile
from include.loadtest.reporting.report import write_reports
from include.loadtest.runners.generator import LoadRequest, LoadResult, phase_spans
from include.loadtest.runners.locust import read_result, run_locust
from include.loadtest.scenarios.taxes import CAPS_BY_CITY
from include.loadtest.target.cities import known_caps
from include.loadtest.target.preflight import check_target
from include.loadtest.target.sessions import ensure_sessions
from include.loadtest.target.settings import Target
from include.loadtest.target.users import cleanup_users, seed_users
from include.loadtest.target.warm_up import warm_cache
from include.loadtest.verdict import SloResult, shown

LOG = logging.getLogger("loadtest")
LOCK_MARGIN_S = 1800
"""A lock outlives the planned load by this much: seeding, warming, judging and clean-up."""
KILLED = -9
"""Exit code that stands for a generator whose end nobody saw."""
TOOLS = ("apache-airflow", "locust", "duckdb", "great-expectations", "pyarrow")


@dataclass(frozen=True)
class RunContext:
    """What every stage of one run knows. `owner` is the DAG run that holds the target's lock."""

    bundle: Bundle
    bundle_uri: str
    order: RunOrder
    load_target: Callable[[str], Target]
    history_url: str
    work_dir: Path
    owner: str
    not_configured: tuple[str, ...] = ()

    @property
    def sessions_file(self) -> Path:
        """The users' tokens: mode 0600, outside the bundle, removed at clean-up."""
        return self.work_dir / "sessions.json"

    @cached_property
    def target(self) -> Target:
        """The target with its addresses. Raises ConfigError where it has none, or one that is not allowed."""
        return self.load_target(self.order.target)

    def profile(self) -> Profile:
        """The run's resolved profile, as preflight wrote it."""
        return Profile.model_validate_json(json.dumps(self.bundle.read(run.MANIFEST)["profile"]))


@contextmanager
def stage(context: RunContext, name: str) -> Iterator[None]:
    """Note a stage's fault in the manifest, and forget the one of an earlier try that this try mended."""
    try:
        yield
    except Exception as error:
        _note_fault(context, name, error)
        raise
    faults = _faults(context)
    if faults.pop(name, None):
        context.bundle.update_manifest(faults=faults)


def _note_fault(context: RunContext, name: str, error: Exception) -> None:
    code = error.code if isinstance(error, InvalidTestError) else None
    text = str(error) if isinstance(error, LoadTestError) else f"{type(error).__name__}: {str(error)[:300]}"
    fault = {"code": code, "text": text, "at": run.utc_text(datetime.now(UTC))}
    context.bundle.update_manifest(faults={**_faults(context), name: fault})


def _faults(context: RunContext) -> dict[str, dict[str, Any]]:
    manifest = context.bundle.read(run.MANIFEST) if context.bundle.has(run.MANIFEST) else {}
    faults: dict[str, dict[str, Any]] = manifest.get("faults") or {}
    return faults


def began(context: RunContext) -> bool:
    """Whether preflight got as far as a valid profile: without it there is no run, and no verdict."""
    return context.bundle.has(run.MANIFEST) and "profile" in context.bundle.read(run.MANIFEST)


def load_began(context: RunContext) -> bool:
    """Whether a generator was started, so that there may be something to measure."""
    return "load" in context.bundle.read(run.MANIFEST) or any(context.bundle.samples_dir.glob("*.parquet"))


def preflight(context: RunContext) -> None:
    """Check the order and the target, take the target's lock. Raises before any load if something is not right."""
    profile = context.order.load_profile()
    if context.bundle.has(run.VERDICT) or any(context.bundle.samples_dir.glob("*.parquet")):
        raise ConfigError(
            f"run {context.bundle.run_id} has already sent its load; a repeat is a new run: trigger it anew"
        )
    context.bundle.update_manifest(
        suite=None,
        profile=profile.model_dump(mode="json"),
        parameters=context.order.document(),
        target={"name": context.order.target},
        started=run.utc_text(datetime.now(UTC)),
        tools={"python": platform.python_version(), **{name: version(name) for name in TOOLS}},
    )
    target = context.target
    shares_host = target.shares_host
    context.bundle.update_manifest(
        target={"name": target.file.name, "base_url": target.base_url, "shares_host": shares_host}
    )
    LOG.info("run %s: profile %s, %d users, %d s hold, target %s (%s)", context.bundle.run_id, profile.name,
             profile.users, profile.duration_s, target.file.name, target.base_url)  # fmt: skip
    history.upgrade(context.history_url)
    engine = history.connect(context.history_url)
    ttl_s = int(profile.load_s) + LOCK_MARGIN_S
    acquire_lock(engine, target.file.name, context.owner, context.bundle.run_id, ttl_s)
    try:
        facts = check_target(target, context.bundle.run_id)
    except BaseException:
        release_lock(engine, target.file.name, context.owner)
        raise
    context.bundle.update_manifest(environment=facts.document())
    for line in facts.lines():
        LOG.info("%s", line)


def seed(context: RunContext) -> None:
    """Make the test users."""
    result = seed_users(context.target, context.bundle.run_id)
    context.bundle.update_manifest(seed=result.document())
    for line in result.lines():
        LOG.info("%s", line)
    needed = context.profile().users
    if len(result.usable) < needed:
        text = f"only {len(result.usable)} test users can be used, {needed} are needed; the others belong to somebody"
        raise InvalidTestError("setup_failed", text)


def warm(context: RunContext) -> None:
    """Open the users' sessions and warm the target's cache."""
    profile = context.profile()
    sessions = _sessions(context, profile)
    LOG.info("%d sessions are open; warming the cache", len(sessions))
    number, session = next(iter(sessions.items()))
    caps = known_caps(context.target, session, number, context.bundle.run_id, CAPS_BY_CITY)
    result = warm_cache(context.target, profile, sessions, context.bundle.run_id)
    context.bundle.update_manifest(warm_up=result.document(), cities=caps)
    for city in CAPS_BY_CITY.keys() - caps.keys():
        LOG.warning("the target knows no postal code of %s: taxes are calculated for the other cities only", city)
    for line in result.lines():
        LOG.info("%s", line)


def _sessions(context: RunContext, profile: Profile) -> dict[int, Any]:
    context.work_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    numbers = tuple(context.bundle.read(run.MANIFEST)["seed"]["usable"])[: profile.users]
    return ensure_sessions(context.target, numbers, context.sessions_file, context.bundle.run_id)


def send_load(context: RunContext) -> None:
    """Send the load once, with the monitors beside it. Whatever was measured stays, however this ends."""
    profile, target = context.profile(), context.target
    sessions = _sessions(context, profile)
    caps = context.bundle.read(run.MANIFEST)["cities"]
    request = LoadRequest(
        bundle=context.bundle,
        profile=profile,
        base_url=target.base_url,
        api_prefix=target.file.api_prefix,
        forwarded_for=target.file.forwarded_for,
        sessions_file=context.sessions_file,
        user_numbers=tuple(sessions),
        work_dir=context.work_dir,
        caps=tuple(caps.values()) or CAPS_BY_CITY["Milano"],
    )
    ttl_s = int(profile.load_s) + LOCK_MARGIN_S
    extend_lock(history.connect(context.history_url), context.order.target, context.owner, ttl_s)
    LOG.info("load: %d users, %g s ramp, %d s hold", profile.users, profile.ramp_up_s, profile.duration_s)
    collectors = start_collectors(context.bundle, target)
    try:
        result = run_locust(request, LOG.info)
    finally:
        collectors.stop()
    _note_load(context, profile, result)
    LOG.info("load ended: %s, exit code %d (an exit code is no verdict)",
             "complete" if result.completed else "NOT complete", result.exit_code)  # fmt: skip


def _note_load(context: RunContext, profile: Profile, result: LoadResult) -> None:
    context.bundle.update_manifest(load=result.document(), phases=phase_spans(profile.stages(), result))


def measure(context: RunContext) -> None:
    """Compute the metrics, once, from the samples and readings."""
    from include.loadtest.metrics.engine import compute_metrics
    from include.loadtest.metrics.errors_table import write_errors

    profile = context.profile()
    if "load" not in context.bundle.read(run.MANIFEST):  # the process that watched the generator was killed
        _note_load(context, profile, read_result(context.bundle, profile, KILLED))
    document = compute_metrics(context.bundle, profile)
    write_errors(context.bundle)
    snapshots(context.bundle)
    for row in document["metrics"]:
        if row["scope"] == "all" and row["phase"] == "hold":
            LOG.info("%s = %s %s (n=%d)", row["metric"], shown(row["value"]), row["unit"], row["n"])


def judge(context: RunContext) -> None:
    """Judge the limits and write the verdict."""
    from include.loadtest.validation.suite import validate

    profile = context.profile()
    results: list[SloResult] = []
    if context.bundle.has(run.METRICS):
        results, _ = validate(context.bundle, profile, shares_host=context.target.shares_host)
    for result in results:
        LOG.info("%s %s of %s: %s %s (limit %s %g, n=%d)", result.outcome.upper(), result.metric, result.scope,
                 shown(result.observed), result.unit, result.comparator, result.limit, result.n)  # fmt: skip
    conclude_run(context.bundle, profile, results)


def verdict_of(context: RunContext) -> dict[str, Any]:
    """The run's verdict; concluded now where the stages that should have done it did not live to."""
    return (
        context.bundle.read(run.VERDICT)
        if context.bundle.has(run.VERDICT)
        else conclude_run(context.bundle, context.profile())
    )


def compare_and_store(context: RunContext) -> None:
    """Put the run into the history, and beside it the differences to the last comparable run: shown, not judged."""
    verdict_of(context)
    document = history.record_and_compare(context.history_url, context.bundle, context.profile(), context.bundle_uri)
    LOG.info("%s", document.get("text") or f"compared with {document.get('previous_run_id')}: shown, not judged")


def publish(context: RunContext) -> None:
    """Write the reports."""
    verdict_of(context)
    for name in context.not_configured:
        LOG.info("not configured: %s", name)
    write_reports(context.bundle, datetime.now(UTC), context.not_configured)


def clean_up(context: RunContext) -> None:
    """Remove what the run made on the target, and this machine's copy of the tokens; then give the target free."""
    shutil.rmtree(context.work_dir, ignore_errors=True)
    result = cleanup_users(context.target, context.bundle.run_id)
    context.bundle.update_manifest(cleanup=result.document())
    for line in result.lines():
        LOG.info("%s", line)
    free_target(context)


def free_target(context: RunContext) -> None:
    """Release the lock, if this run holds it."""
    release_lock(history.connect(context.history_url), context.order.target, context.owner)


STAGES: dict[str, Callable[[RunContext], None]] = {
    "preflight": preflight,
    "seed_users": seed,
    "warm_cache": warm,
    "run_profile": send_load,
    "collect_metrics": measure,
    "validate_sla": judge,
    "diff_history": compare_and_store,
    "publish": publish,
    "cleanup_users": clean_up,
}


def run_stage(context: RunContext, name: str) -> None:
    """One stage, with its fault noted. Raises what the stage raised."""
    with stage(context, name):
        STAGES[name](context)
