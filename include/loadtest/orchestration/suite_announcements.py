"""What a suite tells: one Slack message from its start to the digest of its runs, and its summary as a page."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from include.loadtest.orchestration.announcements import (
    ADDED_S,
    note_deliveries,
    publish_page,
    report_url,
)
from include.loadtest.orchestration.context import SuiteContext
from include.loadtest.orchestration.deliveries import deliver_now, harmless, put, put_all
from include.loadtest.profile import Profile
from include.loadtest.publishing.message import digest_message, suite_started_message
from include.loadtest.publishing.slack_rows import message_key, message_row
from include.loadtest.reporting.suite import SuiteEntry


def announce_suite_start(context: SuiteContext, profiles: Sequence[Profile]) -> None:
    """The suite has its target: say so where the message can become its digest later."""
    if not context.services.has_thread:
        return
    planned_s = sum(profile.load_s + ADDED_S for profile in profiles)
    message = suite_started_message(
        title=context.suite.title,
        suite_run_id=context.bundle.run_id,
        target=context.target_name,
        profiles=[profile.name for profile in profiles],
        planned_s=planned_s,
        planned_end=datetime.now(UTC) + timedelta(seconds=planned_s),
        link=context.link,
        reason=context.reason or "scheduled",
    )
    with harmless("Slack is not told of the suite's start"):
        put(context, message_row(message_key(context.bundle.run_id), context.bundle.run_id, message, final=False))


def announce_digest(context: SuiteContext, document: Mapping[str, Any], entries: Sequence[SuiteEntry]) -> None:
    """Put the digest into the outbox, make one bounded attempt, and note how far that came.

    `document`: the content of suite.json. Each run has told its own verdict; who is called for one is not called twice.
    """
    if not context.services.any:
        return
    is_whole = put_all(
        {
            "Slack is not told of the suite's verdict by the outbox": lambda: _tell_slack(context, document, entries),
            "the suite's summary is not published": lambda: publish_page(context, document),
        }
    )
    if is_whole:
        deliver_now(context)
        note_deliveries(context)


def _tell_slack(context: SuiteContext, document: Mapping[str, Any], entries: Sequence[SuiteEntry]) -> None:
    if context.services.slack is None:
        return
    message = digest_message(
        document,
        {entry.run_id: entry.verdict for entry in entries},
        title=context.suite.title,
        target=context.target_name,
        link=context.link,
        bundle_uri=context.bundle_uri,
        report=report_url(context),
    )
    put(context, message_row(message_key(context.bundle.run_id), context.bundle.run_id, message))
