"""What a run tells, and when: rows for the outbox. Who hears of it, and when, changes nothing in the run.

With a bot token a run is one Slack message, from "started" to its verdict, with a thread. A webhook gets the verdict.
"""

import logging
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from include.loadtest import run
from include.loadtest.history import outbox
from include.loadtest.orchestration.confirm import is_suspected
from include.loadtest.orchestration.context import Context, RunContext
from include.loadtest.orchestration.deliveries import (
    deliver_now,
    harmless,
    outbox_engine,
    put,
    put_all,
)
from include.loadtest.profile.tickets import load_ticket_rules
from include.loadtest.publishing.message import (
    bottleneck_message,
    mention_message,
    run_message,
    started_message,
)
from include.loadtest.publishing.pages import page_url, put_page
from include.loadtest.publishing.pages_index import entry_of
from include.loadtest.publishing.pull_request import put_pull_request
from include.loadtest.publishing.run_message import CALLING
from include.loadtest.publishing.slack_rows import file_row, message_key, message_row, reply_row
from include.loadtest.publishing.tickets import TicketRun, file_tickets

LOG = logging.getLogger("loadtest")
ADDED_S = 120.0
"""What a run takes beside its load, roughly: for the planned end that "started" names."""


def announce_start(context: RunContext) -> None:
    """The run has its target: say so where the message can become its verdict later."""
    if not context.services.has_thread:
        return
    profile, run_id, now = context.profile(), context.bundle.run_id, datetime.now(UTC)
    planned_s = profile.load_s + ADDED_S
    message = started_message(
        title=profile.title,
        profile=profile.name,
        run_id=run_id,
        target=context.target_name,
        users=profile.users,
        planned_s=planned_s,
        planned_end=now + timedelta(seconds=planned_s),
        link=context.link,
        reason=context.order.reason or (f"suite {context.suite.suite.name}" if context.suite else ""),
    )
    with harmless("Slack is not told of the start"):
        put(context, message_row(message_key(run_id), run_id, message, final=False))


def announce_verdict(context: RunContext, verdict: Mapping[str, Any]) -> None:
    """Put all that the run tells into the outbox, make one bounded attempt, and note how far that came.

    Repeating it changes only what has changed. Slack's message comes first, since it is told also without the history.
    """
    if not context.services.any:
        return
    is_whole = put_all(
        {
            "Slack is not told of the verdict by the outbox": lambda: _tell_slack(context, verdict),
            "issues wait for the next run of this profile": lambda: _file_tickets(context, verdict),
            "the pull request is not told of the verdict": lambda: _tell_pull_request(context, verdict),
            "the report is not published": lambda: publish_page(context, verdict),
        }
    )
    if is_whole:
        deliver_now(context)
        note_deliveries(context)


def note_deliveries(context: Context) -> None:
    """Put into the manifest, for the report, what has arrived and what waits."""
    with harmless("the report cannot say what was delivered"):
        states = outbox.states(outbox_engine(context.history_url), context.bundle.run_id)
        context.bundle.update_manifest(deliveries=states)
        for one in states:
            LOG.info("%s: %s (%s)", one["what"], str(one["state"]).replace("_", " "), one["text"])


def _content(context: Context, name: str) -> dict[str, Any] | None:
    return context.bundle.read(name) if context.bundle.has(name) else None


def report_url(context: Context) -> str | None:
    """Where the report will be read once it is published; None where it is not."""
    github = context.services.github_settings
    return None if github is None else page_url(github, context.bundle.run_id)


def _file_tickets(context: RunContext, verdict: Mapping[str, Any]) -> None:
    if not context.files_tickets or context.services.github is None or is_suspected(context):
        return  # what is suspected and not decided is neither a finding nor a clean run
    about = TicketRun(
        run_id=context.bundle.run_id,
        profile=context.profile().name,
        target=context.target_name,
        parameters=context.order.document(),
        started=context.manifest()["started"],
        link=context.link,
        report_url=report_url(context),
        bundle_uri=context.bundle_uri,
    )
    lines = file_tickets(
        outbox_engine(context.history_url),
        about,
        verdict=verdict,
        metrics=_content(context, run.METRICS),
        comparison=_content(context, run.COMPARISON),
        diagnosis=_content(context, run.DIAGNOSIS),
        rules=load_ticket_rules(),
    )
    for line in lines:
        LOG.info("%s", line)


def _tell_slack(context: RunContext, verdict: Mapping[str, Any]) -> None:
    if context.services.slack is None:
        return
    title, settings, run_id = context.profile().title, context.services.slack_settings, context.bundle.run_id
    diagnosis = _content(context, run.DIAGNOSIS)
    mentions, has_thread = settings.mentions if settings else (), context.services.has_thread
    message = run_message(
        verdict,
        _content(context, run.METRICS),
        diagnosis,
        _content(context, run.COMPARISON),
        title=title,
        link=context.link,
        bundle_uri=context.bundle_uri,
        target=context.target_name,
        report=report_url(context),
        mentions=() if has_thread else mentions,
    )
    calls = has_thread and verdict["verdict"] in CALLING
    put(context, message_row(message_key(run_id), run_id, message, issues_of=run_id, calls=calls))
    if not has_thread:
        return
    if diagnosis is not None and diagnosis["state"] == "bottleneck":
        put(context, reply_row(run_id, "bottleneck", bottleneck_message(diagnosis, context.link)))
    # An edit notifies nobody, so people are called by a reply; another verdict calls them again.
    call = mention_message(verdict, diagnosis, title=title, target=context.target_name, mentions=mentions)
    if call is not None:
        put(context, reply_row(run_id, f"call-{verdict['verdict']}", call))
    if context.bundle.has(run.PLOT):
        put(context, file_row(run_id, "plot", _plot(context, title)))


def _plot(context: RunContext, title: str) -> dict[str, str]:
    return {
        "bundle_uri": context.bundle_uri,
        "name": run.PLOT,
        "title": f"{title}: latency and errors",
        "alt": f"Latency over time, failed requests and throughput of run {context.bundle.run_id}",
    }


def publish_page(context: Context, document: Mapping[str, Any]) -> None:
    """Have the page of a run or a suite published, where Pages are set up; `document`: verdict.json or suite.json."""
    github = context.services.github_settings
    if github is None or github.pages_branch is None:
        return
    put_page(
        outbox_engine(context.history_url),
        run_id=context.bundle.run_id,
        bundle_uri=context.bundle_uri,
        entry=entry_of(document, context.manifest()),
    )


def _tell_pull_request(context: RunContext, verdict: Mapping[str, Any]) -> None:
    order = context.order
    if context.services.github is None or (order.pull_request is None and order.commit is None):
        return
    put_pull_request(
        outbox_engine(context.history_url),
        number=order.pull_request,
        sha=order.commit,
        verdict=verdict,
        metrics=_content(context, run.METRICS),
        comparison=_content(context, run.COMPARISON),
        diagnosis=_content(context, run.DIAGNOSIS),
        link=context.link,
        report_url=report_url(context),
    )
