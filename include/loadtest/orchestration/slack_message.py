"""Tells Slack a run's verdict, once; a Slack that fails changes nothing else."""

import logging
from typing import Any

from include.loadtest import run
from include.loadtest.errors import LoadTestError
from include.loadtest.orchestration.context import RunContext
from include.loadtest.publishing.message import run_message
from include.loadtest.publishing.slack import send

LOG = logging.getLogger("loadtest")


def tell_slack(context: RunContext, verdict: dict[str, Any]) -> None:
    """Send the run's message; one that was sent with the same verdict is not sent again."""
    told = context.manifest()
    if "slack" in told and told.get("slack_verdict") == verdict["verdict"]:
        return
    try:
        settings = context.slack_settings()
        if settings is None:
            return
        # A try after this one's death sends no second message; a verdict that repeats have changed is told again.
        context.bundle.update_manifest(slack="sending", slack_verdict=verdict["verdict"])
        message = run_message(
            verdict,
            _content(context, run.METRICS),
            _content(context, run.DIAGNOSIS),
            title=context.profile().title,
            link=context.link,
            bundle_uri=context.bundle_uri,
            target=context.target_name,
        )
        send(settings, message)
        outcome = "sent"
    except LoadTestError as error:
        outcome = f"not sent: {error}"
    context.bundle.update_manifest(slack=outcome)
    LOG.info("Slack message: %s", outcome)


def _content(context: RunContext, name: str) -> dict[str, Any] | None:
    return context.bundle.read(name) if context.bundle.has(name) else None
