"""Whether an alarm arrives in Slack: told as a run's verdict is, marked as a test, and read back where that can be."""

import logging
from functools import partial

from include.loadtest.history import outbox
from include.loadtest.history.tickets import issues_of
from include.loadtest.orchestration.selftest.links import BrokenLinkError, Link, link
from include.loadtest.orchestration.selftest.recordings import TARGET, profile_of
from include.loadtest.orchestration.selftest.trial import (
    ALARMS,
    ARRIVES_WITHIN_S,
    CALL_S,
    Trial,
    deliver,
    expiry,
    usable,
)
from include.loadtest.publishing import SLACK_CONNECTION
from include.loadtest.publishing.delivery import Budget, Handler
from include.loadtest.publishing.message import TEST_MARK, Message, run_message, self_test_message
from include.loadtest.publishing.slack import SlackSettings
from include.loadtest.publishing.slack_answers import SlackRefusedError
from include.loadtest.publishing.slack_client import Place, SlackClient
from include.loadtest.publishing.slack_delivery import slack_handlers
from include.loadtest.publishing.slack_rows import message_key, message_row

LOG = logging.getLogger("loadtest")
ACTION = f"repair what it says (connection {SLACK_CONNECTION}; docs/slack.md), then clear this task"


def check_slack(trial: Trial) -> str:
    """Each alarm's message has arrived. Raises BrokenLinkError; returns a line."""
    with link(Link.SLACK, ACTION):
        settings = usable(trial.services.slack, Link.SLACK, ACTION)
        for name in ALARMS:
            run_id = trial.run_id_of(name)
            outbox.put(trial.engine, alarm_row(run_id, alarm_message(trial, name)))
            rows = deliver(trial, run_id, _handlers(trial, settings), Link.SLACK, ACTION)
            _read_back(settings, next(row for row in rows if row.key == message_key(run_id)))
    how = "Slack took them" if settings.is_webhook else "they were read back, as far as the token may"
    return f"{len(ALARMS)} messages have arrived: {how}"


def alarm_message(trial: Trial, name: str) -> Message:
    """What is told of a recorded run."""
    found = trial.conclusion(name)
    profile = profile_of(trial.bench.folder / name)
    return self_test_message(
        run_message(
            found.verdict,
            found.metrics,
            None,
            found.comparison,
            title=profile.title,
            link=trial.link,
            bundle_uri=trial.bundle_uri(name),
            target=TARGET,
        )
    )


def alarm_row(run_id: str, message: Message) -> outbox.Delivery:
    """The row of a test's message, which is worth nothing when the trial is long over."""
    return message_row(message_key(run_id), run_id, message, issues_of=run_id, expires=expiry())


def _handlers(trial: Trial, settings: SlackSettings) -> dict[str, Handler]:
    return slack_handlers(
        settings,
        engine=trial.engine,
        issues_of=partial(issues_of, trial.engine),
        read_file=lambda _uri, _name: None,
    )


def _read_back(settings: SlackSettings, row: outbox.Row) -> None:
    """Find the message where it was put; without the scope for that, Slack's answer counts. A webhook reads nothing."""
    if settings.is_webhook:
        LOG.info("%s: a webhook reads nothing, so that Slack took the message counts", row.subject)
        return
    place = Place(str(row.receipt["channel"]), str(row.receipt["ts"]))
    try:
        found = SlackClient(settings, Budget(ARRIVES_WITHIN_S, CALL_S)).find(
            place.channel,
            lambda one: one.get("ts") == place.ts and str(one.get("text")).startswith(TEST_MARK),
            row.created,
        )
    except SlackRefusedError as refused:
        if refused.code != "missing_scope":
            raise
        LOG.info("%s: not read back, so Slack's answer (%s) counts: %s", row.subject, place.ts, refused)
        return
    if found is None:
        raise BrokenLinkError(
            Link.SLACK, f"Slack took the message {place.ts}, and the channel does not show it", ACTION
        )
    LOG.info("%s: read back from Slack (%s)", row.subject, place.ts)
