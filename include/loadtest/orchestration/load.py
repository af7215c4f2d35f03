"""The stages of one run that send requests: sessions and warm-up, then the load with the monitors beside it."""

import logging
from dataclasses import replace
from typing import Any

from include.loadtest import run
from include.loadtest.collectors.process import start_collectors
from include.loadtest.machine import cpu_probe_ms
from include.loadtest.orchestration.conclusion import LOAD_STOP
from include.loadtest.orchestration.context import RunContext
from include.loadtest.orchestration.lease import hand_over_lease
from include.loadtest.orchestration.live_watch import live_watch
from include.loadtest.orchestration.llm_watch import counted_load, counted_warm_up
from include.loadtest.orchestration.load_request import load_request
from include.loadtest.orchestration.load_stop import load_stop
from include.loadtest.orchestration.load_text import users_text
from include.loadtest.orchestration.target_use import make_private, note_sizes
from include.loadtest.profile import Profile
from include.loadtest.runners.engines import run_load
from include.loadtest.runners.generator import LoadResult, exit_meaning, phase_spans
from include.loadtest.runners.process import ORDERED
from include.loadtest.scenarios.taxes import CAPS_BY_CITY
from include.loadtest.target.cities import known_caps
from include.loadtest.target.restart import restart_since
from include.loadtest.target.sessions import ensure_sessions
from include.loadtest.target.warm_up import warm_cache

LOG = logging.getLogger("loadtest")


def warm(context: RunContext) -> None:
    """Open the users' sessions and warm the target's cache."""
    context.refuse_if_stopped()
    profile = context.profile()
    sessions = _sessions(context, profile)
    LOG.info("%d sessions are open; warming the cache", len(sessions))
    number, session = next(iter(sessions.items()))
    caps = known_caps(context.target, session, number, context.bundle.run_id, CAPS_BY_CITY)
    with counted_warm_up(context, profile) as may_ask:
        result = warm_cache(
            context.target,
            profile,
            sessions,
            context.bundle.run_id,
            lambda: context.stop_requested() or not may_ask(),
        )
    context.refuse_if_stopped()  # a warm-up that was cut short is none
    context.bundle.update_manifest(warm_up=result.document(), cities=caps)
    for city in CAPS_BY_CITY.keys() - caps.keys():
        LOG.warning("the target knows no postal code of %s: taxes are calculated for the other cities only", city)
    for line in result.lines():
        LOG.info("%s", line)


def _sessions(context: RunContext, profile: Profile) -> dict[int, Any]:
    for folder in (context.sessions_file.parent, context.work_dir):
        make_private(folder)
    numbers = tuple(context.bundle.read(run.MANIFEST)["seed"]["usable"])[: profile.users]
    return ensure_sessions(
        context.target,
        numbers,
        context.sessions_file,
        context.bundle.run_id,
        stop_requested=context.stop_requested,
    )


def send_load(context: RunContext) -> None:
    """Send the load once, with the monitors beside it. Whatever was measured stays, however this ends."""
    profile = context.profile()
    sessions = _sessions(context, profile)
    request = replace(
        load_request(context, profile, context.sessions_file, tuple(sessions), context.lease_file),
        master_host=context.master_host,
        on_listening=context.on_listening,
    )
    context.refuse_if_stopped()
    context.refuse_in_blackout(profile.load_s)  # preflight asked, but midnight may have passed since
    _note_before(context, profile)
    with load_stop(context) as stop, counted_load(context, profile) as stop.for_the_cap, live_watch(context):
        collectors = start_collectors(context.bundle, context.target)
        try:
            hand_over_lease(context)
            result = run_load(request, LOG.info, stop.requested)
            note_load(context, profile, result)
        finally:
            collectors.stop()
    LOG.info("load ended: %s, %s; an exit code is no verdict",
             "complete" if result.completed else "NOT complete",
             exit_meaning(result.engine, result.exit_code))  # fmt: skip
    if not stop.by_outside.is_set():  # else this process has a few seconds left at most
        _probe_cpu(context)
        _note_target_after(context, result)


def _note_before(context: RunContext, profile: Profile) -> None:
    """What will be sent, how its traces are named, and how fast the target's CPU is without it."""
    LOG.info("load: %s", _planned(profile))
    context.bundle.update_manifest(**{run.TRACE_IDS: run.TRACE_IDS_OF_ITERATIONS})
    _probe_cpu(context)


def _planned(profile: Profile) -> str:
    """The load in words."""
    if profile.checks is not None:
        return f"requirements one after the other, for at most {minutes(profile.load_s)}"
    stages = ", ".join(f"{stage.name} {stage.end_s - stage.start_s:.0f} s" for stage in profile.stages())
    return f"up to {users_text(profile)} for {minutes(profile.load_s)}, {stages}"


def _probe_cpu(context: RunContext) -> None:
    """How fast the target's CPU is, before and after the load; only where the target runs on this machine."""
    if context.target.shares_host:
        taken = context.manifest().get("cpu_probe_ms") or []
        context.bundle.update_manifest(cpu_probe_ms=[*taken, cpu_probe_ms()])


def _note_target_after(context: RunContext, result: LoadResult) -> None:
    """Whether the target is still the process that the load began with, and what it holds now."""
    if result.started is not None:
        restart = restart_since(context.target, result.started)
        context.bundle.update_manifest(restart=restart.document())
        if restart.text:
            LOG.warning("%s", restart.text)
    note_sizes(context, "after_load")


def note_load(context: RunContext, profile: Profile, result: LoadResult) -> None:
    """Put the load's account, with who ordered its end, and the phases as they ran into the manifest."""
    stop = context.manifest().get(LOAD_STOP)
    if stop and result.stopped_by in (None, ORDERED) and not result.completed:
        result = replace(result, stopped_by=stop["code"], stop_text=stop["text"])
    several = {"generators": list(result.generators)} if profile.generators > 1 else {}
    context.bundle.update_manifest(load=result.document(), phases=phase_spans(profile.stages(), result), **several)


def minutes(seconds: float) -> str:
    """A duration for people, as m:ss."""
    return f"{int(seconds) // 60}:{int(seconds) % 60:02d} min"
